#include "agent/operations/migration/bundle.h"

#include "agent/inventory/record_json.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using inventory::record_from_json;
using inventory::record_to_json;
using inventory::records_from_json;
using inventory::records_to_json;
using nlohmann::json;

const std::string nvram_directory = "/var/lib/libvirt/qemu/nvram";

json to_json(const MovingFile& file) {
    return {{"kind", hvagent::to_text(file.kind)},
            {"path", file.path},
            {"format", file.format},
            {"backing", file.backing},
            {"virtualSize", file.virtual_size},
            {"allocated", file.allocated},
            {"storage", file.storage.str()},
            {"volume", file.volume.str()},
            {"image", file.image.str()},
            {"ticket", file.ticket}};
}

MovingFile file_from_json(const json& sent) {
    MovingFile file;
    const auto kind = parse_enum<FileKind>(sent.at("kind").get<std::string>());
    if (!kind) throw Error(Code::invalid_argument, "a file of the VM is of an unknown kind: " + sent.at("kind").dump());
    file.kind = *kind;
    file.path = sent.at("path").get<std::string>();
    file.format = sent.at("format").get<std::string>();
    file.backing = sent.at("backing").get<std::string>();
    file.virtual_size = sent.at("virtualSize").get<Bytes>();
    file.allocated = sent.at("allocated").get<Bytes>();
    file.storage = PrimaryStorageId(sent.at("storage").get<std::string>());
    file.volume = VolumeId(sent.at("volume").get<std::string>());
    file.image = ImageId(sent.at("image").get<std::string>());
    file.ticket = sent.at("ticket").get<std::string>();
    return file;
}

json to_json(const MovingStorage& storage) {
    return {{"uuid", storage.uuid.str()}, {"name", storage.name}, {"url", storage.url}, {"probe", storage.probe}};
}

MovingStorage storage_from_json(const json& sent) {
    return {PrimaryStorageId(sent.at("uuid").get<std::string>()), sent.at("name").get<std::string>(),
            sent.at("url").get<std::string>(), sent.at("probe").get<std::string>()};
}

json to_json(const MovingNetwork& network) {
    return {{"uuid", network.uuid.str()},
            {"name", network.name},
            {"nat", network.nat},
            {"bridge", network.bridge},
            {"cidr", network.cidr}};
}

MovingNetwork network_from_json(const json& sent) {
    return {L3NetworkId(sent.at("uuid").get<std::string>()), sent.at("name").get<std::string>(), sent.at("nat").get<bool>(),
            sent.at("bridge").get<std::string>(), sent.at("cidr").get<std::string>()};
}

json to_json(const MovingImage& image) {
    return {{"uuid", image.uuid.str()}, {"md5", image.md5}};
}

MovingImage image_from_json(const json& sent) {
    return {ImageId(sent.at("uuid").get<std::string>()), sent.at("md5").get<std::string>()};
}

json to_json(const GuestNeeds& needs) {
    return {{"virtType", needs.virt_type},
            {"architecture", needs.architecture},
            {"machine", needs.machine},
            {"cpu", needs.cpu},
            {"nvram", needs.nvram}};
}

GuestNeeds needs_from_json(const json& sent) {
    return {sent.at("virtType").get<std::string>(), sent.at("architecture").get<std::string>(),
            sent.at("machine").get<std::string>(), sent.at("cpu").get<std::string>(), sent.value("nvram", "")};
}

template <class T>
json list_to_json(const std::vector<T>& items) {
    json list = json::array();
    for (const T& item : items) list.push_back(to_json(item));
    return list;
}

template <class T>
std::vector<T> list_from_json(const json& sent, T (*parse)(const json&)) {
    std::vector<T> items;
    for (const json& item : sent) items.push_back(parse(item));
    return items;
}

}  // namespace

bool is_own_nvram(const std::string& path, const VmId& vm) {
    return path == nvram_directory + "/" + vm.str() + "_VARS.fd";
}

bool opens_nvram_directory(Services& services) {
    try {
        services.files.prepare(nvram_directory);
        return true;
    } catch (const Error& error) {
        log::debug("UEFI variables are left to libvirt", {{"error", error.details()}});
        return false;
    }
}

json to_json(const VmBundle& bundle) {
    return {{"migration", bundle.migration.str()},
            {"source", bundle.source.str()},
            {"sourceName", bundle.source_name},
            {"vm", record_to_json(bundle.vm)},
            {"nics", records_to_json(bundle.nics)},
            {"cdroms", records_to_json(bundle.cdroms)},
            {"volumes", records_to_json(bundle.volumes)},
            {"snapshots", records_to_json(bundle.snapshots)},
            {"trees", records_to_json(bundle.trees)},
            {"schedulers", records_to_json(bundle.schedulers)},
            {"tags", records_to_json(bundle.tags)},
            {"storages", list_to_json(bundle.storages)},
            {"networks", list_to_json(bundle.networks)},
            {"images", list_to_json(bundle.images)},
            {"files", list_to_json(bundle.files)},
            {"serialLog", bundle.serial_log},
            {"needs", to_json(bundle.needs)},
            {"nvramProbe", bundle.nvram_probe},
            {"nvramTicket", bundle.nvram_ticket}};
}

VmBundle bundle_from_json(const json& sent) {
    try {
        VmBundle bundle;
        bundle.migration = MigrationId(sent.at("migration").get<std::string>());
        bundle.source = HostId(sent.at("source").get<std::string>());
        bundle.source_name = sent.at("sourceName").get<std::string>();
        bundle.vm = record_from_json<Vm>(sent.at("vm"));
        bundle.nics = records_from_json<VmNic>(sent.at("nics"));
        bundle.cdroms = records_from_json<VmCdRom>(sent.at("cdroms"));
        bundle.volumes = records_from_json<Volume>(sent.at("volumes"));
        bundle.snapshots = records_from_json<VolumeSnapshot>(sent.at("snapshots"));
        bundle.trees = records_from_json<SnapshotTree>(sent.at("trees"));
        bundle.schedulers = records_from_json<Scheduler>(sent.at("schedulers"));
        bundle.tags = records_from_json<Tag>(sent.at("tags"));
        bundle.storages = list_from_json(sent.at("storages"), storage_from_json);
        bundle.networks = list_from_json(sent.at("networks"), network_from_json);
        bundle.images = list_from_json(sent.at("images"), image_from_json);
        bundle.files = list_from_json(sent.at("files"), file_from_json);
        bundle.serial_log = sent.at("serialLog").get<std::string>();
        bundle.needs = needs_from_json(sent.at("needs"));
        if (!is_uuid(bundle.migration.str()) || !is_uuid(bundle.vm.uuid.str()))
            throw Error(Code::invalid_argument, "a migration or a VM without a uuid");
        bundle.nvram_probe = sent.value("nvramProbe", "");
        if (bundle.nvram_probe.find('/') != std::string::npos)
            throw Error(Code::invalid_argument, "the probe " + bundle.nvram_probe + " is no file name");
        bundle.nvram_ticket = sent.value("nvramTicket", "");
        if (const std::string& nvram = bundle.needs.nvram; !nvram.empty() && !is_own_nvram(nvram, bundle.vm.uuid))
            throw Error(Code::invalid_argument,
                        "the file " + nvram + " holds no UEFI variables of VM " + bundle.vm.uuid.str());
        return bundle;
    } catch (const json::exception& error) {
        throw Error(Code::invalid_argument, std::string("the VM was not sent whole: ") + error.what());
    }
}

}  // namespace hvagent::operations
