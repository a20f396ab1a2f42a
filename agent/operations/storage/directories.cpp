#include "agent/operations/storage/directories.h"

#include <array>
#include <filesystem>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

// A storage is written to by whoever may call the API; these belong to the system.
constexpr std::array system_directories{"/bin",  "/boot", "/dev",  "/etc", "/lib", "/lib64",   "/proc",
                                        "/root", "/run",  "/sbin", "/sys", "/usr", "/var/log", "/var/run"};

bool is_at_or_below(const std::string& path, const std::string& directory) {
    return path == directory || path.starts_with(directory + "/");
}

[[noreturn]] void refuse(const std::string& url, const std::string& why) {
    throw Error(Code::invalid_argument, "parameter 'url': \"" + url + "\" " + why);
}

void check_apart(const std::string& path, const std::string& other, const std::string& whose) {
    if (is_at_or_below(path, other) || is_at_or_below(other, path)) refuse(path, "overlaps with " + other + " of " + whose);
}

template <class Storage>
void open_all(inventory::Inventory& inventory, StorageFiles& files) {
    for (const Storage& storage : inventory.list<Storage>()) {
        ConnectionStatus status = ConnectionStatus::connected;
        try {
            files.prepare(storage.url);
        } catch (const Error& error) {
            log::error("a storage cannot be used",
                       {{"storage", storage.name}, {"directory", storage.url}, {"error", error.details()}});
            status = ConnectionStatus::disconnected;
        }
        inventory.observe<Storage>(storage.uuid, [&](Storage& record) { record.status = status; });
    }
}

}  // namespace

std::string check_new_directory(const Services& services, const std::string& url) {
    std::string path = url;
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (!path.starts_with("/") || path == "/" || std::filesystem::path(path).lexically_normal() != path)
        refuse(url, "must be an absolute path of a directory, without . and ..");
    for (const char* directory : system_directories)
        if (is_at_or_below(path, directory))
            refuse(url, std::string("lies in ") + directory + ", which belongs to the system");
    // The state may hold storages, but no storage may hold the state.
    if (is_at_or_below(services.settings.state_directory, path))
        refuse(url, "holds the state of the agent, " + services.settings.state_directory);
    for (const auto& storage : services.inventory.list<PrimaryStorage>())
        check_apart(path, storage.url, "the primary storage " + storage.name);
    for (const auto& storage : services.inventory.list<BackupStorage>())
        check_apart(path, storage.url, "the backup storage " + storage.name);
    return path;
}

void open_storages(inventory::Inventory& inventory, StorageFiles& files) {
    open_all<PrimaryStorage>(inventory, files);
    open_all<BackupStorage>(inventory, files);
}

}  // namespace hvagent::operations
