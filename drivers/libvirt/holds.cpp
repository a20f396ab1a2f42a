#include "drivers/libvirt/holds.h"

namespace hvagent::libvirt {
namespace {

struct Mark {
    const char* key;
    const char* xmlns;
};

Mark mark_of(Hold hold) {
    if (hold == Hold::cpus) return {"hold", "https://hvagent.org/xmlns/hold/1"};
    return {"quiet", "https://hvagent.org/xmlns/quiet/1"};
}

int write(virDomainPtr domain, Hold hold, const char* xml) {
    const Mark mark = mark_of(hold);
    return virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, mark.key, mark.xmlns, VIR_DOMAIN_AFFECT_LIVE);
}

}  // namespace

int mark_hold(virDomainPtr domain, Hold hold) {
    return write(domain, hold, "<moment/>");
}

int unmark_hold(virDomainPtr domain, Hold hold) {
    return write(domain, hold, nullptr);
}

bool has_hold(virDomainPtr domain, Hold hold) {
    return Text(virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, mark_of(hold).xmlns, VIR_DOMAIN_AFFECT_LIVE)) !=
           nullptr;
}

int state_of(virDomainPtr domain) {
    int state = VIR_DOMAIN_NOSTATE;
    return virDomainGetState(domain, &state, nullptr, 0) == 0 ? state : int{VIR_DOMAIN_NOSTATE};
}

}  // namespace hvagent::libvirt
