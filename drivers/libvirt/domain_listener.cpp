#include "drivers/libvirt/domain_listener.h"

#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

void free_state(void* opaque) {
    delete static_cast<std::shared_ptr<void>*>(opaque);
}

}  // namespace

// The callbacks of one connection; made and ended inside calls, since both ask libvirt.
class DomainListener::Registration {
public:
    Registration(virDomainPtr domain, const std::shared_ptr<void>& state, const std::vector<Event>& events) {
        virConnectPtr borrowed = virDomainGetConnect(domain);
        virConnectRef(borrowed);
        connection_.reset(borrowed, [](virConnectPtr open) { virConnectClose(open); });
        for (const Event& event : events) {
            auto* target = new std::shared_ptr<void>(state);
            const int id = virConnectDomainEventRegisterAny(borrowed, domain, event.id, event.callback, target, free_state);
            if (id >= 0)
                callbacks_.push_back(id);
            else
                delete target;
        }
    }
    ~Registration() {
        for (int id : callbacks_) virConnectDomainEventDeregisterAny(connection_.get(), id);
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

private:
    Connect connection_;
    std::vector<int> callbacks_;
};

DomainListener::DomainListener(const DomainCalls& calls, const VmId& vm, std::string what, std::shared_ptr<void> state,
                               const std::vector<Event>& events)
    : calls_(calls), vm_(vm), what_(std::move(what)) {
    try {
        registration_ = calls_.read(vm, "listen to " + what_, [state, events](virDomainPtr domain, const std::string&) {
            return std::make_shared<Registration>(domain, state, events);
        });
    } catch (const Error& error) {
        log::debug("no events of " + what_, {{"vm", vm.str()}, {"error", error.details()}});
    }
}

DomainListener::~DomainListener() {
    if (!registration_) return;
    try {
        auto dropped = std::make_shared<std::shared_ptr<Registration>>(std::move(registration_));
        calls_.in_background([dropped] { dropped->reset(); });
    } catch (const std::exception& error) {
        log::debug("events of " + what_ + " stay registered", {{"vm", vm_.str()}, {"error", error.what()}});
    }
}

}  // namespace hvagent::libvirt
