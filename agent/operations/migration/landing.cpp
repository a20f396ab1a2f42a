#include "agent/operations/migration/landing.h"

#include <algorithm>
#include <filesystem>

#include "agent/operations/network/address_book.h"
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/storage/layout.h"
#include "agent/operations/storage/volume_files.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

class Search {
public:
    Search(Services& services, const VmBundle& bundle) : services_(services), bundle_(bundle) {}

    Landing run() {
        attempt([&] { look_at_host(); });
        attempt([&] { look_at_guest(); });
        attempt([&] { look_at_storages(); });
        attempt([&] { look_at_networks(); });
        attempt([&] { landing_.nvram_shared = sees_nvram(); });
        return std::move(landing_);
    }

private:
    void say(const std::string& reason) { landing_.reasons.push_back(reason); }

    template <class Look>
    void attempt(Look look) {
        try {
            look();
        } catch (const Error& error) {
            say(error.details());
        }
    }

    void look_at_host() {
        if (!services_.states.connected()) return say("its libvirt does not answer");
        const std::string full = services_.capacity.why_not(bundle_.vm.cpus, bundle_.vm.memory);
        if (!full.empty()) say(full);
        if (services_.inventory.find<Vm>(bundle_.vm.uuid)) say("it has a VM of this uuid");
        // Settling the earlier one ends what is of this VM here, whichever migration brought it.
        for (const Migration& row : services_.inventory.list<Migration>({{"vm", bundle_.vm.uuid.str()}}))
            if (row.role == MigrationRole::incoming && row.uuid != bundle_.migration)
                say("an earlier migration of the VM to it, " + row.uuid.str() + ", is not settled");
        const std::string dashed = with_dashes(bundle_.vm.uuid.str());
        for (const ForeignDomain& domain : services_.definitions.list_foreign())
            if (domain.name == bundle_.vm.uuid.str() || domain.uuid == dashed)
                say("it has a domain of this VM's name or uuid that is not managed");
    }

    void look_at_guest() {
        for (std::string& misfit : services_.migration.misfits(bundle_.needs)) say(misfit);
    }

    void look_at_storages() {
        std::map<PrimaryStorageId, Bytes> arriving;
        for (const MovingStorage& theirs : bundle_.storages) look_at_storage(theirs);
        for (const MovingFile& file : bundle_.files) {
            const auto found = landing_.storages.find(file.storage);
            if (found == landing_.storages.end()) continue;
            place(file, found->second, arriving[found->second.storage.uuid]);
        }
        for (const Volume& volume : bundle_.volumes) {
            const auto found = landing_.storages.find(volume.primary_storage);
            if (found != landing_.storages.end() && !found->second.shared)
                arriving[found->second.storage.uuid] += volume.size;
        }
        for (const auto& [storage, size] : arriving)
            if (size > 0) attempt([&] { require_room(services_, storage, size, "the VM's disks"); });
    }

    void look_at_storage(const MovingStorage& theirs) {
        const auto storages = services_.inventory.list<PrimaryStorage>();
        for (const PrimaryStorage& mine : storages)
            if (!theirs.probe.empty() && services_.files.exists(mine.url + "/" + theirs.probe)) {
                landing_.storages[theirs.uuid] = {mine, true};
                return;
            }
        const PrimaryStorage* best = nullptr;
        for (const PrimaryStorage& mine : storages) {
            // What several hosts see is no place for files that only this one would know of.
            if (mine.state != "Enabled" || mine.type != "LocalStorage") continue;
            if (!best || mine.uuid == theirs.uuid || mine.available_capacity > best->available_capacity) best = &mine;
            if (mine.uuid == theirs.uuid) break;
        }
        if (!best)
            return say("it does not see the primary storage " + theirs.name + " (" + theirs.url +
                       ") and has no enabled local one for a copy");
        landing_.storages[theirs.uuid] = {*best, false};
    }

    void place(const MovingFile& file, const LandingStorage& landing, Bytes& arriving) {
        const std::string url = source_url(file.storage);
        require_below(file.path, url);
        const std::string target = landing.storage.url + file.path.substr(url.size());
        landing_.paths[file.path] = target;
        if (landing.shared) {
            if (!services_.files.exists(target)) say("it does not see the file " + target + " of the shared storage");
            return;
        }
        const bool is_counted_by_volume = file.kind == FileKind::active;
        const bool is_cached = (file.kind == FileKind::base || file.kind == FileKind::iso) && services_.files.exists(target);
        if (!is_counted_by_volume && !is_cached) arriving += file.allocated;
    }

