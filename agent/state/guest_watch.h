// Stands between libvirt's events and who follows them, and looks at guests when there may be news: their agent came or
// went, they started. Addresses have no event of their own, so a guest is looked at a few times after one, then rarely.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "hvagent/clock.h"
#include "hvagent/drivers/vm_guests.h"
#include "hvagent/drivers/vm_observer.h"

namespace hvagent::state {

struct KnownGuest {
    nlohmann::json part;  // guest_part.h
    Time at{};            // when it was seen to be so last
};

struct GuestWatchSettings {
    // After an event; a DHCP lease comes seconds later.
    std::vector<milliseconds> pauses{milliseconds(0), milliseconds(2000), milliseconds(8000), milliseconds(30000)};
    milliseconds every{600000};
    milliseconds calm{1000};  // between two looks at one guest, whatever its agent does
    std::size_t threads = 4;
};

// Thread-safe. Looks run on threads of their own: events pass through at once. A guest that was deaf at its last look is
// looked at by half of the threads only, so that those that answer are not delayed by those that do not.
class GuestWatch final : public VmObserverListener {
public:
    // `tell` gets what has changed, from any thread, in order for each VM.
    GuestWatch(VmObserverListener& next, VmGuests& guests, const Clock& clock, GuestWatchSettings settings,
               std::function<void(const VmId&, const KnownGuest&)> tell);
    ~GuestWatch() override;

    void start();
    // Waits for looks under way; a deaf guest takes a few seconds.
    void stop();
    // What was told last, of a VM that runs or is paused; cheap.
    std::optional<KnownGuest> known_of(const VmId& vm) const;

    void on_connected(std::vector<VmObservation> picture) override;
    void on_event(const VmEvent& event) override;
    void on_disconnected(const std::string& reason) override;

private:
    struct Guest {
        bool runs = false;  // a paused one cannot answer
        bool is_deaf = false;
        bool is_looked_at = false;
        std::size_t step = 0;  // of settings_.pauses
        Moment due = Moment::max();
        Moment last_look{};
        std::uint64_t event = 0;  // number of the last one; a look that began before it has nothing to say
        std::optional<KnownGuest> told;
    };
    using Guests = std::map<VmId, Guest>;

    void run();
    Guests::iterator find_due(Moment& next);
    void look(std::unique_lock<std::mutex>& lock, const VmId& vm);
    void keep(const VmId& vm, std::uint64_t last_event, const std::optional<GuestSight>& sight);
    void expect_news(Guest& guest, std::size_t step);
    void follow_state(const VmObservation& seen);

    VmObserverListener& next_;
    VmGuests& guests_;
    const Clock& clock_;
    const GuestWatchSettings settings_;
    const std::function<void(const VmId&, const KnownGuest&)> tell_;

    std::mutex telling_;  // keeps what is told in order; taken before mutex_
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool connected_ = false;
    bool stopping_ = false;
    std::uint64_t events_ = 0;
    std::size_t deaf_looks_ = 0;
    Guests known_;
    std::vector<std::thread> threads_;
};

}  // namespace hvagent::state
