// Disks of a VM while it runs or is paused: plugged, changed, frozen into layers, merged and copied.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hvagent/cancel.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/disk_images.h"
#include "hvagent/ids.h"
#include "hvagent/model/vm_spec.h"
#include "hvagent/units.h"

namespace hvagent {

struct LiveDisk {
    VolumeId volume;
    std::string target;              // "vda"
    std::vector<std::string> chain;  // paths, the active layer first
    DiskThrottle throttle;
    std::string block_job;  // "pull", "commit", "copy"; empty: none
};

struct LiveCdRom {
    int device_id = 0;
    std::string iso_path;  // empty: no medium
};

struct LiveDisks {
    std::vector<LiveDisk> disks;
    std::vector<LiveCdRom> cdroms;
};

struct NewLayer {
    VolumeId volume;
    std::string path;  // of the overlay that becomes the active layer; must not exist
};

struct DiskCopy {
    VolumeId volume;
    std::string target;  // an existing qcow2 file of the volume's size, without backing file
};

struct BlockJobLimits {
    Bytes bandwidth = 0;  // bytes per second; 0: none
};

// Thread-safe; deadlines and connection errors as in VmPower. Error(vm_wrong_state) when the VM neither runs nor is paused,
// Error(not_found) when it has no such disk. All but pull() and copy() return within the deadline of a call.
class VmDisks {
public:
    virtual ~VmDisks() = default;
    // nullopt: the VM is off, or not defined.
    virtual std::optional<LiveDisks> look(const VmId& vm) = 0;

    // Live, and in the definition. A volume that is there already is a success.
    virtual void attach(const VmId& vm, const DiskSpec& disk) = 0;
    // Returns when the guest has let go. Error(operation_failed) when it has not within `patience`: the disk stays. Not
    // there is a success.
    virtual void detach(const VmId& vm, const VolumeId& volume, milliseconds patience, Cancellation& cancel) = 0;
    // Changes the medium of a drive that the VM was started with. An empty path ejects. Error(operation_failed) when the
    // guest locks the tray, unless by `force`.
    virtual void change_medium(const VmId& vm, const CdRomSpec& cdrom, bool force) = 0;
    // The guest sees the new size at once. Only growth: Error(invalid_argument).
    virtual void resize(const VmId& vm, const VolumeId& volume, Bytes size) = 0;
    virtual void set_throttle(const VmId& vm, const VolumeId& volume, const DiskThrottle& throttle) = 0;

    // Freezes the active layers under new ones, all of them or none. Returns whether the guest's file systems were quiet
    // (thawed again whatever happens); without a guest agent the layers are as after a power cut. A volume whose active
    // layer is at its new path already is left alone.
    virtual bool freeze_layers(const VmId& vm, const std::vector<NewLayer>& layers) = 0;

    // Copies everything between the active layer and `base` (a path of its chain; empty: the whole chain) into the active
    // layer, which then lies on `base`. A job of an earlier life of the daemon is waited for. Cancelled: the chain is as it
    // was. The layers in between are not removed.
    virtual void pull(const VmId& vm, const VolumeId& volume, const std::string& base, const BlockJobLimits& limits,
                      const ProgressPercent& progress, Cancellation& cancel) = 0;
    // Copies disks of one moment, as the guest has them then, into files that stand alone; the VM goes on with its own.
    // Returns whether the file systems were quiet at that moment. After an error no job is left; the files are the caller's.
    virtual bool copy(const VmId& vm, const std::vector<DiskCopy>& copies, const BlockJobLimits& limits,
                      const ProgressPercent& progress, Cancellation& cancel) = 0;
    // Ends block jobs that an earlier life of the daemon left on the volume, without effect on its chain.
    virtual void abort_block_job(const VmId& vm, const VolumeId& volume) = 0;
    // Lets CPUs run and file systems thaw that freeze_layers() or copy() held for a moment, where libvirt was lost in it or
    // the daemon died. Off, or nothing held: a success. Error(...) when the guest does not confirm it: to be tried again.
    virtual void let_go(const VmId& vm) = 0;
};

}  // namespace hvagent
