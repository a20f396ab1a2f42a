// libvirt's events of one domain, told to a state as long as this lives.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "drivers/libvirt/domain_calls.h"

namespace hvagent::libvirt {

class DomainListener {
public:
    struct Event {
        int id;  // VIR_DOMAIN_EVENT_ID_...
        virConnectDomainEventGenericCallback callback;
    };
    // The state is kept until libvirt has ended the last callback. Without events (libvirt refuses or is lost) there are
    // none: whoever waits for them looks itself now and then. `what`: "a move", for the log.
    DomainListener(const DomainCalls& calls, const VmId& vm, std::string what, std::shared_ptr<void> state,
                   const std::vector<Event>& events);
    ~DomainListener();
    DomainListener(const DomainListener&) = delete;
    DomainListener& operator=(const DomainListener&) = delete;

private:
    class Registration;
    const DomainCalls calls_;
    const VmId vm_;
    const std::string what_;
    std::shared_ptr<Registration> registration_;
};

// In a callback: the state that the listener was made with.
template <class State>
State& state_of_listener(void* opaque) {
    return *static_cast<State*>(static_cast<std::shared_ptr<void>*>(opaque)->get());
}

}  // namespace hvagent::libvirt
