// What libvirt tells about the devices and block jobs of one VM while somebody waits for them. Events only wake: what they
// tell may have passed before, so the waiter looks at the VM itself.
#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "drivers/libvirt/domain_listener.h"
#include "hvagent/cancel.h"

namespace hvagent::libvirt {

class DeviceEvents {
public:
    // Without events (libvirt refuses or is lost) every wait ends at its longest.
    DeviceEvents(const DomainCalls& calls, const VmId& vm, Cancellation& cancel);

    // Until something happened since the last wait, cancellation is wanted, or `longest` has passed.
    void wait(milliseconds longest);
    // The guest has said no to the removal of this device.
    bool was_refused(const std::string& alias) const;
    // A block job of this disk ("vdb") failed.
    bool job_failed(const std::string& target) const;

    struct State {
        mutable std::mutex mutex;
        std::condition_variable changed;
        bool happened = false;
        std::set<std::string> refused;
        std::set<std::string> failed_jobs;
        void wake();
    };

private:
    const std::shared_ptr<State> state_;
    const DomainListener listener_;
    Cancellation::Subscription cancelled_;
};

}  // namespace hvagent::libvirt
