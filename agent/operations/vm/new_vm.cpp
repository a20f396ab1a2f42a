#include "agent/operations/vm/new_vm.h"

#include <algorithm>
#include <set>

#include "agent/operations/cdrom/drives.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

constexpr Bytes least_memory = 16 * MiB;  // what 5.2 of the real server asks for
constexpr std::size_t most_data_disks = 24;

[[noreturn]] void fail(const std::string& details) {
    throw Error(Code::operation_failed, details);
}
[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

void choose_size(Services& services, const CreateVm& params, NewVm& made) {
    Vm& vm = made.vm;
    if (!params.offering.empty()) {
        const auto offering = services.inventory.get<InstanceOffering>(params.offering);
        if (offering.state != EnabledState::enabled) fail("the instance offering " + offering.name + " is Disabled");
        if (offering.type != "UserVm")
            fail("the instance offering " + offering.name + " is of type " + offering.type + ", not UserVm");
        vm.offering = offering.uuid;
        vm.cpus = offering.cpu_num;
        vm.memory = offering.memory;
        vm.reserved_memory = offering.reserved_memory;
        vm.allocator_strategy = offering.allocator_strategy;
    } else if (!params.cpus || !params.memory) {
        fail("either parameter 'instanceOfferingUuid' or both 'cpuNum' and 'memorySize' are required");
    }
    if (params.cpus) vm.cpus = *params.cpus;
    if (params.memory) vm.memory = *params.memory;
    if (params.reserved_memory) vm.reserved_memory = *params.reserved_memory;
    if (vm.memory < least_memory)
        refuse("parameter 'memorySize' must be at least 16 MiB, but is " + std::to_string(vm.memory));
    if (vm.reserved_memory > vm.memory) refuse("parameter 'reservedMemorySize' must not exceed the memory size");
}

std::optional<Image> choose_image(Services& services, const CreateVm& params) {
    if (params.image.empty()) return std::nullopt;
    const Image image = services.inventory.get<Image>(params.image);
    if (image.state != EnabledState::enabled) fail("the image " + image.name + " is Disabled");
    if (image.status != ImageStatus::ready)
        fail("the image " + image.name + " is " + std::string(to_text(image.status)) + ", not Ready");
    if (image.system) refuse("the image " + image.name + " is a system image");
    if (image.media_type == MediaType::data_volume_template)
        refuse("the image " + image.name + " is a DataVolumeTemplate; a VM is made from a RootVolumeTemplate or an ISO");
    return image;
}

Bytes size_of_offering(Services& services, const DiskOfferingId& id) {
    const auto offering = services.inventory.get<DiskOffering>(id);
    if (offering.state != EnabledState::enabled) fail("the disk offering " + offering.name + " is Disabled");
    return offering.disk_size;
}

void plan_root_disk(Services& services, const CreateVm& params, const std::optional<Image>& image, NewVm& made) {
    PlannedDisk root;
    root.volume = VolumeId::make();
    root.name = "Root-Volume-For-VM-" + made.vm.uuid.str();
    root.tags = params.root_volume_tags;
    const bool from_template = image && image->media_type == MediaType::root_volume_template;
    if (!params.root_disk_offering.empty()) {
        root.offering = params.root_disk_offering;
        root.size = size_of_offering(services, params.root_disk_offering);
    }
    if (params.root_disk_size) root.size = *params.root_disk_size;
    if (from_template) {
        root.image = image->uuid;
        if (root.size != 0 && root.size < image->size)
            refuse("the root disk of " + std::to_string(root.size) + " bytes is smaller than the image " + image->name +
                   ", " + std::to_string(image->size));
        root.size = std::max(root.size, image->size);
    } else if (root.size == 0) {
        refuse(
            "parameter 'rootDiskOfferingUuid' or 'rootDiskSize' is required for a VM that is not made from a "
            "RootVolumeTemplate");
    }
    made.plan.disks.push_back(root);
}

std::vector<std::string> tags_of_disk(const CreateVm& params, std::size_t index) {
    std::vector<std::string> tags = params.data_volume_tags;
    const auto own = params.data_volume_tags_on_index.find(std::to_string(index));
    if (own != params.data_volume_tags_on_index.end()) tags.insert(tags.end(), own->second.begin(), own->second.end());
    return tags;
}

void plan_data_disks(Services& services, const CreateVm& params, NewVm& made) {
    const std::size_t count = params.data_disk_offerings.size() + params.data_disk_sizes.size();
    if (count > most_data_disks) refuse("a VM has at most 24 data volumes, " + std::to_string(count) + " were asked for");
    for (const auto& [index, tags] : params.data_volume_tags_on_index)
        if (index.find_first_not_of("0123456789") != std::string::npos || index.size() > 3 || std::stoul(index) >= count)
            refuse("parameter 'dataVolumeSystemTagsOnIndex': there is no data volume \"" + index + "\"");
    for (std::size_t i = 0; i < count; ++i) {
        PlannedDisk disk;
        disk.volume = VolumeId::make();
        disk.name = "DATA-for-" + made.vm.name;
        disk.tags = tags_of_disk(params, i);
        if (i < params.data_disk_offerings.size()) {
            disk.offering = params.data_disk_offerings[i];
            disk.size = size_of_offering(services, disk.offering);
        } else {
            disk.size = params.data_disk_sizes[i - params.data_disk_offerings.size()];
        }
        if (disk.size <= 0) refuse("a data volume must have a size above 0");
        made.plan.disks.push_back(disk);
    }
    for (const PlannedDisk& disk : made.plan.disks) check_volume_tags(disk.tags, services.host);
}

struct NicWish {
    std::string state = "enable";
    std::string driver;
};

std::map<std::string, NicWish> parse_nic_wishes(const std::string& text) {
    std::map<std::string, NicWish> wishes;
    if (text.empty()) return wishes;
    const json list = json::parse(text, nullptr, false);
    if (!list.is_array()) refuse("parameter 'vmNicParams' must be the text of a JSON list");
    for (const json& one : list) {
        if (!one.is_object() || !one.contains("l3NetworkUuid"))
            refuse("parameter 'vmNicParams': each element needs an l3NetworkUuid");
        NicWish wish;
        for (const auto& [key, value] : one.items()) {
            if (value.is_null() || key == "l3NetworkUuid") continue;
            const std::string word = value.is_string() ? value.get<std::string>() : value.dump();
            if (key == "state" && (word == "enable" || word == "disable"))
                wish.state = word;
            else if (key == "driverType" && (word == "virtio" || word == "e1000" || word == "rtl8139"))
                wish.driver = word;
            else
                refuse("parameter 'vmNicParams': " + key + "=" + word +
                       " is not supported; known are state=enable|disable and driverType=virtio|e1000|rtl8139");
        }
        wishes[one["l3NetworkUuid"].is_string() ? one["l3NetworkUuid"].get<std::string>() : ""] = wish;
    }
    return wishes;
}

void check_network(Services& services, const L3NetworkId& id) {
    const auto network = services.inventory.get<L3Network>(id);
    if (network.state != EnabledState::enabled) fail("the L3 network " + network.name + " is Disabled");
    if (network.system) fail("the L3 network " + network.name + " is a system network");
}

void plan_nics(Services& services, const CreateVm& params, NewVm& made) {
    const auto wishes = parse_nic_wishes(params.nic_params);
    std::set<L3NetworkId> seen;
    for (const L3NetworkId& id : params.l3_networks) {
        check_network(services, id);
        if (!seen.insert(id).second) fail("the L3 network " + id.str() + " stands twice in 'l3NetworkUuids'");
        VmNic nic;
        nic.uuid = NicId::make();
        nic.vm = made.vm.uuid;
        nic.l3_network = id;
        nic.device_id = static_cast<int>(made.nics.size());
        nic.mac = tag_value(made.system_tags, "customMac", id.str());
        std::transform(nic.mac.begin(), nic.mac.end(), nic.mac.begin(), [](unsigned char c) { return std::tolower(c); });
        if (nic.mac.empty())
            nic.mac = services.addresses.make_mac();
        else if (!services.addresses.mac_is_free(nic.mac))
            refuse("system tag 'customMac': the address " + nic.mac + " is in use");
        // At most 15 characters: the kernel's limit for interface names.
        nic.internal_name = "vnic" + nic.uuid.str().substr(0, 8) + "." + std::to_string(nic.device_id);
        nic.driver_type = made.vm.virtio ? "virtio" : "e1000";
        if (const std::string ip = tag_value(made.system_tags, "staticIp", id.str()); !ip.empty())
            services.addresses.require_free(id, ip);
        if (const auto wish = wishes.find(id.str()); wish != wishes.end()) {
            nic.state = wish->second.state;
            if (!wish->second.driver.empty()) nic.driver_type = wish->second.driver;
        }
        made.nics.push_back(nic);
    }
    for (const auto& [network, wish] : wishes)
        if (!seen.contains(L3NetworkId(network)))
            refuse("parameter 'vmNicParams': the L3 network \"" + network + "\" is not in 'l3NetworkUuids'");
    for (const char* name : {"staticIp", "customMac"})
        for (const std::string& tag : made.system_tags)
            if (tag.starts_with(std::string(name) + "::") &&
                !seen.contains(L3NetworkId(tag.substr(std::string(name).size() + 2, 32))))
                refuse("system tag '" + std::string(name) + "' names an L3 network that is not in 'l3NetworkUuids'");
    if (!params.default_l3.empty() && !seen.contains(params.default_l3))
        refuse("parameter 'defaultL3NetworkUuid' must be one of 'l3NetworkUuids'");
    made.vm.default_l3 = !params.default_l3.empty()   ? params.default_l3
                         : params.l3_networks.empty() ? L3NetworkId()
                                                      : params.l3_networks.front();
}

void choose_place(Services& services, const CreateVm& params, NewVm& made) {
    if (params.l3_networks.empty() && params.zone.empty() && params.cluster.empty() && params.host.empty())
        fail("at least one of 'l3NetworkUuids', 'zoneUuid', 'clusterUuid' and 'hostUuid' must say where the VM belongs");
    const Host host = services.inventory.get<Host>(services.host);
    const Cluster cluster = services.inventory.get<Cluster>(host.cluster);
    const Zone zone = services.inventory.get<Zone>(host.zone);
    if (!params.host.empty() && params.host != host.uuid)
        throw Error(Code::no_available_host, "the host " + params.host.str() + " is not this host, " + host.uuid.str());
    if (!params.cluster.empty() && params.cluster != cluster.uuid)
        throw Error(Code::no_available_host, "no host of the cluster " + params.cluster.str() + " is known here");
    if (!params.zone.empty() && params.zone != zone.uuid)
        throw Error(Code::no_available_host, "no host of the zone " + params.zone.str() + " is known here");
    if (zone.state != EnabledState::enabled) fail("the zone " + zone.name + " is Disabled");
    if (cluster.state != EnabledState::enabled) fail("the cluster " + cluster.name + " is Disabled");
    if (host.state != "Enabled") fail("the host " + host.name + " is " + host.state);
    const std::string wanted = !params.architecture.empty() ? params.architecture : made.vm.architecture;
    if (wanted != host.architecture)
        throw Error(Code::no_available_host, "this host is " + host.architecture + ", the VM needs " + wanted);
    made.vm.zone = zone.uuid;
    made.vm.cluster = cluster.uuid;
    made.vm.architecture = wanted;
}

// Tags of the request win over those of the offering and the image.
void collect_tags(Services& services, const CreateVm& params, const std::optional<Image>& image, NewVm& made) {
    check_vm_tags(params.tags.system);
    made.system_tags = params.tags.system;
    const auto inherit = [&](const std::string& from) {
        for (const std::string& tag : system_tags_of(services.inventory, from)) {
            const std::string name = tag.substr(0, tag.find("::"));
            const bool taken = std::any_of(made.system_tags.begin(), made.system_tags.end(), [&](const std::string& mine) {
                return mine == name || mine.starts_with(name + "::");
            });
            if (!taken) made.system_tags.push_back(tag);
        }
    };
    if (!params.offering.empty()) inherit(params.offering.str());
    if (image) inherit(image->uuid.str());
    check_vm_tags(made.system_tags);
}

}  // namespace

