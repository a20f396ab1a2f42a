#include "drivers/libvirt/domain_state.h"

#include <libvirt/libvirt.h>

#include "hvagent/drivers/vm_migration.h"

namespace hvagent::libvirt {
namespace {

std::string running_reason(int reason) {
    switch (reason) {
        case VIR_DOMAIN_RUNNING_BOOTED: return "booted";
        case VIR_DOMAIN_RUNNING_MIGRATED: return "migrated";
        case VIR_DOMAIN_RUNNING_RESTORED: return "restored";
        case VIR_DOMAIN_RUNNING_FROM_SNAPSHOT: return "from snapshot";
        case VIR_DOMAIN_RUNNING_UNPAUSED: return "resumed";
        case VIR_DOMAIN_RUNNING_MIGRATION_CANCELED: return "migration cancelled";
        case VIR_DOMAIN_RUNNING_SAVE_CANCELED: return "save cancelled";
        case VIR_DOMAIN_RUNNING_WAKEUP: return "woken up";
        case VIR_DOMAIN_RUNNING_CRASHED: return "resumed after crash";
        case VIR_DOMAIN_RUNNING_POSTCOPY: return "post-copy migration";
#if LIBVIR_VERSION_NUMBER >= 8005000
        case VIR_DOMAIN_RUNNING_POSTCOPY_FAILED: return std::string(post_copy_broke_off);
#endif
        default: return "unknown";
    }
}

StateAndReason paused(int reason) {
    switch (reason) {
        case VIR_DOMAIN_PAUSED_USER: return {VmState::paused, "user"};
        case VIR_DOMAIN_PAUSED_MIGRATION: return {VmState::paused, "migration"};
        case VIR_DOMAIN_PAUSED_SAVE: return {VmState::paused, "save"};
        case VIR_DOMAIN_PAUSED_DUMP: return {VmState::paused, "dump"};
        case VIR_DOMAIN_PAUSED_IOERROR: return {VmState::paused, std::string(io_error_reason)};
        case VIR_DOMAIN_PAUSED_WATCHDOG: return {VmState::paused, "watchdog"};
        case VIR_DOMAIN_PAUSED_FROM_SNAPSHOT: return {VmState::paused, "from snapshot"};
        // QEMU still powers off; the process is there until it has.
        case VIR_DOMAIN_PAUSED_SHUTTING_DOWN: return {VmState::running, "shutting down"};
        case VIR_DOMAIN_PAUSED_SNAPSHOT: return {VmState::paused, "snapshot"};
        case VIR_DOMAIN_PAUSED_CRASHED: return {VmState::crashed, "guest panicked"};
        case VIR_DOMAIN_PAUSED_STARTING_UP: return {VmState::paused, starting_up};
        case VIR_DOMAIN_PAUSED_POSTCOPY: return {VmState::paused, "post-copy migration"};
        case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED: return {VmState::paused, std::string(post_copy_broke_off)};
        default: return {VmState::paused, "unknown"};
    }
}

StateAndReason off(int reason) {
    switch (reason) {
        case VIR_DOMAIN_SHUTOFF_SHUTDOWN: return {VmState::stopped, "shutdown"};
        case VIR_DOMAIN_SHUTOFF_DESTROYED: return {VmState::stopped, "destroyed"};
        case VIR_DOMAIN_SHUTOFF_CRASHED: return {VmState::crashed, "crashed"};
        case VIR_DOMAIN_SHUTOFF_MIGRATED: return {VmState::stopped, "migrated"};
        case VIR_DOMAIN_SHUTOFF_SAVED: return {VmState::stopped, "saved"};
        // The start itself failed: this VM never ran, so it did not crash.
        case VIR_DOMAIN_SHUTOFF_FAILED: return {VmState::stopped, "failed to start"};
        case VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT: return {VmState::stopped, "from snapshot"};
        case VIR_DOMAIN_SHUTOFF_DAEMON: return {VmState::crashed, "daemon"};
        default: return {VmState::stopped, "unknown"};
    }
}

StateAndReason after_suspended(int detail) {
    switch (detail) {
        case VIR_DOMAIN_EVENT_SUSPENDED_PAUSED: return paused(VIR_DOMAIN_PAUSED_USER);
        case VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED: return paused(VIR_DOMAIN_PAUSED_MIGRATION);
        case VIR_DOMAIN_EVENT_SUSPENDED_IOERROR: return paused(VIR_DOMAIN_PAUSED_IOERROR);
        case VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG: return paused(VIR_DOMAIN_PAUSED_WATCHDOG);
        case VIR_DOMAIN_EVENT_SUSPENDED_RESTORED: return {VmState::paused, "restored"};
        case VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT: return paused(VIR_DOMAIN_PAUSED_FROM_SNAPSHOT);
        case VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR: return {VmState::paused, "failed call"};
        case VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY: return paused(VIR_DOMAIN_PAUSED_POSTCOPY);
        case VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED: return paused(VIR_DOMAIN_PAUSED_POSTCOPY_FAILED);
        default: return paused(VIR_DOMAIN_PAUSED_UNKNOWN);
    }
}

StateAndReason after_stopped(int detail) {
    switch (detail) {
        case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN: return off(VIR_DOMAIN_SHUTOFF_SHUTDOWN);
        case VIR_DOMAIN_EVENT_STOPPED_DESTROYED: return off(VIR_DOMAIN_SHUTOFF_DESTROYED);
        // FAILED is libvirt's word for a QEMU that went away by itself or was killed.
        case VIR_DOMAIN_EVENT_STOPPED_FAILED:
        case VIR_DOMAIN_EVENT_STOPPED_CRASHED: return off(VIR_DOMAIN_SHUTOFF_CRASHED);
        case VIR_DOMAIN_EVENT_STOPPED_MIGRATED: return off(VIR_DOMAIN_SHUTOFF_MIGRATED);
        case VIR_DOMAIN_EVENT_STOPPED_SAVED: return off(VIR_DOMAIN_SHUTOFF_SAVED);
        case VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT: return off(VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT);
        default: return off(VIR_DOMAIN_SHUTOFF_UNKNOWN);
    }
}

std::string started_reason(int detail) {
    switch (detail) {
        case VIR_DOMAIN_EVENT_STARTED_BOOTED: return running_reason(VIR_DOMAIN_RUNNING_BOOTED);
        case VIR_DOMAIN_EVENT_STARTED_MIGRATED: return running_reason(VIR_DOMAIN_RUNNING_MIGRATED);
        case VIR_DOMAIN_EVENT_STARTED_RESTORED: return running_reason(VIR_DOMAIN_RUNNING_RESTORED);
        case VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT: return running_reason(VIR_DOMAIN_RUNNING_FROM_SNAPSHOT);
        case VIR_DOMAIN_EVENT_STARTED_WAKEUP: return running_reason(VIR_DOMAIN_RUNNING_WAKEUP);
        default: return running_reason(VIR_DOMAIN_RUNNING_UNKNOWN);
    }
}

std::string resumed_reason(int detail) {
    switch (detail) {
        case VIR_DOMAIN_EVENT_RESUMED_MIGRATED: return running_reason(VIR_DOMAIN_RUNNING_MIGRATED);
        case VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT: return running_reason(VIR_DOMAIN_RUNNING_FROM_SNAPSHOT);
        case VIR_DOMAIN_EVENT_RESUMED_POSTCOPY: return running_reason(VIR_DOMAIN_RUNNING_POSTCOPY);
        default: return running_reason(VIR_DOMAIN_RUNNING_UNPAUSED);
    }
}

}  // namespace

StateAndReason state_of(int state, int reason) {
    switch (state) {
        case VIR_DOMAIN_RUNNING: return {VmState::running, running_reason(reason)};
        // Xen's word for "waiting for something"; it executes.
        case VIR_DOMAIN_BLOCKED: return {VmState::running, "blocked"};
        case VIR_DOMAIN_PAUSED: return paused(reason);
        case VIR_DOMAIN_SHUTDOWN: return {VmState::running, "shutting down"};
        case VIR_DOMAIN_SHUTOFF: return off(reason);
        case VIR_DOMAIN_CRASHED:
            return {VmState::crashed, reason == VIR_DOMAIN_CRASHED_PANICKED ? "guest panicked" : "crashed"};
        case VIR_DOMAIN_PMSUSPENDED: return {VmState::paused, "guest sleeps"};
        default: return {VmState::no_state, "unknown"};
    }
}

std::optional<StateAndReason> state_after(int event, int detail) {
    switch (event) {
        case VIR_DOMAIN_EVENT_STARTED: return StateAndReason{VmState::running, started_reason(detail)};
        case VIR_DOMAIN_EVENT_SUSPENDED: return after_suspended(detail);
        case VIR_DOMAIN_EVENT_RESUMED: return StateAndReason{VmState::running, resumed_reason(detail)};
        case VIR_DOMAIN_EVENT_STOPPED: return after_stopped(detail);
        case VIR_DOMAIN_EVENT_SHUTDOWN: return StateAndReason{VmState::running, "shutting down"};
        case VIR_DOMAIN_EVENT_PMSUSPENDED: return StateAndReason{VmState::paused, "guest sleeps"};
        case VIR_DOMAIN_EVENT_CRASHED: return StateAndReason{VmState::crashed, "guest panicked"};
        default: return std::nullopt;
    }
}

}  // namespace hvagent::libvirt
