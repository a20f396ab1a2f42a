#include "agent/reports/host_watch.h"

namespace hvagent::reports {
namespace {

std::string name_of(const VmEvent& event) {
    switch (event.kind) {
        case VmEventKind::rebooted_by_guest: return "VmRebootedByGuest";
        case VmEventKind::guest_agent_connected: return "VmGuestAgentConnected";
        case VmEventKind::guest_agent_disconnected: return "VmGuestAgentDisconnected";
        case VmEventKind::io_error: return "VmIoError";
        case VmEventKind::watchdog_fired: return "VmWatchdogFired";
        case VmEventKind::state: break;
    }
    // VmWatchdogFired has told of it.
    if (event.observation.reason == watchdog_reason) return "";
    return event.observation.state == VmState::crashed ? "VmCrashed" : "";
}

}  // namespace

void HostWatch::on_connected(std::vector<VmObservation> picture) {
    const std::string details = std::to_string(picture.size()) + " domains of this agent";
    next_.on_connected(std::move(picture));
    reporter_.host_event("LibvirtConnected", VmId(), details, clock_.now());
}

// Each request under way fails by itself: hundreds of equal events, of which one is news.
bool HostWatch::was_told(const VmEvent& event) {
    const VmId& vm = event.observation.vm;
    if (event.kind == VmEventKind::state && event.observation.state != VmState::paused) io_errors_.erase(vm);
    if (event.kind != VmEventKind::io_error) return false;
    std::string& told = io_errors_[vm];
    if (told == event.observation.reason) return true;
    told = event.observation.reason;
    return false;
}

void HostWatch::on_event(const VmEvent& event) {
    next_.on_event(event);
    if (was_told(event)) return;
    const std::string name = name_of(event);
    if (!name.empty()) reporter_.host_event(name, event.observation.vm, event.observation.reason, event.observation.at);
}

void HostWatch::on_disconnected(const std::string& reason) {
    reporter_.host_event("LibvirtLost", VmId(), reason, clock_.now());
    next_.on_disconnected(reason);
}

}  // namespace hvagent::reports
