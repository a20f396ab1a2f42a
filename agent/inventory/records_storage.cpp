#include "agent/inventory/records.h"

namespace hvagent::inventory {

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
                                             .dates()
                                             .index({"name"})
                                             .index({"vmInstanceUuid"})
                                             .index({"primaryStorageUuid"})
                                             .index({"rootImageUuid"})
                                             .index({"diskOfferingUuid"});
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
