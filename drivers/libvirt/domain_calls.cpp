#include "drivers/libvirt/domain_calls.h"

namespace hvagent::libvirt {

void require_active(virDomainPtr domain, const std::string& what) {
    if (checked(virDomainIsActive(domain), what) == 1) return;
    throw Error(Code::vm_wrong_state, what + ": the VM is off; it must run or be paused");
}

std::string live_xml(virDomainPtr domain) {
    return Text(checked(virDomainGetXMLDesc(domain, 0), "read the live definition")).get();
}

std::string config_xml(virDomainPtr domain) {
    return Text(checked(virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE), "read the definition")).get();
}

bool is_persistent(virDomainPtr domain) {
    return checked(virDomainIsPersistent(domain), "read whether the VM is defined") == 1;
}

}  // namespace hvagent::libvirt
