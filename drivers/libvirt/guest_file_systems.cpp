#include "drivers/libvirt/guest_file_systems.h"

#include <thread>

#include "drivers/libvirt/domain_calls.h"
#include "drivers/libvirt/domain_xml/live_definition.h"
#include "drivers/libvirt/holds.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr int agent_seconds = 5;
constexpr int thaw_attempts = 5;
constexpr milliseconds between_attempts(500);

bool is_connected(virDomainPtr domain) {
    return guest_agent_connected(live_xml(domain));
}

bool thaw_once(virDomainPtr domain) {
    if (virDomainFSThaw(domain, nullptr, 0, 0) < 0) return false;
    if (has_hold(domain, Hold::file_systems)) unmark_hold(domain, Hold::file_systems);
    return true;
}

}  // namespace

bool prepare_guest_agent(virDomainPtr domain) {
    // A guest that is paused answers nothing.
    if (state_of(domain) != VIR_DOMAIN_RUNNING || !is_connected(domain)) return false;
    // Unbounded otherwise. A thaw is a command like any other, and ends what an earlier life may have left.
    return virDomainAgentSetResponseTimeout(domain, agent_seconds, 0) == 0 && thaw_once(domain);
}

bool mark_as_quiet(virDomainPtr domain) {
    if (mark_hold(domain, Hold::file_systems) == 0) return true;
    log::info("a guest's file systems are not frozen: it cannot be marked",
              {{"vm", virDomainGetName(domain)}, {"error", last_error_text()}});
    return false;
}

bool thaw_file_systems(virDomainPtr domain) {
    std::string reason;
    for (int attempt = 0; attempt < thaw_attempts; ++attempt) {
        if (attempt > 0) std::this_thread::sleep_for(between_attempts);
        if (thaw_once(domain)) return true;
        reason = last_error_text();
        const int active = virDomainIsActive(domain);
        if (active == 0) return true;
        if (active < 0) break;  // libvirt is gone
    }
    log::error("the file systems of a guest may still be frozen", {{"vm", virDomainGetName(domain)}, {"error", reason}});
    return false;
}

void thaw_marked_file_systems(virDomainPtr domain, const std::string& what) {
    if (!has_hold(domain, Hold::file_systems)) return;
    if (state_of(domain) == VIR_DOMAIN_PAUSED)
        throw Error(Code::vm_wrong_state, what + ": its file systems may be frozen, and a paused guest cannot thaw them");
    log::warning("file systems that were frozen for a moment are thawed", {{"vm", virDomainGetName(domain)}});
    checked(virDomainAgentSetResponseTimeout(domain, agent_seconds, 0), what);
    if (!thaw_once(domain)) throw_last_error(what);
}

QuietFileSystems::QuietFileSystems(virDomainPtr domain) : domain_(domain) {
    if (!prepare_guest_agent(domain_) || !mark_as_quiet(domain_)) return;
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
