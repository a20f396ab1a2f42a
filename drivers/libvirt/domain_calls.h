// Calls about one of our VMs, with deadlines: what the classes that change a running VM share.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_timeouts.h"
#include "drivers/libvirt/owned_domains.h"

namespace hvagent::libvirt {

// Thread-safe. `call(virDomainPtr, const std::string& what)` may outlive the caller: it captures by value.
class DomainCalls {
public:
    DomainCalls(CallRunner& work, CallRunner& queries, std::shared_ptr<OwnedDomains> owned, CallTimeouts timeouts)
        : work_(work), queries_(queries), owned_(std::move(owned)), timeouts_(timeouts) {}

    // May ask QEMU and wait for it.
    template <class Call>
    auto change(const VmId& vm, const std::string& what, Call call) const {
        return run(work_, {what, vm}, timeouts_.call, std::move(call));
    }
    // Asks libvirt only; may be tried twice.
    template <class Call>
    auto read(const VmId& vm, const std::string& what, Call call) const {
        return run(queries_, {what, vm, false, true}, timeouts_.query, std::move(call));
    }

    // Asks QEMU for a state, while the caller waits for it to change.
    template <class Call>
    auto poll(const VmId& vm, const std::string& what, Call call) const {
        return run(work_, {what, vm, false, true}, timeouts_.query, std::move(call));
    }
    // For what nobody waits for and what may hang; it must not throw.
    void in_background(std::function<void()> work) const { queries_.in_background(std::move(work)); }

    const CallTimeouts& timeouts() const { return timeouts_; }

private:
    template <class Call>
    auto run(CallRunner& runner, const CallName& name, milliseconds timeout, Call call) const {
        const std::string what = name.what + " of VM " + name.vm.str();
        return runner.run(name, timeout, [owned = owned_, vm = name.vm, what, call](Session& session) {
            const SharedDomain domain = session.domain(vm);
            owned->require(domain.get(), what);
            return call(domain.get(), what);
        });
    }

    CallRunner& work_;
    CallRunner& queries_;
    const std::shared_ptr<OwnedDomains> owned_;
    const CallTimeouts timeouts_;
};

// Error(vm_wrong_state) when the VM neither runs nor is paused.
void require_active(virDomainPtr domain, const std::string& what);
std::string live_xml(virDomainPtr domain);
std::string config_xml(virDomainPtr domain);
bool is_persistent(virDomainPtr domain);

}  // namespace hvagent::libvirt
