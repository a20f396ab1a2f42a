// A virtual machine as the inventory keeps it, and its states.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "hvagent/clock.h"
#include "hvagent/enum_names.h"
#include "hvagent/ids.h"
#include "hvagent/units.h"

namespace hvagent {

// The states of the wire contract (rest-conventions, section 11).
enum class VmState {
    created,
    starting,
    running,
    stopping,
    stopped,
    rebooting,
    destroying,
    destroyed,
    migrating,
    expunging,
    pausing,
    paused,
    resuming,
    volume_migrating,
    volume_recovering,
    error,
    no_state,
    unknown,
    crashed
};
template <>
struct EnumNames<VmState> {
    static constexpr auto names = enum_names<VmState>({
        {VmState::created, "Created"},
        {VmState::starting, "Starting"},
        {VmState::running, "Running"},
        {VmState::stopping, "Stopping"},
        {VmState::stopped, "Stopped"},
        {VmState::rebooting, "Rebooting"},
        {VmState::destroying, "Destroying"},
        {VmState::destroyed, "Destroyed"},
        {VmState::migrating, "Migrating"},
        {VmState::expunging, "Expunging"},
        {VmState::pausing, "Pausing"},
        {VmState::paused, "Paused"},
        {VmState::resuming, "Resuming"},
        {VmState::volume_migrating, "VolumeMigrating"},
        {VmState::volume_recovering, "VolumeRecovering"},
        {VmState::error, "Error"},
        {VmState::no_state, "NoState"},
        {VmState::unknown, "Unknown"},
        {VmState::crashed, "Crashed"},
    });
};

// What somebody decided about the VM; libvirt cannot know it.
enum class VmIntent {
    created,    // recorded only, never started: no root volume yet (strategy JustCreate)
    kept,       // an ordinary VM; whether it runs is libvirt's to say
    destroyed,  // waiting to be expunged or recovered
};
template <>
struct EnumNames<VmIntent> {
    static constexpr auto names =
        enum_names<VmIntent>({{VmIntent::created, "created"}, {VmIntent::kept, "kept"}, {VmIntent::destroyed, "destroyed"}});
};

enum class StopType { grace, cold };
template <>
struct EnumNames<StopType> {
    static constexpr auto names = enum_names<StopType>({{StopType::grace, "grace"}, {StopType::cold, "cold"}});
};

// Reasons of a VM that QEMU paused because a disk failed; with no_space there was no room for a write.
inline constexpr std::string_view io_error_reason = "I/O error";
inline constexpr std::string_view no_space_reason = "I/O error: no space";

struct Vm {
    VmId uuid;
    std::string name;
    std::string description;
    ZoneId zone;
    ClusterId cluster;
    ImageId image;  // empty once the image is expunged
    HostId host;    // empty unless the VM runs (or is paused) there
    HostId last_host;
    InstanceOfferingId offering;
    VolumeId root_volume;
    L3NetworkId default_l3;
    std::string platform = "Linux";
    std::string architecture = "x86_64";
    std::string type = "UserVm";
    std::string hypervisor_type = "KVM";
    std::string allocator_strategy;
    std::string guest_os_type;
    Bytes memory = 0;
    Bytes reserved_memory = 0;
    int cpus = 1;
    bool virtio = true;  // false: emulated disk and NIC models the guest has drivers for

    VmIntent intent = VmIntent::kept;
    // What libvirt showed last: running, paused, stopped, crashed, no_state or unknown. Written by the state
    // follower only.
    VmState observed = VmState::stopped;
    std::string observed_reason;  // libvirt's reason in words: "booted", "shutdown", "crashed", "I/O error"...
    Time observed_at{};
    std::optional<VmState> transition;  // starting, stopping...: set while a job works on the VM
    Time destroyed_at{};
    // True from a successful start until somebody stops or destroys the VM through the API: a NeverStop VM that
    // is found down while this holds is started again.
    bool should_run = false;
    // Grows with each start and each arrival from another host: whoever knows a smaller one knows an older life of the VM.
    std::int64_t epoch = 0;
    // Set while a migration away from this host is not settled: the VM may run elsewhere, so nothing starts it here and that
    // it is not seen here says nothing.
    MigrationId migration;
    // It was stopped by a shutdown of the host, in this boot and as the how manieth; 0: it was not. What was stopped last
    // comes back first.
    std::int64_t restart_order = 0;
    std::string restart_boot;
    // JSON text: what to make at the first start of a VM that was only recorded (intent created); empty otherwise.
    std::string creation_plan;

    Time created{};
    Time last_op{};

    // The state on the wire: the transition, else the intent, else what libvirt shows.
    VmState state() const {
        if (transition) return *transition;
        if (intent == VmIntent::created) return VmState::created;
        if (intent == VmIntent::destroyed) return VmState::destroyed;
        return observed;
    }
    // By QEMU, and not by somebody who wants it paused.
    bool is_paused_by_io_error() const { return state() == VmState::paused && observed_reason.starts_with(io_error_reason); }
};

struct VmNic {
    NicId uuid;
    VmId vm;
    L3NetworkId l3_network;
    std::string ip;  // empty between destroy/recover and the next start
    std::string netmask;
    std::string gateway;
    UsedIpId used_ip;
    std::string mac;  // lower case, "fa:.."
    int device_id = 0;
    std::string internal_name;  // of the tap device: "vnic1.0"
    std::string driver_type = "virtio";
    std::string state = "enable";
    int ip_version = 4;
    Time created{};
    Time last_op{};
};

struct VmCdRom {
    CdRomId uuid;
    VmId vm;
    int device_id = 0;
    ImageId iso;  // empty: no medium
    std::string iso_path;
    std::string name;
    std::string description;
    Time created{};
    Time last_op{};
};

}  // namespace hvagent
