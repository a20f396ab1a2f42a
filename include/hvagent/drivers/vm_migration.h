// Moves of a running VM to another host, and what each side's libvirt says about them.
//
// libvirt moves the VM; what a move came to is never taken from how migrate() ended: after any end the caller asks truth()
// on both hosts.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hvagent/cancel.h"
#include "hvagent/clock.h"
#include "hvagent/ids.h"
#include "hvagent/model/vm.h"
#include "hvagent/units.h"

namespace hvagent {

// Where things of a VM are at the destination, as far as they differ from the source.
struct MigrationPlaces {
    struct Nic {
        std::string mac;          // which NIC
        std::string network;      // libvirt network, or
        std::string bridge;       // an existing bridge; exactly one of the two is set
        std::string target_name;  // of the tap device; empty: libvirt's choice
    };
    // File at the source -> file at the destination: disks, their layers, ISOs, the serial log. Others stay where they are.
    std::map<std::string, std::string> paths;
    std::vector<Nic> nics;
    std::string host_uuid;  // for the owner's mark; empty: as at the source

    bool empty() const { return paths.empty() && nics.empty() && host_uuid.empty(); }
};

struct MigrationWay {
    std::string destination_uri;  // libvirt of the destination, as the source's libvirtd reaches it
    std::string source_uri;       // libvirt of the source when the destination drives; empty: this host's
    std::string migrate_address;  // where the stream arrives at the destination; empty: what its libvirt says
    bool tls = false;             // of the stream, memory and disks
    // Volumes whose active layer is copied into a file that exists at the destination; all others are shared.
    std::vector<VolumeId> copied;
    MigrationPlaces places;
    Bytes bandwidth = 0;             // per second, of memory and all disks together; 0: no limit
    milliseconds max_downtime{300};  // to begin with; the judge changes it
    bool auto_converge = true;
    bool post_copy = false;  // allowed; started by the judge's order only
    bool compressed = false;
    int parallel_connections = 0;  // of the memory's stream; 0: one plain connection
};

enum class MigrationPhase { preparing, copying_disks, copying_memory, post_copy };

// A move as it stands now.
struct MigrationSight {
    MigrationPhase phase = MigrationPhase::preparing;
    milliseconds elapsed{0};
    Bytes disk_total = 0;
    Bytes disk_done = 0;
    Bytes memory_total = 0;
    Bytes memory_done = 0;
    Bytes memory_remaining = 0;
    Bytes bytes_per_second = 0;    // sent, of memory
    Bytes dirtied_per_second = 0;  // by the guest; known after the first iteration
    int iteration = 0;             // passes over the memory that began; 0: none yet
    bool new_iteration = false;    // began since the last sight
    milliseconds expected_downtime{0};
    int throttle_percent = 0;  // of the guest, by auto-converge
};

struct MigrationOrder {
    enum class What { go_on, set_max_downtime, start_post_copy, pause_guest, abort };
    What what = What::go_on;
    milliseconds max_downtime{0};  // of set_max_downtime
    std::string reason;            // of abort: text of the error; of the others: for the log
};

// Decides how a move goes on. Called from one thread at a time, at each iteration and a few times a second.
class MigrationJudge {
public:
    virtual ~MigrationJudge() = default;
    virtual MigrationOrder judge(const MigrationSight& sight) = 0;
};

// Zero where libvirt did not say.
struct MigrationResult {
    milliseconds total{0};
    milliseconds downtime{0};
    Bytes transferred = 0;
    int iterations = 0;
    bool post_copied = false;
    bool paused_to_converge = false;
};

struct MigrationTruth {
    VmState state = VmState::stopped;  // running, paused, stopped, crashed, no_state
    std::string reason;          // libvirt's, in words: "migrating", "migrated", "post-copy failed", "user"...; see vm.h
    bool defined = false;        // persistently
    bool active = false;         // has a QEMU, whatever that does
    bool migrating_out = false;  // libvirt works on a move from here
    bool migrating_in = false;   // to here

    bool is_absent() const { return !defined && !active; }
};

// What a running VM asks of a host; strings only, to be sent to the destination.
struct GuestNeeds {
    std::string virt_type;     // "kvm" or "qemu"
    std::string architecture;  // "x86_64"
    std::string machine;       // "pc-q35-7.2", never an alias
    std::string cpu;           // <cpu>, as it must be at the destination
    std::string nvram;  // file of the UEFI's variables, at both ends; empty: none. libvirt makes the destination's and
                        // QEMU fills it; neither removes one that is not needed any more.
};

// The reason of a VM whose memory is on both hosts, and whose stream is broken; as libvirt of either end has noticed it.
inline constexpr std::string_view post_copy_broke_off = "post-copy migration failed";

// Thread-safe. Deadlines and connection errors as in VmPower, but for migrate().
class VmMigration {
public:
    virtual ~VmMigration() = default;
    // Moves a running or paused VM and returns when libvirt calls it done; the source then has neither VM nor definition.
    // Where a move from the source goes on already (an earlier life of the daemon began it) it is followed instead, with
    // its own way and limits. Throws
    //   Error(job_cancelled)    within a second or two of a cancellation: the move is aborted and over. But while the daemon
    //                           stops (CancelReason::stopping) it goes on, to be followed by the next life; and in post-copy
    //                           a cancellation comes too late and is not heard;
    //   Error(vm_migrate)       when the judge ordered an abort, with the judge's reason;
    //   Error(host_connection)  when libvirt went away meanwhile: the move may go on, succeed or fail without us;
    //   Error(timeout)          when libvirt did not obey an abort within seconds: likewise;
    //   Error(operation_failed) and others with libvirt's text.
    virtual MigrationResult migrate(const VmId& vm, const MigrationWay& way, MigrationJudge& judge,
                                    Cancellation& cancel) = 0;
    virtual MigrationTruth truth(const VmId& vm) = 0;
    // Ends a move from or to this host; the one that runs at the source goes on there. No move is a success. A move in
    // post-copy cannot be ended: Error(operation_failed).
    virtual void abort(const VmId& vm) = 0;
    // After the move, at the destination: the mark names this host, live and in the definition. QEMU itself has announced
    // the NICs to the switches by then.
    virtual void adopt(const VmId& vm, const std::string& host_uuid) = 0;

    virtual GuestNeeds needs_of(const VmId& vm) = 0;
    // At the destination: sentences that say what this host lacks (CPU features by libvirt's comparison, the machine type,
    // KVM); none: it can run the VM.
    virtual std::vector<std::string> misfits(const GuestNeeds& needs) = 0;
    // At the source: sentences that say what of the VM cannot move (host devices...).
    virtual std::vector<std::string> obstacles(const VmId& vm) = 0;
    // At the source, of a guest whose memory is on both hosts since its stream broke: begins to send the rest, as `way`
    // says, and returns. While that goes on, and when libvirt of before 8.5 cannot, nothing is done; how it ends shows in
    // truth().
    virtual void resume_post_copy(const VmId& vm, const MigrationWay& way) = 0;
    // Why the libvirt behind a MigrationWay's URI does not let us in, within seconds: no route, not listening, certificates
    // that do not fit; nullopt: it does.
    virtual std::optional<std::string> why_unreachable(const std::string& uri) = 0;
};

}  // namespace hvagent
