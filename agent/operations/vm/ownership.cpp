#include "agent/operations/vm/ownership.h"

#include <algorithm>
#include <filesystem>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

struct OwnerNote {
    HostId host;
    std::string host_name;
    std::string address;
    std::int64_t epoch = 0;
    std::string since;  // ISO 8601
};

std::optional<PrimaryStorage> storage_of(Services& services, const Vm& vm) {
    const auto root = services.inventory.find<Volume>(vm.root_volume);
    return root ? services.inventory.find<PrimaryStorage>(root->primary_storage) : std::nullopt;
}

std::string note_path(const PrimaryStorage& storage, const VmId& vm) {
    return storage.url + "/owners/" + vm.str() + ".json";
}

std::optional<OwnerNote> read_note(Services& services, const std::string& path) {
    const auto text = services.files.read_text(path);
    if (!text) return std::nullopt;
    try {
        const json note = json::parse(*text);
        return OwnerNote{HostId(note.at("host").get<std::string>()), note.at("hostName").get<std::string>(),
                         note.at("address").get<std::string>(), note.at("epoch").get<std::int64_t>(),
                         note.at("since").get<std::string>()};
    } catch (const std::exception& error) {
        throw Error(Code::operation_failed, "the note of which host has the VM, " + path + ", cannot be understood: " +
                                                error.what() + "; remove it when no other host runs the VM");
    }
}

void write_note(Services& services, const std::string& path, const Vm& vm, std::int64_t epoch) {
    const Host host = services.inventory.get<Host>(services.host);
    const json note{{"vm", vm.uuid.str()},           {"host", host.uuid.str()}, {"hostName", host.name},
                    {"address", host.management_ip}, {"epoch", epoch},          {"since", iso_time(services.clock.now())}};
    services.files.make_directories(std::filesystem::path(path).parent_path());
    services.files.write_text(path, note.dump() + "\n");
}

// Empty when this host may act on the VM.
std::string why_not_ours(Services& services, const Vm& vm, const OwnerNote& note, const std::string& path) {
    if (note.host == services.host || note.epoch < vm.epoch) return "";
    return "VM " + vm.uuid.str() + " belongs to host " + note.host_name + " (" + note.address + ", " + note.host.str() +
           "), which has had it since " + note.since + " with epoch " + std::to_string(note.epoch) +
           "; this host knows it up to epoch " + std::to_string(vm.epoch) + ". Where that host is gone for good, remove " +
           path;
}

}  // namespace

std::string why_not_ours(Services& services, const Vm& vm) {
    const std::string path = owner_note_path(services, vm);
    if (path.empty()) return "";
    const auto note = read_note(services, path);
    return note ? why_not_ours(services, vm, *note, path) : "";
}

std::string owner_note_path(Services& services, const Vm& vm) {
    const auto storage = storage_of(services, vm);
    return storage ? note_path(*storage, vm.uuid) : "";
}

std::int64_t claim(Services& services, const Vm& vm) {
    const auto storage = storage_of(services, vm);
    if (!storage) return vm.epoch + 1;
    const std::string path = note_path(*storage, vm.uuid);
    const auto note = read_note(services, path);
    const std::int64_t epoch = std::max(vm.epoch, note ? note->epoch : 0) + 1;
    // A local storage has a note when it turned out to be shared, at a migration.
    if (!note && storage->type != shared_mount_point) return epoch;
    try {
        write_note(services, path, vm, epoch);
    } catch (const Error& error) {
        // The note says the truth already; on a full disk the VM can still be started.
        if (!note || note->host != services.host) throw;
        log::warning("the owner's note of a VM is not up to date", {{"vm", vm.uuid.str()}, {"error", error.details()}});
    }
    return epoch;
}

std::int64_t claim_arriving(Services& services, const Vm& vm, const PrimaryStorage& storage) {
    std::int64_t epoch = vm.epoch + 1;
    try {
        const std::string path = note_path(storage, vm.uuid);
        if (const auto note = read_note(services, path)) epoch = std::max(epoch, note->epoch + 1);
        write_note(services, path, vm, epoch);
    } catch (const Error& error) {
        log::warning("the note that this host has a VM now could not be written",
                     {{"vm", vm.uuid.str()}, {"error", error.details()}});
    }
    return epoch;
}

}  // namespace hvagent::operations
