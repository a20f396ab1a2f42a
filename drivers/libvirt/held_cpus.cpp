#include "drivers/libvirt/held_cpus.h"

#include <thread>

#include "drivers/libvirt/holds.h"
#include "hvagent/clock.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr int attempts = 5;
constexpr milliseconds between_attempts(500);

bool release(virDomainPtr domain) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(between_attempts);
        const bool resumed = virDomainResume(domain) == 0;
        const int state = resumed ? VIR_DOMAIN_RUNNING : state_of(domain);
        if (state == VIR_DOMAIN_NOSTATE) break;  // libvirt is gone
        if (state == VIR_DOMAIN_PAUSED) continue;
        unmark_hold(domain, Hold::cpus);
        return true;
    }
    log::error("a VM stays paused for now that was held for a moment only", {{"vm", virDomainGetName(domain)}});
    return false;
}

}  // namespace

HeldCpus::HeldCpus(virDomainPtr domain) : domain_(domain) {
    if (state_of(domain) != VIR_DOMAIN_RUNNING) return;
    checked(mark_hold(domain, Hold::cpus), "mark the VM as held");
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

bool release_held_cpus(virDomainPtr domain) {
    if (!has_hold(domain, Hold::cpus)) return true;
    log::warning("a VM that was held for a moment is let go", {{"vm", virDomainGetName(domain)}});
    return release(domain);
}

}  // namespace hvagent::libvirt
