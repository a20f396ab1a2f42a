// VmObserver on libvirt: one connection for events alone, reopened for ever; the picture is taken after the events are
// registered, so that no change falls between the two.
#pragma once
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <unordered_map>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_timeouts.h"
#include "drivers/libvirt/observer_inbox.h"
#include "drivers/libvirt/owned_domains.h"

namespace hvagent::libvirt {

class LibvirtVmObserver final : public VmObserver {
public:
    LibvirtVmObserver(std::shared_ptr<ConnectionSource> source, CallRunner& queries, std::shared_ptr<OwnedDomains> owned,
                      CallTimeouts timeouts, const Clock& clock);
    ~LibvirtVmObserver() override;

    void start(VmObserverListener& listener) override;
    void stop() override;
    bool connected() const override { return connected_.load(std::memory_order_acquire); }
    std::optional<VmObservation> look(const VmId& vm) override;

    // Called from the observer's thread at each new connection, before the listener. Set before start().
    void when_connected(std::function<void()> hook) { connected_hook_ = std::move(hook); }

private:
    struct Seen {
        StateAndReason state;
        std::int64_t last_event = 0;  // number of the event that showed it
        bool undefined = false;       // gone when it stops
        bool lacked_space = false;    // what its last I/O error was about; comes before the pause
        Moment last_reset = {};
        std::optional<int> watchdog = {};  // what it did, until the event that this led to
    };

    void run();
    void take_turn();
    void connect();
    void ask_for_audit();
    void drop_connection();
    void retry_later();
    void lost(const std::string& reason);
    void tell_outage(const std::string& reason);

    void handle(Connected item);
    void handle(ConnectFailed item);
    void handle(ConnectionLost item);
    void handle(DomainEvent item);
    void handle(Audit item);

    void correct(const VmId& vm, const StateAndReason& state, std::int64_t asked_after);
    void deliver(const DomainEvent& event);
    void deliver_lifecycle(const DomainEvent& event);
    void deliver_reset(const VmId& vm);
    void deliver_state(const VmId& vm, const StateAndReason& state);
    void deliver_sign(VmEventKind kind, const VmId& vm, std::string reason);
    bool is_ours(const DomainEvent& event);
    VmObservation observation(const VmId& vm, const StateAndReason& state) const;

    const std::shared_ptr<ConnectionSource> source_;
    CallRunner& queries_;
    const std::shared_ptr<OwnedDomains> owned_;
    const CallTimeouts timeouts_;
    const Clock& clock_;
    std::function<void()> connected_hook_;

    std::shared_ptr<ObserverInbox> inbox_;
    std::thread thread_;
    std::atomic<bool> connected_{false};

    // Touched by the observer's thread only.
    VmObserverListener* listener_ = nullptr;
    std::unique_ptr<CallThreads> calls_;  // opening a connection or reading all states may hang
    int life_ = 0;
    std::shared_ptr<EventSubscription> subscription_;
    std::vector<DomainEvent> early_;  // arrived before the picture of their connection
    std::unordered_map<VmId, Seen> seen_;
    bool connecting_ = false;
    bool outage_told_ = false;
    milliseconds pause_{0};
    std::size_t audits_ = 0;
    Moment next_turn_ = Moment::max();  // of reconnecting or auditing
};

}  // namespace hvagent::libvirt
