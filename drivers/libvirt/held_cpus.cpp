#include "drivers/libvirt/held_cpus.h"

#include <thread>

#include "hvagent/clock.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr const char* hold_namespace = "https://hvagent.org/xmlns/hold/1";
constexpr int attempts = 5;
constexpr milliseconds between_attempts(500);

int state_of(virDomainPtr domain) {
    int state = VIR_DOMAIN_NOSTATE;
    return virDomainGetState(domain, &state, nullptr, 0) == 0 ? state : int{VIR_DOMAIN_NOSTATE};
}

int put_mark(virDomainPtr domain, const char* xml) {
    return virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, "hold", hold_namespace, VIR_DOMAIN_AFFECT_LIVE);
}

bool has_mark(virDomainPtr domain) {
    return Text(virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, hold_namespace, VIR_DOMAIN_AFFECT_LIVE)) !=
           nullptr;
}

void release(virDomainPtr domain) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(between_attempts);
        if (virDomainResume(domain) < 0 && state_of(domain) == VIR_DOMAIN_PAUSED) continue;
        put_mark(domain, nullptr);
        return;
    }
    log::error("a VM stays paused that was held for a moment only", {{"vm", virDomainGetName(domain)}});
}

}  // namespace

HeldCpus::HeldCpus(virDomainPtr domain) : domain_(domain) {
    if (state_of(domain) != VIR_DOMAIN_RUNNING) return;
    checked(put_mark(domain, "<moment/>"), "mark the VM as held");
    if (virDomainSuspend(domain) == 0) {
        held_ = true;
        return;
    }
    const LibvirtError error = last_error("hold the VM for a moment");
    release(domain);  // it may have stopped nevertheless
    throw error;
}

HeldCpus::~HeldCpus() {
    if (held_) release(domain_);
}

void release_held_cpus(virDomainPtr domain) {
    if (!has_mark(domain)) return;
    log::warning("a VM that was held for a moment is let go", {{"vm", virDomainGetName(domain)}});
    release(domain);
}

}  // namespace hvagent::libvirt
