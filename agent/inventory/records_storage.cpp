#include "agent/inventory/records.h"

#include <array>
#include <sstream>

namespace hvagent::inventory {

// "total=1048576,readIops=100": what is limited, and by how much.
template <>
struct SqlType<DiskThrottle> {
    using Member = std::pair<const char*, std::int64_t DiskThrottle::*>;
    static constexpr std::array<Member, 6> members{{{"total", &DiskThrottle::total_bandwidth},
                                                    {"read", &DiskThrottle::read_bandwidth},
                                                    {"write", &DiskThrottle::write_bandwidth},
                                                    {"totalIops", &DiskThrottle::total_iops},
                                                    {"readIops", &DiskThrottle::read_iops},
                                                    {"writeIops", &DiskThrottle::write_iops}}};
    static SqlValue store(const DiskThrottle& value) {
        std::string text;
        for (const auto& [name, member] : members)
            if (value.*member > 0)
                text += (text.empty() ? "" : ",") + std::string(name) + "=" + std::to_string(value.*member);
        return SqlType<std::string>::store(text);
    }
    static void load(DiskThrottle& value, const SqlRow& row, int column) {
        value = {};
        std::istringstream text(row.text(column));
        for (std::string part; std::getline(text, part, ',');)
            for (const auto& [name, member] : members)
                if (part.starts_with(std::string(name) + "=")) value.*member = std::stoll(part.substr(part.find('=') + 1));
    }
    static Column column() { return {}; }
};

template <>
const Record<Image>& record_of<Image>() {
    static const Record<Image> record = Record<Image>("Image", "image")
                                            .wire("name", &Image::name)
                                            .wire("description", &Image::description)
                                            .wire("state", &Image::state)
                                            .wire("status", &Image::status)
                                            .wire("size", &Image::size, "bytes the guest sees")
                                            .wire("actualSize", &Image::actual_size, "bytes of the stored file")
                                            .wire("md5Sum", &Image::md5)
                                            .wire("url", &Image::url)
                                            .wire("mediaType", &Image::media_type)
                                            .wire("guestOsType", &Image::guest_os_type)
                                            .wire("type", &Image::type)
                                            .wire("platform", &Image::platform)
                                            .wire("architecture", &Image::architecture)
                                            .wire("format", &Image::format)
                                            .wire("system", &Image::system)
                                            .wire("virtio", &Image::virtio)
                                            .internal("deleted_at", &Image::deleted_at)
                                            .dates()
                                            .index({"name"})
                                            .index({"status"});
    return record;
}

template <>
const Record<ImageRef>& record_of<ImageRef>() {
    static const Record<ImageRef> record = Record<ImageRef>("ImageBackupStorageRef", "image_ref", false)
                                               .wire("imageUuid", &ImageRef::image)
                                               .wire("backupStorageUuid", &ImageRef::backup_storage)
                                               .wire("installPath", &ImageRef::install_path)
                                               .wire("status", &ImageRef::status)
                                               .dates()
                                               .index({"imageUuid"})
                                               .index({"backupStorageUuid"});
    return record;
}

template <>
const Record<Volume>& record_of<Volume>() {
    static const Record<Volume> record = Record<Volume>("Volume", "volume")
                                             .wire("name", &Volume::name)
                                             .wire("description", &Volume::description)
                                             .wire("primaryStorageUuid", &Volume::primary_storage)
                                             .wire("vmInstanceUuid", &Volume::vm, "absent while detached")
                                             .wire("lastVmInstanceUuid", &Volume::last_vm)
                                             .wire("diskOfferingUuid", &Volume::disk_offering)
                                             .wire("rootImageUuid", &Volume::root_image)
                                             .wire("installPath", &Volume::install_path)
                                             .wire("type", &Volume::type)
                                             .wire("format", &Volume::format)
                                             .wire("size", &Volume::size, "bytes the guest sees")
                                             .wire("actualSize", &Volume::actual_size, "bytes allocated on disk")
                                             .wire("deviceId", &Volume::device_id, "0 is the root volume")
                                             .wire("state", &Volume::state)
                                             .wire("status", &Volume::status)
                                             .wire("isShareable", &Volume::shareable)
                                             .wire("volumeQos", &Volume::throttle, "limits: total=<bytes/s>,...")
                                             .wire("lastAttachDate", &Volume::last_attached)
                                             .wire("lastDetachDate", &Volume::last_detached)
                                             .internal("deleted_at", &Volume::deleted_at)
                                             .dates()
                                             .index({"name"})
                                             .index({"vmInstanceUuid"})
                                             .index({"primaryStorageUuid"})
                                             .index({"rootImageUuid"})
                                             .index({"diskOfferingUuid"});
    return record;
}

template <>
const Record<ShareableVolumeRef>& record_of<ShareableVolumeRef>() {
    static const Record<ShareableVolumeRef> record =
        Record<ShareableVolumeRef>("ShareableVolumeVmInstanceRef", "shareable_volume_ref")
            .wire("volumeUuid", &ShareableVolumeRef::volume)
            .wire("vmInstanceUuid", &ShareableVolumeRef::vm)
            .wire("deviceId", &ShareableVolumeRef::device_id)
            .dates()
            .index({"volumeUuid"})
            .index({"vmInstanceUuid"});
    return record;
}

template <>
const Record<VolumeSnapshot>& record_of<VolumeSnapshot>() {
    static const Record<VolumeSnapshot> record =
        Record<VolumeSnapshot>("VolumeSnapshot", "volume_snapshot")
            .wire("name", &VolumeSnapshot::name)
            .wire("description", &VolumeSnapshot::description)
            .wire("type", &VolumeSnapshot::type)
            .wire("volumeUuid", &VolumeSnapshot::volume)
            .wire("treeUuid", &VolumeSnapshot::tree)
            .wire("parentUuid", &VolumeSnapshot::parent, "absent: the first of its tree")
            .wire("primaryStorageUuid", &VolumeSnapshot::primary_storage)
            .wire("primaryStorageInstallPath", &VolumeSnapshot::install_path)
            .wire("volumeType", &VolumeSnapshot::volume_type)
            .wire("format", &VolumeSnapshot::format)
            .wire("latest", &VolumeSnapshot::latest, "what is written now lies directly on it")
            .wire("size", &VolumeSnapshot::size, "bytes allocated on disk by this layer")
            .wire("distance", &VolumeSnapshot::distance, "from the first of its tree, which has 1")
            .wire("state", &VolumeSnapshot::state)
            .wire("status", &VolumeSnapshot::status)
            .wire("groupUuid", &VolumeSnapshot::group, "of snapshots taken at one moment")
            .identity()
            .internal("virtual_size", &VolumeSnapshot::virtual_size)
            .dates()
            .index({"volumeUuid"})
            .index({"treeUuid"})
            .index({"parentUuid"});
    return record;
}

template <>
const Record<SnapshotTree>& record_of<SnapshotTree>() {
    static const Record<SnapshotTree> record = Record<SnapshotTree>("VolumeSnapshotTree", "volume_snapshot_tree")
                                                   .wire("volumeUuid", &SnapshotTree::volume)
                                                   .wire("current", &SnapshotTree::current, "the volume lies on it")
                                                   .wire("status", &SnapshotTree::status)
                                                   .dates()
                                                   .index({"volumeUuid"});
    return record;
}

template <>
const Record<Scheduler>& record_of<Scheduler>() {
    static const Record<Scheduler> record = Record<Scheduler>("Scheduler", "scheduler")
                                                .wire("targetResourceUuid", &Scheduler::target)
                                                .identity()
                                                .wire("schedulerName", &Scheduler::name)
                                                .wire("schedulerDescription", &Scheduler::description)
                                                .wire("schedulerJob", &Scheduler::job)
                                                .wire("schedulerType", &Scheduler::type)
                                                .wire("schedulerInterval", &Scheduler::interval, "seconds")
                                                .absent_when_zero()
                                                .wire("repeatCount", &Scheduler::repeat_count, "absent: for ever")
                                                .absent_when_zero()
                                                .wire("cronScheduler", &Scheduler::cron)
                                                .wire("startTime", &Scheduler::start)
                                                .wire("stopTime", &Scheduler::stop)
                                                .wire("state", &Scheduler::state)
                                                .internal("job_data", &Scheduler::job_data)
                                                .internal("fired", &Scheduler::fired)
                                                .internal("last_fired", &Scheduler::last_fired)
                                                .dates()
                                                .index({"targetResourceUuid"});
    return record;
}

template <>
const Record<PrimaryStorage>& record_of<PrimaryStorage>() {
    static const Record<PrimaryStorage> record =
        Record<PrimaryStorage>("PrimaryStorage", "primary_storage")
            .wire("zoneUuid", &PrimaryStorage::zone)
            .wire("name", &PrimaryStorage::name)
            .wire("description", &PrimaryStorage::description)
            .wire("url", &PrimaryStorage::url)
            .wire("type", &PrimaryStorage::type)
            .wire("state", &PrimaryStorage::state)
            .wire("status", &PrimaryStorage::status)
            .wire("totalCapacity", &PrimaryStorage::total_capacity, "bytes")
            .wire("availableCapacity", &PrimaryStorage::available_capacity, "bytes not promised")
            .wire("totalPhysicalCapacity", &PrimaryStorage::total_physical, "bytes")
            .wire("availablePhysicalCapacity", &PrimaryStorage::available_physical, "bytes free on disk")
            .dates();
    return record;
}

template <>
const Record<BackupStorage>& record_of<BackupStorage>() {
    static const Record<BackupStorage> record = Record<BackupStorage>("BackupStorage", "backup_storage")
                                                    .wire("name", &BackupStorage::name)
                                                    .wire("description", &BackupStorage::description)
                                                    .wire("url", &BackupStorage::url)
                                                    .wire("type", &BackupStorage::type)
                                                    .wire("hostname", &BackupStorage::hostname)
                                                    .wire("username", &BackupStorage::username)
                                                    .wire("sshPort", &BackupStorage::ssh_port)
                                                    .wire("totalCapacity", &BackupStorage::total_capacity, "bytes")
                                                    .wire("availableCapacity", &BackupStorage::available_capacity, "bytes")
                                                    .wire("state", &BackupStorage::state)
                                                    .wire("status", &BackupStorage::status)
                                                    .dates();
    return record;
}

}  // namespace hvagent::inventory
