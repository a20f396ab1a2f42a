#include "agent/operations/defaults.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <memory>

#include "agent/operations/attachments.h"
#include "agent/operations/default_network.h"
#include "agent/operations/storage/layout.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using config::Settings;
using inventory::Inventory;

std::string own_host_name() {
    char name[256] = {};
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == 0) return "host";
    return name;
}

// The first address of the host that others can reach; loopback when there is none.
std::string first_address() {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return "127.0.0.1";
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
    for (const ifaddrs* one = list; one; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK)) continue;
        char text[INET_ADDRSTRLEN] = {};
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text, sizeof text);
        return text;
    }
    return "127.0.0.1";
}

std::string management_ip(const Settings& settings) {
    if (!settings.management_ip.empty()) return settings.management_ip;
    std::string address = settings.http_listen.substr(0, settings.http_listen.rfind(':'));
    if (address.starts_with("[") && address.ends_with("]")) address = address.substr(1, address.size() - 2);
    const bool is_wildcard = address.empty() || address == "0.0.0.0" || address == "::" || address == "*";
    return is_wildcard ? first_address() : address;
}

void make_zone(Inventory& inventory, const Settings& settings) {
    if (find_default(inventory, "zone")) return;
    Zone zone;
    zone.uuid = ZoneId::make();
    zone.name = settings.zone_name;
    zone.is_default = true;
    inventory.insert(zone);
    remember_default(inventory, "zone", zone.uuid.str());
}

void make_cluster(Inventory& inventory, const Settings& settings) {
    if (find_default(inventory, "cluster")) return;
    Cluster cluster;
    cluster.uuid = ClusterId::make();
    cluster.zone = ZoneId(*find_default(inventory, "zone"));
    cluster.name = settings.cluster_name;
    inventory.insert(cluster);
    remember_default(inventory, "cluster", cluster.uuid.str());
}

void make_host(Inventory& inventory, const Settings& settings) {
    if (const auto known = find_default(inventory, "host")) {
        inventory.observe<Host>(HostId(*known), [&](Host& host) {
            host.management_ip = management_ip(settings);
            host.status = ConnectionStatus::connecting;
        });
        return;
    }
    Host host;
    host.uuid = HostId::make();
    host.zone = ZoneId(*find_default(inventory, "zone"));
    host.cluster = ClusterId(*find_default(inventory, "cluster"));
    host.name = settings.host_name.empty() ? own_host_name() : settings.host_name;
    host.management_ip = management_ip(settings);
    inventory.insert(host);
    remember_default(inventory, "host", host.uuid.str());
}

std::string without_last_slash(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

// The store knows where the files are, so the settings must not point elsewhere while there are any.
template <class Storage>
void follow_path(Inventory& inventory, const std::string& uuid, const std::string& path, const char* setting,
                 std::int64_t stored) {
    const auto storage = inventory.find<Storage>(inventory::IdOf<Storage>(uuid));
    if (!storage || storage->url == path) return;
    if (stored > 0)
        throw Error(Code::invalid_argument, std::string(setting) + " is " + path + ", but the storage " + storage->name +
                                                " holds " + std::to_string(stored) + " files in " + storage->url +
                                                "; set it back, and add another storage through the API if one is wanted");
    log::info("a storage without files moves with the settings",
              {{"storage", storage->name}, {"from", storage->url}, {"to", path}});
    inventory.modify<Storage>(storage->uuid, [&](Storage& record) { record.url = path; });
}

void make_primary_storage(Inventory& inventory, const Settings& settings) {
    const std::string path = without_last_slash(settings.primary_path);
    if (const auto known = find_default(inventory, "primary-storage")) {
        follow_path<PrimaryStorage>(inventory, *known, path, "[primary_storage] path",
                                    inventory.count<Volume>({{"primaryStorageUuid", *known}}));
        return;
    }
    PrimaryStorage storage;
    storage.uuid = PrimaryStorageId::make();
    storage.zone = ZoneId(*find_default(inventory, "zone"));
    storage.name = settings.primary_name;
    storage.type = settings.primary_type;
    storage.url = path;
    inventory.insert(storage);
    attach(inventory, primary_storage_to_cluster, storage.uuid.str(), *find_default(inventory, "cluster"));
    remember_default(inventory, "primary-storage", storage.uuid.str());
}

void make_backup_storage(Inventory& inventory, const Settings& settings) {
    const std::string path = without_last_slash(settings.backup_path);
    if (const auto known = find_default(inventory, "backup-storage")) {
        follow_path<BackupStorage>(inventory, *known, path, "[backup_storage] path",
                                   inventory.count<ImageRef>({{"backupStorageUuid", *known}}));
        return;
    }
    BackupStorage storage;
    storage.uuid = BackupStorageId::make();
    storage.name = settings.backup_name;
    storage.url = path;
    storage.hostname = management_ip(settings);
    inventory.insert(storage);
    attach(inventory, backup_storage_to_zone, storage.uuid.str(), *find_default(inventory, "zone"));
    remember_default(inventory, "backup-storage", storage.uuid.str());
}

void check_paths(const Settings& settings) {
    const std::string primary = without_last_slash(settings.primary_path) + "/",
                      backup = without_last_slash(settings.backup_path) + "/";
    if (!primary.starts_with("/") || !backup.starts_with("/"))
        throw Error(Code::invalid_argument, "[primary_storage] path and [backup_storage] path must be absolute");
    if (primary.starts_with(backup) || backup.starts_with(primary))
        throw Error(Code::invalid_argument, "[primary_storage] path and [backup_storage] path must lie apart, but are " +
                                                primary + " and " + backup);
}

void make_account(Inventory& inventory) {
    const AccountId admin{admin_account};
    if (inventory.find<Account>(admin)) return;
    Account account;
    account.uuid = admin;
    account.name = "admin";
    account.type = "SystemAdmin";
    inventory.insert(account);
}

std::string key_of(std::string_view what) {
    return "default-" + std::string(what);
}

}  // namespace

std::optional<std::string> find_default(const Inventory& inventory, std::string_view what) {
    const auto found = inventory.find<Attachment>(key_of(what));
    return found ? std::optional(found->to) : std::nullopt;
}

void remember_default(Inventory& inventory, std::string_view what, const std::string& uuid) {
    Attachment mark;
    mark.uuid = key_of(what);
    mark.kind = "default";
    mark.from = what;
    mark.to = uuid;
    inventory.insert(mark);
}

HostId make_defaults(Inventory& inventory, const Settings& settings) {
    check_paths(settings);
    inventory.transaction([&] {
        make_account(inventory);
        make_zone(inventory, settings);
        make_cluster(inventory, settings);
        make_host(inventory, settings);
        make_primary_storage(inventory, settings);
        make_backup_storage(inventory, settings);
        make_default_network(inventory, settings);
    });
    return HostId(*find_default(inventory, "host"));
}

}  // namespace hvagent::operations
