// Domains in memory, with the events a hypervisor would send. Shared by the fakes of power, definitions and observer.
#pragma once
#include <climits>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/drivers/vm_definitions.h"
#include "hvagent/drivers/vm_observer.h"
#include "hvagent/error.h"
#include "hvagent/model/vm_spec.h"
#include "tests/fakes/faults.h"

namespace hvagent {

struct FakeDomain {
    VmSpec spec;
    bool persistent = true;
    VmState state = VmState::stopped;
    std::string reason = "unknown";
    bool guest_agent = false;    // its channel is connected
    int requests_to_ignore = 0;  // shutdown requests the guest does not hear; INT_MAX: it is deaf
    int cpus = 0;                // of the running VM
    Bytes memory = 0;

    bool is_active() const { return state == VmState::running || state == VmState::paused; }
};

// Thread-safe. Every method but those marked "test" behaves as libvirt does, and throws what its interface says.
class FakeDomains {
public:
    explicit FakeDomains(const Clock& clock) : clock_(clock) {}
    ~FakeDomains() { stop(); }

    // Runs `work` on the domain; Error(not_found) when there is none, Error(host_connection) while libvirt is lost.
    template <class Work>
    auto with(const VmId& vm, Work work) {
        const std::lock_guard lock(mutex_);
        require_libvirt();
        const auto found = domains_.find(vm);
        if (found == domains_.end()) throw Error(Code::not_found, "find VM " + vm.str() + ": no domain with matching uuid");
        const Vanish vanish{domains_, found};
        return work(found->second);
    }
    template <class Work>
    auto with_all(Work work) {
        const std::lock_guard lock(mutex_);
        require_libvirt();
        return work(domains_, foreign_);
    }

    // To be called inside with(): changes the state and sends the event.
    void change(FakeDomain& domain, VmState state, const std::string& reason) {
        domain.state = state;
        domain.reason = reason;
        domain.guest_agent = domain.guest_agent && domain.is_active();
        send(VmEventKind::state, domain, reason);
    }
    void send(VmEventKind kind, const FakeDomain& domain, const std::string& reason) {
        VmEvent event{kind, {domain.spec.vm, domain.state, reason, clock_.now()}};
        post([event](VmObserverListener& listener) { listener.on_event(event); });
    }
    VmObservation observation(const FakeDomain& domain) const {
        return {domain.spec.vm, domain.state, domain.reason, clock_.now()};
    }

    void start(VmObserverListener& listener) {
        const std::lock_guard lock(mutex_);
        listener_ = &listener;
        stopping_ = false;
        if (lost_)
            post([reason = lost_reason_](VmObserverListener& l) { l.on_disconnected(reason); });
        else
            post_picture();
        thread_ = std::thread([this] { deliver(); });
    }
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            changed_.notify_all();
        }
        if (thread_.joinable()) thread_.join();
        const std::lock_guard lock(mutex_);
        listener_ = nullptr;
        queue_.clear();
    }
    bool connected() const {
        const std::lock_guard lock(mutex_);
        return listener_ && !lost_;
    }

    // Test: libvirt goes away and comes back; guests live on meanwhile, and their events are lost.
    void lose_libvirt(const std::string& reason) {
        const std::lock_guard lock(mutex_);
        lost_ = true;
        lost_reason_ = reason;
        if (listener_) queue_.push_back([reason](VmObserverListener& l) { l.on_disconnected(reason); });
        changed_.notify_all();
    }
    void bring_libvirt_back() {
        const std::lock_guard lock(mutex_);
        lost_ = false;
        post_picture();
    }
    // Test: what happens to a domain whether or not libvirt is there to see it.
    void happen(const VmId& vm, const std::function<void(FakeDomain&)>& what) {
        const std::lock_guard lock(mutex_);
        const Vanish vanish{domains_, domains_.find(vm)};
        what(domains_.at(vm));
    }
    std::optional<FakeDomain> find(const VmId& vm) const {
        const std::lock_guard lock(mutex_);
        const auto found = domains_.find(vm);
        return found == domains_.end() ? std::nullopt : std::optional(found->second);
    }
    void add_foreign(const ForeignDomain& domain) {
        const std::lock_guard lock(mutex_);
        foreign_.push_back(domain);
    }
    // Test: waits until the listener has received all that was sent.
    void settle() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopping_ || !listener_ || (queue_.empty() && !delivering_); });
    }

private:
    // A domain without a definition is gone when it stops.
    struct Vanish {
        std::map<VmId, FakeDomain>& domains;
        std::map<VmId, FakeDomain>::iterator domain;
        ~Vanish() {
            if (domain != domains.end() && !domain->second.persistent && !domain->second.is_active()) domains.erase(domain);
        }
    };

    using Delivery = std::function<void(VmObserverListener&)>;

    void require_libvirt() const {
        if (lost_) throw Error(Code::host_connection, "connect to libvirt: " + lost_reason_);
    }
    void post(Delivery delivery) {
        if (!listener_ || lost_) return;
        queue_.push_back(std::move(delivery));
        changed_.notify_all();
    }
    void post_picture() {
        std::vector<VmObservation> picture;
        for (const auto& [vm, domain] : domains_) picture.push_back(observation(domain));
        post([picture](VmObserverListener& l) { l.on_connected(picture); });
    }
    void deliver() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
            if (stopping_) return;
            const Delivery delivery = std::move(queue_.front());
            queue_.pop_front();
            delivering_ = true;
            lock.unlock();
            delivery(*listener_);
            lock.lock();
            delivering_ = false;
            changed_.notify_all();
        }
    }

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<VmId, FakeDomain> domains_;
    std::vector<ForeignDomain> foreign_;
    bool lost_ = false;
    std::string lost_reason_;

    VmObserverListener* listener_ = nullptr;
    std::deque<Delivery> queue_;
    std::thread thread_;
    bool delivering_ = false;
    bool stopping_ = false;
};

}  // namespace hvagent
