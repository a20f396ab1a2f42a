#include "agent/operations/clone/clone_plan.h"

#include <algorithm>
#include <array>

#include "agent/operations/cdrom/drives.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/vm/creation_plan.h"
#include "agent/operations/vm/new_vm.h"
#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

// Of one VM only: who it is, and what its next start is to be.
constexpr std::array own_tags{"hostname", "staticIp", "customMac", "bootOrderOnce"};
// Said by what the source is.
constexpr std::array creation_tags{"cdroms", "iso", "createWithoutCdRom", "driver"};

std::string name_of(const std::string& tag) {
    return tag.substr(0, tag.find("::"));
}

template <class Names>
bool is_among(const Names& names, const std::string& tag) {
    return std::find(names.begin(), names.end(), name_of(tag)) != names.end();
}

std::vector<Volume> volumes_to_clone(Services& services, const CloneVm& params) {
    auto volumes = services.inventory.list<Volume>({{"vmInstanceUuid", params.vm.str()}});
    std::erase_if(volumes, [&](const Volume& volume) {
        return volume.shareable || (!params.full && volume.type != VolumeType::root);
    });
    std::sort(volumes.begin(), volumes.end(), [](const Volume& a, const Volume& b) { return a.device_id < b.device_id; });
    return volumes;
}

// The request's tags win over the source's.
std::vector<std::string> tags_of_clone(Services& services, const CloneVm& params) {
    std::vector<std::string> tags = params.tags.system;
    const std::vector<std::string> inherited = system_tags_of(services.inventory, params.vm.str());
    const bool boots_once_otherwise = has_tag(inherited, "bootOrderOnce::true");
    for (const std::string& tag : inherited) {
        if (is_among(own_tags, tag) || is_among(creation_tags, tag)) continue;
        if (boots_once_otherwise && name_of(tag) == "bootOrder") continue;
        const bool is_overruled = std::any_of(params.tags.system.begin(), params.tags.system.end(),
                                              [&](const std::string& mine) { return name_of(mine) == name_of(tag); });
        if (!is_overruled) tags.push_back(tag);
    }
    return tags;
}

Volume make_volume(Services& services, const CloneVm& params, const PlannedClone& clone, const ClonedDisk& disk) {
    const Volume source = services.inventory.get<Volume>(disk.source);
    const bool is_root = source.type == VolumeType::root;
    const PrimaryStorageId& wanted = is_root ? params.root_storage : params.data_storage;
    Volume volume;
    volume.uuid = disk.made;
    volume.name = is_root ? "Root-Volume-For-VM-" + clone.vm.str() : source.name;
    volume.description = source.description;
    volume.primary_storage = wanted.empty() ? source.primary_storage : wanted;
    volume.vm = clone.vm;
    volume.disk_offering = source.disk_offering;
    volume.root_image = source.root_image;
    volume.type = source.type;
    volume.size = source.size;
    volume.device_id = source.device_id;
    volume.status = VolumeStatus::creating;
    volume.throttle = source.throttle;
    return volume;
}

void insert_volume(Services& services, const CloneVm& params, const Volume& volume, const VolumeId& source) {
    services.inventory.insert(volume);
    std::vector<std::string> tags = volume.type == VolumeType::root ? params.root_volume_tags : params.data_volume_tags;
    for (const std::string& tag : system_tags_of(services.inventory, source.str()))
        if (!has_tag(tags, tag)) tags.push_back(tag);
    for (const std::string& tag : tags) services.inventory.add_tag("Volume", volume.uuid.str(), tag, "System");
}

Vm make_vm(Services& services, const CloneVm& params, const PlannedClone& clone, const std::vector<Volume>& volumes) {
    Vm vm = services.inventory.get<Vm>(params.vm);
    CreationPlan plan;
    plan.storage = volumes.front().primary_storage;
    for (const Volume& volume : volumes)
        plan.disks.push_back({volume.uuid, volume.name, volume.size, volume.disk_offering, volume.root_image, {}});
    vm.uuid = clone.vm;
    vm.name = clone.name;
    vm.host = vm.last_host = HostId();
    vm.root_volume = clone.disks.front().made;
    vm.intent = VmIntent::created;
    vm.observed = VmState::stopped;
    vm.observed_reason = "cloned";
    vm.transition.reset();
    vm.destroyed_at = Time{};
    vm.should_run = false;
    vm.creation_plan = to_text(plan);
    vm.created = vm.last_op = Time{};
    return vm;
}

