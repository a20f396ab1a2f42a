#include "agent/operations/migration/arrival.h"

#include <filesystem>
#include <set>

#include "agent/operations/network/address_book.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/storage/layout.h"
#include "agent/operations/vm/ownership.h"
#include "agent/operations/vm/parts.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

bool is_recorded(Services& services, const std::string& path) {
    return services.inventory.count<Volume>({{"installPath", path}}) > 0 ||
           services.inventory.count<VolumeSnapshot>({{"primaryStorageInstallPath", path}}) > 0;
}

// Brings the files of storages that both hosts do not share.
class Delivery {
public:
    Delivery(Services& services, const Arrival& arrival, const ArrivalProgress& progress, Cancellation& cancel)
        : services_(services), bundle_(arrival.bundle), landing_(arrival.landing), progress_(progress), cancel_(cancel) {}

    void run() {
        for (const MovingFile& file : bundle_.files)
            if (!landing_.is_shared(file.storage) && file.kind != FileKind::active) total_ += file.allocated;
        for (const MovingFile& file : bundle_.files) {
            if (landing_.is_shared(file.storage)) continue;
            cancel_.check();
            services_.files.make_directories(std::filesystem::path(target_of(file)).parent_path());
            deliver(file);
            if (file.kind != FileKind::active) done_ += file.allocated;
        }
        bring_nvram();
    }

private:
    std::string part_of(const std::string& target) const { return target + ".part-" + bundle_.migration.str(); }
    const std::string& target_of(const MovingFile& file) const { return landing_.paths.at(file.path); }

    void deliver(const MovingFile& file) {
        switch (file.kind) {
            case FileKind::active: return make_active(file);
            case FileKind::base:
            case FileKind::iso: return bring_image(file);
            case FileKind::layer: break;
        }
        if (services_.files.exists(target_of(file))) {
            if (delivered_.contains(target_of(file)) || is_same(file)) return;
            remove_leftover(target_of(file));
        }
        fetch(file);
    }

    // Libvirt writes into a file that is there.
    void make_active(const MovingFile& file) {
        const std::string& target = target_of(file);
        if (services_.files.exists(target)) remove_leftover(target);
        if (file.format == "raw")
            services_.disk_images.create_raw(target, file.virtual_size);
        else if (file.backing.empty())
            services_.disk_images.create_empty(target, file.virtual_size);
        else
            services_.disk_images.create_overlay(target, landing_.paths.at(file.backing), format_of(file.backing),
                                                 file.virtual_size);
    }

    std::string format_of(const std::string& source_path) const {
        for (const MovingFile& file : bundle_.files)
            if (file.path == source_path) return file.format;
        throw Error(Code::invalid_argument, "a layer lies on " + source_path + ", which was not sent");
    }

    void bring_image(const MovingFile& file) {
        const std::string& target = target_of(file);
        if (services_.files.exists(target)) {
            if (is_known_image(file) || is_same(file)) return;
            throw Error(Code::operation_failed, "the file " + target + " is there already and its content is another one");
        }
        if (is_known_image(file)) {
            const Image image = services_.inventory.get<Image>(file.image);
            const PrimaryStorage& storage = landing_.storages.at(file.storage).storage;
            if (cached_image_path(storage, image) == target) {
                services_.image_cache.fetch(
                    image, storage, [&](int percent) { tell(file, percent); }, cancel_);
                return;
            }
        }
        try {
            fetch(file);
        } catch (const Error& error) {
            // Another VM on the same image may have arrived at the same time.
            if (error.code() != Code::operation_failed || !services_.files.exists(target) || !is_same(file)) throw;
            services_.files.remove_file(part_of(target));
        }
    }

    // This host's store has the very same file.
    bool is_known_image(const MovingFile& file) const {
        const auto mine = services_.inventory.find<Image>(file.image);
        if (!mine || mine->md5.empty() || mine->status != ImageStatus::ready) return false;
        for (const MovingImage& theirs : bundle_.images)
            if (theirs.uuid == file.image) return theirs.md5 == mine->md5;
        return false;
    }

