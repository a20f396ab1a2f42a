// Images, volumes, and the storages that hold them.
#pragma once
#include <optional>
#include <string>

#include "hvagent/clock.h"
#include "hvagent/enum_names.h"
#include "hvagent/ids.h"
#include "hvagent/model/vm_spec.h"
#include "hvagent/units.h"

namespace hvagent {

enum class MediaType { root_volume_template, iso, data_volume_template };
template <>
struct EnumNames<MediaType> {
    static constexpr auto names = enum_names<MediaType>({{MediaType::root_volume_template, "RootVolumeTemplate"},
                                                         {MediaType::iso, "ISO"},
                                                         {MediaType::data_volume_template, "DataVolumeTemplate"}});
};

enum class ImageStatus { creating, downloading, ready, error, deleted };
template <>
struct EnumNames<ImageStatus> {
    static constexpr auto names = enum_names<ImageStatus>({{ImageStatus::creating, "Creating"},
                                                           {ImageStatus::downloading, "Downloading"},
                                                           {ImageStatus::ready, "Ready"},
                                                           {ImageStatus::error, "Error"},
                                                           {ImageStatus::deleted, "Deleted"}});
};

enum class EnabledState { enabled, disabled };
template <>
struct EnumNames<EnabledState> {
    static constexpr auto names =
        enum_names<EnabledState>({{EnabledState::enabled, "Enabled"}, {EnabledState::disabled, "Disabled"}});
};

struct Image {
    ImageId uuid;
    std::string name;
    std::string description;
    EnabledState state = EnabledState::enabled;
    ImageStatus status = ImageStatus::downloading;
    Bytes size = 0;         // virtual
    Bytes actual_size = 0;  // of the stored file
    std::string md5;
    std::string url;  // as given to AddImage
    MediaType media_type = MediaType::root_volume_template;
    std::string guest_os_type;
    std::string type = "zstack";
    std::string platform = "Linux";
    std::string architecture = "x86_64";
    std::string format = "qcow2";  // of the stored file: qcow2, raw or iso
    bool system = false;
    bool virtio = true;
    Time deleted_at{};  // while Deleted
    Time created{};
    Time last_op{};
};

// Where an image lies on a backup storage.
struct ImageRef {
    std::string uuid;  // "<image>-<backup storage>": internal key
    ImageId image;
    BackupStorageId backup_storage;
    std::string install_path;
    ImageStatus status = ImageStatus::downloading;
    Time created{};
    Time last_op{};
};

enum class VolumeType { root, data };
template <>
struct EnumNames<VolumeType> {
    static constexpr auto names = enum_names<VolumeType>({{VolumeType::root, "Root"}, {VolumeType::data, "Data"}});
};

enum class VolumeStatus { creating, ready, not_instantiated, deleted };
template <>
struct EnumNames<VolumeStatus> {
    static constexpr auto names = enum_names<VolumeStatus>({{VolumeStatus::creating, "Creating"},
                                                            {VolumeStatus::ready, "Ready"},
                                                            {VolumeStatus::not_instantiated, "NotInstantiated"},
                                                            {VolumeStatus::deleted, "Deleted"}});
};

struct Volume {
    VolumeId uuid;
    std::string name;
    std::string description;
    PrimaryStorageId primary_storage;  // empty while NotInstantiated
    VmId vm;                           // empty: not attached
    VmId last_vm;
    DiskOfferingId disk_offering;
    ImageId root_image;
    std::string install_path;  // absolute path of the active layer; empty while NotInstantiated
    VolumeType type = VolumeType::data;
    std::string format = "qcow2";
    Bytes size = 0;                // virtual
    Bytes actual_size = 0;         // allocated on disk
    std::optional<int> device_id;  // 0 is the root volume's
    EnabledState state = EnabledState::enabled;
    VolumeStatus status = VolumeStatus::not_instantiated;
    bool shareable = false;
    DiskThrottle throttle;
    Time last_attached{};
    Time last_detached{};
    Time deleted_at{};  // while Deleted
    Time created{};
    Time last_op{};
};

// A shareable volume's place at one VM.
struct ShareableVolumeRef {
    std::string uuid;
    VolumeId volume;
    VmId vm;
    int device_id = 0;
    Time created{};
    Time last_op{};
};

enum class SnapshotStatus { creating, ready, deleting };
template <>
struct EnumNames<SnapshotStatus> {
    static constexpr auto names = enum_names<SnapshotStatus>(
        {{SnapshotStatus::creating, "Creating"}, {SnapshotStatus::ready, "Ready"}, {SnapshotStatus::deleting, "Deleting"}});
};

// A layer of a volume that nobody writes to any more.
struct VolumeSnapshot {
    SnapshotId uuid;
    std::string name;
    std::string description;
    std::string type = "Storage";
    VolumeId volume;
    SnapshotTreeId tree;
    SnapshotId parent;  // empty: the first of its tree
    PrimaryStorageId primary_storage;
    std::string install_path;  // the frozen layer
    VolumeType volume_type = VolumeType::root;
    std::string format = "qcow2";
    bool latest = true;  // what is written now lies directly on it
    Bytes size = 0;      // allocated by the frozen layer
    int distance = 1;    // from the first of its tree, which has 1
    EnabledState state = EnabledState::enabled;
    SnapshotStatus status = SnapshotStatus::creating;
    std::string group;       // of snapshots taken at one moment; empty: alone
    Bytes virtual_size = 0;  // what a revert gives the volume
    Time created{};
    Time last_op{};
};

struct SnapshotTree {
    SnapshotTreeId uuid;
    VolumeId volume;
    bool current = true;  // the volume's active layer lies on it
    std::string status = "Completed";
    Time created{};
    Time last_op{};
};

enum class SchedulerType { simple, cron };
template <>
struct EnumNames<SchedulerType> {
    static constexpr auto names =
        enum_names<SchedulerType>({{SchedulerType::simple, "simple"}, {SchedulerType::cron, "cron"}});
};

// Something to be done to a resource at times.
struct Scheduler {
    SchedulerId uuid;
    std::string target;  // uuid
    std::string name;
    std::string description;
    std::string job;       // "createVolumeSnapshot"
    std::string job_data;  // JSON text: parameters of the job
    SchedulerType type = SchedulerType::simple;
    int interval = 0;      // seconds; of type simple
    int repeat_count = 0;  // 0: for ever
    std::string cron;      // Quartz expression; of type cron
    Time start{};
    Time stop{};
    EnabledState state = EnabledState::enabled;
    int fired = 0;
    Time last_fired{};
    Time created{};
    Time last_op{};
};

enum class ConnectionStatus { connecting, connected, disconnected };
template <>
struct EnumNames<ConnectionStatus> {
    static constexpr auto names = enum_names<ConnectionStatus>({{ConnectionStatus::connecting, "Connecting"},
                                                                {ConnectionStatus::connected, "Connected"},
                                                                {ConnectionStatus::disconnected, "Disconnected"}});
};

inline constexpr const char* local_storage = "LocalStorage";
inline constexpr const char* shared_mount_point = "SharedMountPoint";  // other hosts keep files in the directory as well

struct PrimaryStorage {
    PrimaryStorageId uuid;
    ZoneId zone;
    std::string name;
    std::string description;
    std::string url;                   // the directory
    std::string type = local_storage;  // or shared_mount_point
    std::string state = "Enabled";
    ConnectionStatus status = ConnectionStatus::connected;
    Bytes total_capacity = 0;  // promised figures: thin volumes count with their virtual size
    Bytes available_capacity = 0;
    Bytes total_physical = 0;
    Bytes available_physical = 0;
    Time created{};
    Time last_op{};
};

struct BackupStorage {
    BackupStorageId uuid;
    std::string name;
    std::string description;
    std::string url;
    std::string type = "ImageStoreBackupStorage";
    std::string hostname;
    std::string username;
    int ssh_port = 22;
    Bytes total_capacity = 0;
    Bytes available_capacity = 0;
    EnabledState state = EnabledState::enabled;
    ConnectionStatus status = ConnectionStatus::connected;
    Time created{};
    Time last_op{};
};

}  // namespace hvagent
