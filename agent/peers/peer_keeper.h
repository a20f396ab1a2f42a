// Looks at every peer at an interval, so that what is shown of the other hosts is true.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/inventory/inventory.h"
#include "hvagent/clock.h"
#include "hvagent/ids.h"
#include "hvagent/peers.h"

namespace hvagent::peers {

struct KeeperSettings {
    milliseconds heartbeat{3000};
    milliseconds longest_delay{30000};  // between looks at a peer that does not answer
    milliseconds patience{3000};        // for one answer
};

// Thread-safe. A few threads share the peers, so that those that do not answer do not hide the others; without peers there
// is none.
class PeerKeeper {
public:
    // Whether the peer's agent answers; `why` not. From a thread of the keeper, one call after the other for each peer.
    using Listener = std::function<void(const HostId& peer, bool connected, const std::string& why)>;

    PeerKeeper(inventory::Inventory& inventory, Peers& peers, const Clock& clock, KeeperSettings settings)
        : inventory_(inventory), peers_(peers), clock_(clock), settings_(settings) {}
    ~PeerKeeper() { stop(); }
    PeerKeeper(const PeerKeeper&) = delete;
    PeerKeeper& operator=(const PeerKeeper&) = delete;

    void on_peer_change(Listener listener);  // before start()
    // All peers are Connecting until they have been looked at.
    void start();
    // Waits for looks that are under way.
    void stop();
    // At once, and whatever the delay has grown to: a peer that is new, or was heard.
    void look_soon(const HostId& peer);
    // A peer that is about to make itself heard: looked at when it did, or after one interval.
    void expect(const HostId& peer);
    // Unless it is known to answer: then the next look comes at its time.
    void heard(const HostId& peer);

private:
    struct Watch {
        Moment due{};
        bool is_busy = false;
        bool again = false;  // wanted while it was busy
        int misses = 0;      // in a row
        milliseconds delay{};
        std::optional<bool> answers;  // nullopt: not known yet
    };
    struct Look {
        bool is_gone = false;  // the peer was deleted
        bool answered = false;
        bool refused = false;  // it answered that it does not know us: no use to wait for a second miss
        std::string why;
    };

    void want(const HostId& peer, milliseconds delay = milliseconds(0));  // under the lock
    void work();
    void serve(const HostId& peer, std::unique_lock<std::mutex>& lock);
    Look look(const HostId& peer);
    void tell(const HostId& peer, bool connected, const std::string& why);

    inventory::Inventory& inventory_;
    Peers& peers_;
    const Clock& clock_;
    const KeeperSettings settings_;
    std::vector<Listener> listeners_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<HostId, Watch> watches_;
    std::vector<std::thread> threads_;
    bool is_running_ = false;
};

}  // namespace hvagent::peers