    // QEMU writes what came with the memory when the guest goes on. One that arrives paused may be ended before.
    void bring_nvram() {
        const std::string& target = bundle_.needs.nvram;
        if (target.empty() || bundle_.nvram_ticket.empty() || landing_.nvram_shared) return;
        if (!opens_nvram_directory(services_)) return;
        const std::string part = part_of(target);
        services_.peers.fetch(
            bundle_.source, bundle_.nvram_ticket, part, 0, [](Bytes, Bytes) {}, cancel_);
        services_.files.remove_file(target);
        services_.files.publish(part, target);
    }

    bool is_same(const MovingFile& file) {
        const json answer =
            services_.peers.ask(bundle_.source, "migration-checksum",
                                {{"migration", bundle_.migration.str()}, {"path", file.path}}, std::chrono::minutes(30));
        return answer.at("sha256") == services_.files.sha256(target_of(file), cancel_);
    }

    void remove_leftover(const std::string& path) {
        if (is_recorded(services_, path))
            throw Error(Code::operation_failed, "the file " + path + " belongs to a volume of this host");
        services_.files.remove_file(path);
    }

    void fetch(const MovingFile& file) {
        const std::string& target = target_of(file);
        const std::string part = part_of(target);
        services_.peers.fetch(
            bundle_.source, file.ticket, part, 0,
            [&](Bytes done, Bytes total) { tell(file, total > 0 ? static_cast<int>(done * 100 / total) : 0); }, cancel_);
        const DiskImageInfo info = services_.disk_images.inspect(part, file.format);
        if (info.virtual_size != file.virtual_size || info.has_external_data_file || info.backing_file != file.backing)
            throw Error(Code::operation_failed, "what came as " + file.path + " is another file");
        if (!file.backing.empty() && landing_.paths.at(file.backing) != file.backing)
            services_.disk_images.relink(part, landing_.paths.at(file.backing), format_of(file.backing));
        services_.files.publish(part, target);
        delivered_.insert(target);
    }

    void tell(const MovingFile& file, int percent) {
        const Bytes done = done_ + file.allocated * percent / 100;
        progress_(total_ > 0 ? static_cast<int>(done * 100 / total_) : 0,
                  "fetch " + std::string(hvagent::to_text(file.kind)) + " " +
                      std::filesystem::path(file.path).filename().string() + ", " + human_size(done) + " of " +
                      human_size(total_));
    }

    Services& services_;
    const VmBundle& bundle_;
    const Landing& landing_;
    const ArrivalProgress& progress_;
    Cancellation& cancel_;
    Bytes total_ = 0, done_ = 0;
    std::set<std::string> delivered_;
};

VmNic as_here(const Landing& landing, VmNic nic) {
    nic.l3_network = landing.networks.at(nic.l3_network);
    return nic;
}

std::string hostname_in(const VmBundle& bundle) {
    for (const Tag& tag : bundle.tags)
        if (tag.resource_uuid == bundle.vm.uuid.str() && tag.type == "System" && tag.tag.starts_with("hostname::"))
            return tag.tag.substr(std::string_view("hostname::").size());
    return "";
}

void prepare_networks(Services& services, const Arrival& arrival) {
    for (const VmNic& theirs : arrival.bundle.nics) {
        const VmNic nic = as_here(arrival.landing, theirs);
        NicSpec ignored;
        services.addresses.plug(nic.l3_network, ignored);  // makes the network where it is ours
        services.addresses.reserve(nic);
    }
}

// "a path at the source, or below a storage of it" -> here.
std::string moved_path(const Landing& landing, const std::string& path) {
    const auto found = landing.paths.find(path);
    return found == landing.paths.end() ? path : found->second;
}

class Records {
public:
    Records(Services& services, const Migration& row, const Arrival& arrival)
        : services_(services), row_(row), bundle_(arrival.bundle), landing_(arrival.landing) {}