    bool sees_nvram() const {
        if (bundle_.needs.nvram.empty() || bundle_.nvram_probe.empty()) return false;
        if (!opens_nvram_directory(services_)) return true;  // nothing is brought, and nothing removed
        return services_.files.exists(std::filesystem::path(bundle_.needs.nvram).parent_path() / bundle_.nvram_probe);
    }

    // What a peer names must not lead out of the storage.
    static void require_below(const std::string& path, const std::string& url) {
        const bool is_plain = path.find("/../") == std::string::npos && path.find("/./") == std::string::npos &&
                              path.find("//") == std::string::npos && !path.ends_with("/..") && !path.ends_with("/.");
        if (url.empty() || !path.starts_with(url + "/") || !is_plain)
            throw Error(Code::invalid_argument, "the file " + path + " does not lie below its storage " + url);
    }

    std::string source_url(const PrimaryStorageId& storage) const {
        for (const MovingStorage& one : bundle_.storages)
            if (one.uuid == storage) return one.url;
        throw Error(Code::invalid_argument, "a file of the VM lies on a storage that was not sent");
    }

    void look_at_networks() {
        for (const MovingNetwork& theirs : bundle_.networks) {
            const auto mine = match(theirs);
            if (!mine) {
                say("it has no L3 network like " + theirs.name +
                    (theirs.nat ? " (NAT, " + theirs.cidr + ")" : " (bridge " + theirs.bridge + ")"));
                continue;
            }
            landing_.networks[theirs.uuid] = *mine;
            if (!theirs.nat && !services_.networks.bridge_exists(bridge_of(*mine)))
                say("it has no bridge " + bridge_of(*mine) + " for the L3 network " + theirs.name);
        }
        for (const VmNic& nic : bundle_.nics) look_at_nic(nic);
    }

    void look_at_nic(const VmNic& nic) {
        const auto network = landing_.networks.find(nic.l3_network);
        if (network == landing_.networks.end()) return;
        if (!services_.addresses.mac_is_free(nic.mac)) say("the MAC address " + nic.mac + " is in use on it");
        if (!nic.ip.empty() && services_.inventory.count<IpRange>({{"l3NetworkUuid", network->second.str()}}) > 0)
            attempt([&] { services_.addresses.require_free(network->second, nic.ip); });
    }

    std::string bridge_of(const L3NetworkId& l3) const {
        return services_.inventory.get<L2Network>(services_.inventory.get<L3Network>(l3).l2_network).physical_interface;
    }

    // The same record, as a controller registers it at every host; else one that leads to the same place.
    std::optional<L3NetworkId> match(const MovingNetwork& theirs) const {
        if (services_.inventory.find<L3Network>(theirs.uuid)) return theirs.uuid;
        for (const L3Network& mine : services_.inventory.list<L3Network>()) {
            if (mine.state != EnabledState::enabled || services_.addresses.is_nat(mine.uuid) != theirs.nat) continue;
            const auto ranges = services_.inventory.list<IpRange>({{"l3NetworkUuid", mine.uuid.str()}});
            const std::string cidr = ranges.empty() ? "" : ranges.front().network_cidr;
            const bool same_addresses = cidr == theirs.cidr || (!theirs.nat && (cidr.empty() || theirs.cidr.empty()));
            if (same_addresses && (theirs.nat || bridge_of(mine.uuid) == theirs.bridge)) return mine.uuid;
        }
        return std::nullopt;
    }

    Services& services_;
    const VmBundle& bundle_;
    Landing landing_;
};

}  // namespace

Landing find_landing(Services& services, const VmBundle& bundle) {
    return Search(services, bundle).run();
}

json to_json(const Landing& landing) {
    json out{{"storages", json::object()},
             {"networks", json::object()},
             {"paths", landing.paths},
             {"nvramShared", landing.nvram_shared}};
    for (const auto& [theirs, mine] : landing.storages)
        out["storages"][theirs.str()] = {{"uuid", mine.storage.uuid.str()}, {"shared", mine.shared}};
    for (const auto& [theirs, mine] : landing.networks) out["networks"][theirs.str()] = mine.str();
    return out;
}

Landing landing_from_json(Services& services, const json& stored) {
    Landing landing;
    for (const auto& [theirs, mine] : stored.at("storages").items())
        landing.storages[PrimaryStorageId(theirs)] = {
            services.inventory.get<PrimaryStorage>(PrimaryStorageId(mine.at("uuid").get<std::string>())),
            mine.at("shared").get<bool>()};
    for (const auto& [theirs, mine] : stored.at("networks").items())
        landing.networks[L3NetworkId(theirs)] = L3NetworkId(mine.get<std::string>());
    landing.paths = stored.at("paths").get<std::map<std::string, std::string>>();
    landing.nvram_shared = stored.value("nvramShared", true);  // unknown is not to be removed
    return landing;
}

}  // namespace hvagent::operations