void insert_nics(Services& services, const CloneVm& params, const VmId& clone) {
    for (const VmNic& source : services.inventory.list<VmNic>({{"vmInstanceUuid", params.vm.str()}})) {
        VmNic nic;
        nic.uuid = NicId::make();
        nic.vm = clone;
        nic.l3_network = source.l3_network;
        nic.device_id = source.device_id;
        nic.mac = tag_value(params.tags.system, "customMac", source.l3_network.str());
        std::transform(nic.mac.begin(), nic.mac.end(), nic.mac.begin(), [](unsigned char c) { return std::tolower(c); });
        if (nic.mac.empty()) nic.mac = services.addresses.make_mac();
        nic.internal_name = "vnic" + nic.uuid.str().substr(0, 8) + "." + std::to_string(nic.device_id);
        nic.driver_type = source.driver_type;
        nic.state = source.state;
        services.inventory.insert(nic);
    }
}

void insert_drives(Services& services, const VmId& source, const VmId& clone) {
    for (const VmCdRom& drive : drives_of(services.inventory, source)) {
        VmCdRom made;
        made.uuid = CdRomId::make();
        made.vm = clone;
        made.device_id = drive.device_id;
        made.name = "vm-" + clone.str() + "-cdRom-" + std::to_string(drive.device_id);
        services.inventory.insert(made);
    }
}

void check_tags(Services& services, const CloneVm& params) {
    check_vm_tags(params.tags.system);
    check_volume_tags(params.root_volume_tags, services.host);
    check_volume_tags(params.data_volume_tags, services.host);
    for (const std::string& tag : params.tags.system) {
        if (is_among(creation_tags, tag))
            refuse("system tag '" + name_of(tag) + "' is not taken for a clone: it has the devices of its source");
        if (params.names.size() > 1 && is_among(own_tags, tag) && name_of(tag) != "bootOrderOnce")
            refuse("system tag '" + name_of(tag) + "' can be given to one clone only");
        if (name_of(tag) == "customMac" && !services.addresses.mac_is_free(tag.substr(tag.rfind("::") + 2)))
            refuse("system tag 'customMac': the address " + tag.substr(tag.rfind("::") + 2) + " is in use");
    }
}

}  // namespace

void check_clones(Services& services, const CloneVm& params) {
    check_tags(services, params);
    const Host host = services.inventory.get<Host>(services.host);
    if (!params.host.empty() && params.host != host.uuid)
        throw Error(Code::no_available_host, "the host " + params.host.str() + " is not this host, " + host.uuid.str());
    if (!params.cluster.empty() && params.cluster != host.cluster)
        throw Error(Code::no_available_host, "no host of the cluster " + params.cluster.str() + " is known here");
    for (const PrimaryStorageId& storage : {params.root_storage, params.data_storage})
        if (!storage.empty()) choose_primary_storage(services, storage);
}

std::vector<PlannedClone> plan_clones(Services& services, Job& job, const CloneVm& params) {
    std::vector<PlannedClone> clones;
    if (const auto known = job.recall("clones")) {
        for (const json& one : *known) {
            PlannedClone clone{VmId(one.at("vm").get<std::string>()), one.at("name").get<std::string>(), {}};
            for (const auto& disk : one.at("disks"))
                clone.disks.push_back({VolumeId(disk[0].get<std::string>()), VolumeId(disk[1].get<std::string>())});
            clones.push_back(std::move(clone));
        }
        return clones;
    }
    json stored = json::array();
    const std::vector<Volume> volumes = volumes_to_clone(services, params);
    for (const VmName& name : params.names) {
        PlannedClone clone{VmId::make(), name.text, {}};
        json disks = json::array();
        for (const Volume& volume : volumes) {
            clone.disks.push_back({volume.uuid, VolumeId::make()});
            disks.push_back({volume.uuid.str(), clone.disks.back().made.str()});
        }
        stored.push_back({{"vm", clone.vm.str()}, {"name", clone.name}, {"disks", disks}});
        clones.push_back(std::move(clone));
    }
    job.remember("clones", stored);
    return clones;
}

void record_clone(Services& services, const CloneVm& params, const PlannedClone& clone) {
    services.inventory.transaction([&] {
        std::vector<Volume> volumes;
        for (const ClonedDisk& disk : clone.disks) volumes.push_back(make_volume(services, params, clone, disk));
        services.inventory.insert(make_vm(services, params, clone, volumes));
        for (std::size_t i = 0; i < volumes.size(); ++i) insert_volume(services, params, volumes[i], clone.disks[i].source);
        insert_nics(services, params, clone.vm);
        insert_drives(services, params.vm, clone.vm);
        for (const std::string& tag : tags_of_clone(services, params))
            services.inventory.add_tag("VmInstance", clone.vm.str(), tag, "System");
        for (const std::string& tag : params.tags.user)
            services.inventory.add_tag("VmInstance", clone.vm.str(), tag, "User");
    });
}

}  // namespace hvagent::operations