    void insert(const VmObservation& seen) {
        const std::int64_t epoch = claimed_epoch();
        services_.inventory.transaction([&] {
            insert_vm(seen, epoch);
            for (const VmNic& theirs : bundle_.nics) insert_nic(theirs);
            for (VmCdRom drive : bundle_.cdroms) {
                drive.iso_path = moved_path(landing_, drive.iso_path);
                services_.inventory.insert(drive);
            }
            for (Volume volume : bundle_.volumes) {
                volume.install_path = moved_path(landing_, volume.install_path);
                volume.primary_storage = here(volume.primary_storage);
                services_.inventory.insert(volume);
            }
            for (VolumeSnapshot snapshot : bundle_.snapshots) {
                snapshot.install_path = moved_path(landing_, snapshot.install_path);
                snapshot.primary_storage = here(snapshot.primary_storage);
                services_.inventory.insert(snapshot);
            }
            for (const SnapshotTree& tree : bundle_.trees) services_.inventory.insert(tree);
            for (const Scheduler& scheduler : bundle_.schedulers) services_.inventory.insert(scheduler);
            for (const Tag& tag : bundle_.tags) services_.inventory.insert(tag);
            services_.inventory.remove<Migration>(row_.uuid);
        });
    }

private:
    PrimaryStorageId here(const PrimaryStorageId& storage) const {
        const auto found = landing_.storages.find(storage);
        return found == landing_.storages.end() ? storage : found->second.storage.uuid;
    }

    void insert_vm(const VmObservation& seen, std::int64_t epoch) {
        const Host host = services_.inventory.get<Host>(services_.host);
        Vm vm = bundle_.vm;
        const bool runs = seen.state == VmState::running || seen.state == VmState::paused;
        vm.host = runs ? services_.host : HostId();  // it may have gone off since
        vm.last_host = runs ? bundle_.source : services_.host;
        vm.zone = host.zone;
        vm.cluster = host.cluster;
        vm.transition.reset();
        vm.migration = MigrationId();
        vm.epoch = epoch;
        vm.observed = seen.state;
        vm.observed_reason = seen.reason;
        vm.observed_at = seen.at;
        vm.last_op = services_.clock.now();
        const auto network = landing_.networks.find(vm.default_l3);
        if (network != landing_.networks.end()) vm.default_l3 = network->second;
        services_.inventory.insert(vm);
    }

    std::int64_t claimed_epoch() {
        for (const Volume& volume : bundle_.volumes) {
            const auto found = landing_.storages.find(volume.primary_storage);
            if (volume.uuid == bundle_.vm.root_volume && found != landing_.storages.end() && found->second.shared)
                return claim_arriving(services_, bundle_.vm, found->second.storage);
        }
        return bundle_.vm.epoch + 1;
    }

    void insert_nic(const VmNic& theirs) {
        VmNic nic = as_here(landing_, theirs);
        nic.used_ip = UsedIpId();
        for (const UsedIp& used : services_.inventory.list<UsedIp>({{"vmNicUuid", nic.uuid.str()}})) {
            nic.used_ip = used.uuid;
            nic.netmask = used.netmask;
            nic.gateway = used.gateway;
        }
        services_.inventory.insert(nic);
    }

    Services& services_;
    const Migration& row_;
    const VmBundle& bundle_;
    const Landing& landing_;
};

}  // namespace

std::string store(const Arrival& arrival) {
    return json{{"bundle", to_json(arrival.bundle)}, {"landing", to_json(arrival.landing)}}.dump();
}

Arrival load_arrival(Services& services, const Migration& row) {
    const json stored = json::parse(row.bundle);
    return {bundle_from_json(stored.at("bundle")), landing_from_json(services, stored.at("landing"))};
}

void prepare_arrival(Services& services, const Arrival& arrival, const ArrivalProgress& progress, Cancellation& cancel) {
    prepare_networks(services, arrival);
    Delivery(services, arrival, progress, cancel).run();
}

void announce_arrival(Services& services, const Arrival& arrival) {
    for (const VmNic& theirs : arrival.bundle.nics)
        services.addresses.publish(as_here(arrival.landing, theirs), hostname_in(arrival.bundle));
}