PrimaryStorage choose_primary_storage(Services& services, const PrimaryStorageId& wanted) {
    if (!wanted.empty()) {
        const auto storage = services.inventory.get<PrimaryStorage>(wanted);
        if (storage.state != "Enabled") fail("the primary storage " + storage.name + " is " + storage.state);
        if (storage.status != ConnectionStatus::connected)
            throw Error(Code::storage_disconnected, "the primary storage " + storage.name + " is not Connected");
        return storage;
    }
    for (const PrimaryStorage& storage : services.inventory.list<PrimaryStorage>())
        if (storage.state == "Enabled" && storage.status == ConnectionStatus::connected) return storage;
    throw Error(Code::storage_allocate, "no primary storage is Enabled and Connected");
}

NewVm design_vm(Services& services, const CreateVm& params) {
    if (params.type != "UserVm") refuse("parameter 'type': " + params.type + " cannot be created here, only UserVm");
    NewVm made;
    Vm& vm = made.vm;
    vm.uuid = params.uuid;
    vm.name = params.name;
    vm.description = params.description;
    vm.intent = VmIntent::created;
    choose_size(services, params, made);
    const std::optional<Image> image = choose_image(services, params);
    if (image) {
        vm.image = image->uuid;
        vm.platform = image->platform;
        vm.architecture = image->architecture;
        vm.guest_os_type = image->guest_os_type;
        vm.virtio = image->virtio;
    }
    if (!params.platform.empty()) vm.platform = params.platform;
    if (!params.guest_os_type.empty()) vm.guest_os_type = params.guest_os_type;
    if (params.virtio) vm.virtio = *params.virtio;
    choose_place(services, params, made);
    collect_tags(services, params, image, made);
    if (has_tag(made.system_tags, "driver::virtio")) vm.virtio = true;
    made.plan.storage = choose_primary_storage(services, params.root_storage).uuid;
    plan_root_disk(services, params, image, made);
    plan_data_disks(services, params, made);
    plan_nics(services, params, made);
    const bool boots_from_iso = image && image->media_type == MediaType::iso;
    made.cdroms = plan_drives(services, vm.uuid, made.system_tags, boots_from_iso ? image : std::nullopt);
    vm.creation_plan = to_text(made.plan);
    return made;
}

}  // namespace hvagent::operations
