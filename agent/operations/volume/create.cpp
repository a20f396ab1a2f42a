// Data volumes come into being: empty, from a template, from a snapshot. When a step fails nothing of it stays.
#include "agent/operations/storage/layout.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/vm/new_vm.h"
#include "agent/operations/vm/tags.h"
#include "agent/operations/volume/handlers.h"
#include "hvagent/flow.h"

namespace hvagent::operations {
namespace {

constexpr const char* shareable_tag = "ephemeral::shareable";
constexpr Bytes sector = 512;

[[noreturn]] void fail(const std::string& details) {
    throw Error(Code::operation_failed, details);
}
[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

// Takes what is said for this call only; the rest is stored.
bool take_shareable(api::Tags& tags) {
    return std::erase(tags.system, shareable_tag) > 0;
}

void refuse_shareable(const api::Tags& tags, const std::string& why) {
    if (has_tag(tags.system, shareable_tag)) refuse(std::string("system tag '") + shareable_tag + "': " + why);
}

Volume start_record(const VolumeId& uuid, const std::string& name, const std::string& description) {
    Volume volume;
    volume.uuid = uuid;
    volume.name = name;
    volume.description = description;
    return volume;
}

void record(Services& services, const Volume& volume, const api::Tags& tags) {
    services.inventory.transaction([&] {
        services.inventory.insert(volume);
        add_tags(services, "Volume", volume.uuid.str(), tags);
    });
}

Bytes choose_size(Services& services, const CreateDataVolume& params) {
    Bytes size = params.size;
    if (!params.offering.empty()) {
        const auto offering = services.inventory.get<DiskOffering>(params.offering);
        if (offering.state != EnabledState::enabled) fail("the disk offering " + offering.name + " is Disabled");
        size = offering.disk_size;
    }
    if (size == 0) refuse("parameter 'diskOfferingUuid' or 'diskSize' must say how large the volume shall be");
    if (size > services.settings.image_max_size)
        refuse("parameter 'diskSize': " + human_size(size) + " is more than the largest volume, " +
               human_size(services.settings.image_max_size));
    return (size + sector - 1) / sector * sector;  // disks consist of whole sectors
}

Volume design(Services& services, const CreateDataVolume& params, bool shareable) {
    Volume volume = start_record(params.uuid, params.name, params.description);
    volume.disk_offering = params.offering;
    volume.size = choose_size(services, params);
    volume.shareable = shareable;
    // QEMU lets nobody share a qcow2 file: its metadata has one writer.
    if (shareable) volume.format = "raw";
    return volume;
}

// `make` fills the recorded volume; called again after a restart.
json create_with_file(Services& services, Job& job, const VolumeId& uuid, const std::function<void()>& record_it,
                      const std::function<void()>& make) {
    Flow(job)
        .step(
            "record the volume",
            [&] {
                if (!services.inventory.find<Volume>(uuid)) record_it();
            },
            [&] { services.inventory.remove<Volume>(uuid); })
        .step("make its file", make,
              [&] {
                  if (const auto volume = services.inventory.find<Volume>(uuid)) remove_volume_file(services, *volume);
              })
        .run();
    return services.inventory.answer("Volume", uuid.str());
}

void copy_snapshot(Services& services, Job& job, const VolumeId& id, const VolumeSnapshot& snapshot) {
    const Volume volume = services.inventory.get<Volume>(id);
    const auto storage = services.inventory.get<PrimaryStorage>(volume.primary_storage);
    const std::string path = volume_path(storage, volume);
    services.files.make_directories(volume_directory(storage, volume));
    if (!services.files.exists(path))
        services.disk_images.convert(
            snapshot.install_path, snapshot.format, path, volume.format,
            [&](int percent) { job.progress(percent, "copy the snapshot " + snapshot.name); }, job.cancellation());
    const Bytes size = services.disk_images.inspect(path, volume.format).virtual_size;
    const Bytes allocated = services.files.allocated(path);
    services.inventory.modify<Volume>(id, [&](Volume& made) {
        made.install_path = path;
        made.size = size;
        made.actual_size = allocated;
        made.status = VolumeStatus::ready;
    });
}

VolumeSnapshot get_usable_snapshot(Services& services, const SnapshotId& id) {
    const auto snapshot = services.inventory.get<VolumeSnapshot>(id);
    if (snapshot.state != EnabledState::enabled) fail("the snapshot " + snapshot.name + " is Disabled");
    if (snapshot.status != SnapshotStatus::ready)
        fail("the snapshot " + snapshot.name + " is " + std::string(to_text(snapshot.status)) + ", not Ready");
    return snapshot;
}

Image get_usable_template(Services& services, const ImageId& id) {
    const Image image = services.inventory.get<Image>(id);
    if (image.media_type != MediaType::data_volume_template)
        refuse("the image " + image.name + " is a " + std::string(to_text(image.media_type)) +
               "; a data volume is made from a DataVolumeTemplate");
    if (image.state != EnabledState::enabled) fail("the image " + image.name + " is Disabled");
    if (image.status != ImageStatus::ready)
        fail("the image " + image.name + " is " + std::string(to_text(image.status)) + ", not Ready");
    return image;
}

ProgressPercent shown_as(Job& job, const std::string& what) {
    return [&job, what](int percent) { job.progress(percent, what); };
}

}  // namespace

json create_data_volume(Services& services, Job& job, const CreateDataVolume& params) {
    api::Tags tags = params.tags;
    const bool shareable = take_shareable(tags);
    check_volume_tags(tags.system, services.host);
    const auto record_it = [&] {
        Volume volume = design(services, params, shareable);
        if (!params.storage.empty()) {
            volume.primary_storage = choose_primary_storage(services, params.storage).uuid;
            volume.status = VolumeStatus::creating;
            require_room(services, params.storage, volume.size, "the volume " + params.name);
        }
        record(services, volume, tags);
    };
    return create_with_file(services, job, params.uuid, record_it, [&] {
        if (!params.storage.empty()) make_volume_file(services, params.uuid, {}, job.cancellation());
    });
}

json create_volume_from_template(Services& services, Job& job, const CreateFromTemplate& params) {
    refuse_shareable(params.tags, "a volume made from a template is a qcow2 overlay, which cannot be shared");
    check_volume_tags(params.tags.system, services.host);
    if (!params.host.empty() && params.host != services.host)
        throw Error(Code::no_available_host, "the host " + params.host.str() + " is not this host, " + services.host.str());
    const auto record_it = [&] {
        const Image image = get_usable_template(services, params.image);
        Volume volume = start_record(params.uuid, params.name, params.description);
        volume.primary_storage = choose_primary_storage(services, params.storage).uuid;
        volume.root_image = image.uuid;
        volume.size = image.size;
        volume.status = VolumeStatus::creating;
        require_room(services, params.storage, volume.size, "the volume " + params.name);
        record(services, volume, params.tags);
    };
    return create_with_file(services, job, params.uuid, record_it, [&] {
        make_volume_file(services, params.uuid, shown_as(job, "fetch the template"), job.cancellation());
    });
}

json create_volume_from_snapshot(Services& services, Job& job, const CreateFromSnapshot& params) {
    refuse_shareable(params.tags, "a volume made from a snapshot is a qcow2 file, which cannot be shared");
    check_volume_tags(params.tags.system, services.host);
    const VolumeSnapshot snapshot = get_usable_snapshot(services, params.snapshot);
    const auto record_it = [&] {
        const PrimaryStorageId wanted = params.storage.empty() ? snapshot.primary_storage : params.storage;
        Volume volume = start_record(params.uuid, params.name, params.description);
        volume.primary_storage = choose_primary_storage(services, wanted).uuid;
        volume.size = snapshot.virtual_size;
        volume.status = VolumeStatus::creating;
        require_room(services, volume.primary_storage, volume.size, "the volume " + params.name);
        record(services, volume, params.tags);
    };
    return create_with_file(services, job, params.uuid, record_it,
                            [&] { copy_snapshot(services, job, params.uuid, snapshot); });
}

}  // namespace hvagent::operations
