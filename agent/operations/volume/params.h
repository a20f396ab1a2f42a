// The parameters of the volume operations. Members carry the defaults.
#pragma once
#include <optional>
#include <string>

#include "agent/api/operation.h"
#include "agent/operations/rows.h"
#include "hvagent/ids.h"
#include "hvagent/units.h"

namespace hvagent::operations {

struct OnVolume {  // operations that take nothing but the volume
    VolumeId volume;
};

struct CreateDataVolume {
    VolumeId uuid;
    std::string name;
    std::string description;
    DiskOfferingId offering;
    Bytes size = 0;
    PrimaryStorageId storage;
    api::Tags tags;
};

struct CreateFromTemplate {
    VolumeId uuid;
    std::string name;
    std::string description;
    ImageId image;
    PrimaryStorageId storage;
    HostId host;
    api::Tags tags;
};

struct CreateFromSnapshot {
    VolumeId uuid;
    std::string name;
    std::string description;
    SnapshotId snapshot;
    PrimaryStorageId storage;
    api::Tags tags;
};

struct DeleteVolume {
    VolumeId volume;
    std::string delete_mode = "Permissive";
};

struct ChangeVolumeState {
    VolumeId volume;
    StateEvent event = StateEvent::enable;
};

struct UpdateVolume {
    VolumeId volume;
    std::optional<std::string> name;
    std::optional<std::string> description;
};

struct ResizeVolume {
    VolumeId volume;
    VmId vm;
    Bytes size = 0;
};

struct AttachVolume {
    VolumeId volume;
    VmId vm;
};

struct DetachVolume {
    VolumeId volume;
    VmId vm;
};

struct VolumesForVm {
    VmId vm;
};

// What a limit speaks about; `all` and `overwrite` only where limits are lifted.
enum class ThrottleMode { total, read, write, all, overwrite };

struct SetVolumeThrottle {
    VolumeId volume;
    std::optional<ThrottleMode> mode;
    std::optional<std::int64_t> bandwidth;  // in the direction of `mode`
    std::optional<std::int64_t> read_bandwidth;
    std::optional<std::int64_t> write_bandwidth;
    std::optional<std::int64_t> total_bandwidth;
    std::optional<std::int64_t> read_iops;
    std::optional<std::int64_t> write_iops;
    std::optional<std::int64_t> total_iops;
};

struct GetVolumeThrottle {
    VolumeId volume;
    bool force_sync = false;
};

struct DeleteVolumeThrottle {
    VolumeId volume;
    std::optional<ThrottleMode> mode;
};

}  // namespace hvagent::operations

template <>
struct hvagent::EnumNames<hvagent::operations::ThrottleMode> {
    using M = hvagent::operations::ThrottleMode;
    static constexpr auto names = hvagent::enum_names<M>(
        {{M::total, "total"}, {M::read, "read"}, {M::write, "write"}, {M::all, "all"}, {M::overwrite, "overwrite"}});
};