MigrationPlaces places_of(Services& services, const Arrival& arrival) {
    MigrationPlaces places;
    for (const auto& [theirs, mine] : arrival.landing.paths)
        if (theirs != mine) places.paths[theirs] = mine;
    const std::string serial_log = services.settings.state_directory + "/serial/" + arrival.bundle.vm.uuid.str() + ".log";
    if (serial_log != arrival.bundle.serial_log) places.paths[arrival.bundle.serial_log] = serial_log;
    for (const VmNic& nic : arrival.bundle.nics) {
        NicSpec plug;
        services.addresses.plug(arrival.landing.networks.at(nic.l3_network), plug);
        places.nics.push_back({nic.mac, plug.network, plug.bridge, nic.internal_name});
    }
    places.host_uuid = services.host.str();
    return places;
}

std::vector<VolumeId> copied_volumes(const Arrival& arrival) {
    std::vector<VolumeId> copied;
    for (const MovingFile& file : arrival.bundle.files)
        if (file.kind == FileKind::active && !arrival.landing.is_shared(file.storage)) copied.push_back(file.volume);
    return copied;
}

namespace {

void publish_addresses(Services& services, const VmId& vm) {
    for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", vm.str()}})) {
        try {
            services.addresses.publish(nic, hostname_of(services, vm));
        } catch (const Error& error) {
            // A host name that is taken here is no reason to be nowhere.
            if (error.code() != Code::operation_failed) throw;
            log::warning("a VM that arrived is not in the network's DHCP", {{"vm", vm.str()}, {"error", error.details()}});
        }
    }
}

}  // namespace

void complete_arrival(Services& services, const VmId& vm, bool resume) {
    services.definitions.define(make_spec(services, services.inventory.get<Vm>(vm)));
    const MigrationTruth truth = services.migration.truth(vm);
    if (truth.active) services.migration.adopt(vm, services.host.str());
    // Who paused it since meant it.
    const bool was_left_paused = truth.state == VmState::paused && truth.reason.find("migrat") != std::string::npos;
    if (resume && was_left_paused) services.power.resume(vm);
    publish_addresses(services, vm);
    services.states.look(vm);  // events that came before the record was there found nothing to write to
}

json take_arrival(Services& services, const Migration& row, bool resume) {
    const VmId vm = row.vm;
    if (!services.inventory.find<Vm>(vm)) {
        const MigrationTruth truth = services.migration.truth(vm);
        const VmObservation seen{vm, truth.state, truth.reason, services.clock.now()};
        Records(services, row, load_arrival(services, row)).insert(seen);
        services.consider_schedulers();
        log::info("vm arrived", {{"vm", vm.str()}, {"from", row.peer.str()}, {"state", hvagent::to_text(seen.state)}});
    }
    complete_arrival(services, vm, resume);
    return services.inventory.answer("VmInstance", vm.str());
}

void drop_arrival(Services& services, const Migration& row) {
    if (services.inventory.find<Vm>(row.vm))
        throw Error(Code::vm_wrong_state, "VM " + row.vm.str() + " was taken over by this host already");
    const Arrival arrival = load_arrival(services, row);
    services.power.destroy(row.vm);
    services.definitions.undefine(row.vm);
    for (const VmNic& theirs : arrival.bundle.nics) {
        services.addresses.withdraw(as_here(arrival.landing, theirs));
        services.addresses.release(theirs.uuid);
    }
    for (const MovingFile& file : arrival.bundle.files) {
        if (arrival.landing.is_shared(file.storage)) continue;
        const std::string& target = arrival.landing.paths.at(file.path);
        for (const char* end : {"", ".resume"})
            services.files.remove_file(target + ".part-" + arrival.bundle.migration.str() + end);
        if (file.kind == FileKind::base || file.kind == FileKind::iso) continue;  // the cache tidies itself
        if (!is_recorded(services, target)) services.files.remove_file(target);
        services.files.remove_empty_directories(std::filesystem::path(target).parent_path(),
                                                arrival.landing.storages.at(file.storage).storage.url);
    }
    const std::string& nvram = arrival.bundle.needs.nvram;
    if (!nvram.empty() && !arrival.landing.nvram_shared && opens_nvram_directory(services))
        for (const std::string& end : {std::string(), ".part-" + row.uuid.str(), ".part-" + row.uuid.str() + ".resume"})
            services.files.remove_file(nvram + end);
    services.inventory.remove<Migration>(row.uuid);
    services.image_cache.drop_unused();
}

}  // namespace hvagent::operations
