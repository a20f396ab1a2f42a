#include "drivers/libvirt/guest_sight.h"

#include "drivers/libvirt/domain_xml/live_definition.h"

namespace hvagent::libvirt {
namespace {

constexpr int agent_patience_s = 3;

class Interfaces {
public:
    Interfaces(virDomainPtr domain, unsigned source) : count_(virDomainInterfaceAddresses(domain, &list_, source, 0)) {}
    ~Interfaces() {
        for (int i = 0; i < count_; ++i) virDomainInterfaceFree(list_[i]);
        std::free(list_);
    }
    Interfaces(const Interfaces&) = delete;
    Interfaces& operator=(const Interfaces&) = delete;

    bool failed() const { return count_ < 0; }
    std::vector<GuestAddress> addresses(bool with_names) const {
        std::vector<GuestAddress> found;
        for (int i = 0; i < count_; ++i)
            for (unsigned k = 0; k < list_[i]->naddrs; ++k) {
                const virDomainIPAddress& one = list_[i]->addrs[k];
                found.push_back({list_[i]->hwaddr ? list_[i]->hwaddr : "", one.addr, static_cast<int>(one.prefix),
                                 with_names ? list_[i]->name : ""});
            }
        return found;
    }

private:
    virDomainInterfacePtr* list_ = nullptr;
    int count_;
};

void ask_agent(virDomainPtr domain, GuestSight& sight) {
    // Of the domain and not of the call: whoever asks it next is answered or refused in time as well.
    if (virDomainAgentSetResponseTimeout(domain, agent_patience_s, 0) < 0) {
        sight.agent_failure = last_error("limit the time of the guest agent").details();
        return;
    }
    const Interfaces told(domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT);
    if (told.failed()) {
        sight.agent_failure = last_error("ask the guest agent for addresses").details();
        return;
    }
    sight.told = told.addresses(true);
    if (const Text name{virDomainGetHostname(domain, VIR_DOMAIN_GET_HOSTNAME_AGENT)}) sight.hostname = name.get();
}

}  // namespace

GuestSight LibvirtVmGuests::look(const VmId& vm) {
    GuestSight sight = calls_.read(vm, "look at the guest", [](virDomainPtr domain, const std::string& what) {
        GuestSight seen;
        seen.active = checked(virDomainIsActive(domain), what) == 1;
        if (!seen.active) return seen;
        seen.agent_connected = guest_agent_connected(live_xml(domain));
        // Fails where a network has no DHCP server of libvirt.
        seen.leased = Interfaces(domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE).addresses(false);
        return seen;
    });
    if (!sight.agent_connected) return sight;
    try {
        return calls_.poll(vm, "ask the guest agent", [sight](virDomainPtr domain, const std::string&) {
            GuestSight more = sight;
            ask_agent(domain, more);
            return more;
        });
    } catch (const Error& error) {
        sight.agent_failure = error.details();
        return sight;
    }
}

}  // namespace hvagent::libvirt
