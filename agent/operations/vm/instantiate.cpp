// The first start of a VM: its volumes come into being.
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/vm/creation_plan.h"
#include "agent/operations/vm/parts.h"

namespace hvagent::operations {
namespace {

void record_volume(Services& services, const VmId& vm, const CreationPlan& plan, std::size_t index) {
    const PlannedDisk& disk = plan.disks[index];
    if (services.inventory.find<Volume>(disk.volume)) return;
    Volume volume;
    volume.uuid = disk.volume;
    volume.name = disk.name;
    volume.primary_storage = plan.storage;
    volume.vm = vm;
    volume.disk_offering = disk.offering;
    volume.root_image = disk.image;
    volume.type = index == 0 ? VolumeType::root : VolumeType::data;
    volume.size = disk.size;
    volume.device_id = static_cast<int>(index);
    volume.status = VolumeStatus::creating;
    volume.last_attached = services.clock.now();
    services.inventory.insert(volume);
    for (const std::string& tag : disk.tags) services.inventory.add_tag("Volume", disk.volume.str(), tag, "System");
}

void fetch_isos(Services& services, Job& job, const VmId& vm, const PrimaryStorageId& storage) {
    for (const VmCdRom& cdrom : services.inventory.list<VmCdRom>({{"vmInstanceUuid", vm.str()}})) {
        if (cdrom.iso.empty() || !cdrom.iso_path.empty()) continue;
        const std::string path = services.image_cache.fetch(
            services.inventory.get<Image>(cdrom.iso), services.inventory.get<PrimaryStorage>(storage),
            [&](int percent) { job.progress(percent / 2, "fetch the ISO"); }, job.cancellation());
        services.inventory.modify<VmCdRom>(cdrom.uuid, [&](VmCdRom& record) { record.iso_path = path; });
    }
}

}  // namespace

void instantiate(Services& services, Job& job, const VmId& id) {
    const Vm vm = services.inventory.get<Vm>(id);
    if (vm.intent != VmIntent::created) return;  // an earlier life of this job came so far
    const CreationPlan plan = parse_creation_plan(vm.creation_plan);
    services.inventory.transaction([&] {
        for (std::size_t i = 0; i < plan.disks.size(); ++i) record_volume(services, id, plan, i);
        services.inventory.modify<Vm>(id, [&](Vm& record) { record.root_volume = plan.disks.front().volume; });
    });
    for (std::size_t i = 0; i < plan.disks.size(); ++i) {
        job.cancellation().check();
        const std::string what = i == 0 ? "make the root volume" : "make data volume " + std::to_string(i);
        make_volume_file(
            services, plan.disks[i].volume, [&](int percent) { job.progress(percent / 2, what); }, job.cancellation());
    }
    fetch_isos(services, job, id, plan.storage);
    services.inventory.modify<Vm>(id, [](Vm& record) {
        record.creation_plan.clear();
        record.intent = VmIntent::kept;
        record.observed = VmState::stopped;
        record.observed_reason = "never started";
    });
}

}  // namespace hvagent::operations
