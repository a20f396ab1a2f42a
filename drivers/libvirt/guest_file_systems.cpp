#include "drivers/libvirt/guest_file_systems.h"

#include <thread>

#include "drivers/libvirt/domain_calls.h"
#include "drivers/libvirt/domain_xml/live_definition.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr int agent_seconds = 5;
constexpr int thaw_attempts = 5;
constexpr milliseconds between_attempts(500);

bool is_connected(virDomainPtr domain) {
    return guest_agent_connected(live_xml(domain));
}

}  // namespace

bool prepare_guest_agent(virDomainPtr domain) {
    // A guest that is paused answers nothing.
    int state = VIR_DOMAIN_NOSTATE;
    if (virDomainGetState(domain, &state, nullptr, 0) < 0 || state != VIR_DOMAIN_RUNNING || !is_connected(domain))
        return false;
    // Unbounded otherwise. A thaw is a command like any other, and ends what an earlier life may have left.
    return virDomainAgentSetResponseTimeout(domain, agent_seconds, 0) == 0 && virDomainFSThaw(domain, nullptr, 0, 0) >= 0;
}

bool thaw_file_systems(virDomainPtr domain) {
    std::string reason;
    for (int attempt = 0; attempt < thaw_attempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(between_attempts);
        if (virDomainFSThaw(domain, nullptr, 0, 0) >= 0) return true;
        reason = last_error_text();
        if (virDomainIsActive(domain) != 1) return true;
    }
    log::error("the file systems of a guest may still be frozen", {{"vm", virDomainGetName(domain)}, {"error", reason}});
    return false;
}

QuietFileSystems::QuietFileSystems(virDomainPtr domain) : domain_(domain) {
    if (!prepare_guest_agent(domain_)) return;
    asked_ = true;
    quiet_ = virDomainFSFreeze(domain_, nullptr, 0, 0) >= 0;
    if (!quiet_)
        log::info("a guest's file systems could not be frozen",
                  {{"vm", virDomainGetName(domain_)}, {"error", last_error_text()}});
}

QuietFileSystems::~QuietFileSystems() {
    if (!asked_) return;
    try {
        thaw_file_systems(domain_);
    } catch (const std::exception& error) {
        log::error("the file systems of a guest may still be frozen", {{"error", error.what()}});
    }
}

}  // namespace hvagent::libvirt
