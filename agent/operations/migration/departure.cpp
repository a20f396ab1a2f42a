#include "agent/operations/migration/departure.h"

#include <algorithm>
#include <filesystem>

#include "agent/inventory/record_json.h"
#include "agent/operations/migration/options.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/storage/volume_files.h"
#include "agent/operations/vm/ownership.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

constexpr milliseconds ask_patience{10000};
constexpr milliseconds work_patience{40000};  // the other end defines, starts or removes things
constexpr std::chrono::hours note_lifetime{24 * 7};

json about(const Migration& row) {
    return {{"migration", row.uuid.str()}, {"vm", row.vm.str()}};
}

std::optional<MigrationTruth> truth_here(Services& services, const VmId& vm) {
    try {
        return services.migration.truth(vm);
    } catch (const Error& error) {
        log::debug("libvirt does not tell where a VM is", {{"vm", vm.str()}, {"error", error.details()}});
        return std::nullopt;
    }
}

std::optional<MigrationTruth> truth_there(Services& services, const Migration& row) {
    try {
        return truth_from_json(services.peers.ask(row.peer, "migration-truth", about(row), ask_patience));
    } catch (const Error& error) {
        log::debug("the destination does not tell where a VM is", {{"vm", row.vm.str()}, {"error", error.details()}});
        return std::nullopt;
    }
}

Migration write_stage(Services& services, const Migration& row, MigrationStage stage, const std::string& reason) {
    return services.inventory.modify<Migration>(row.uuid, [&](Migration& record) {
        record.stage = stage;
        record.reason = reason;
    });
}

void take_off_this_host(Services& services, const VmId& vm) {
    services.power.destroy(vm);
    services.definitions.undefine(vm);
    for (const VmNic& nic : services.inventory.list<VmNic>({{"vmInstanceUuid", vm.str()}})) {
        services.addresses.withdraw(nic);
        services.addresses.release(nic.uuid);
    }
}

template <class T>
void remove_all(inventory::Inventory& inventory, const inventory::Where& where) {
    for (const T& one : inventory.list<T>(where)) inventory.remove<T>(one.uuid);
}

// The records go with the note of where the VM is: there is never neither.
void remove_records(Services& services, const Migration& row, const std::string& inventory_there) {
    auto& inventory = services.inventory;
    const inventory::Where of_vm{{"vmInstanceUuid", row.vm.str()}};
    inventory.transaction([&] {
        for (const Volume& volume : inventory.list<Volume>(of_vm)) {
            const inventory::Where of_volume{{"volumeUuid", volume.uuid.str()}};
            remove_all<VolumeSnapshot>(inventory, of_volume);
            remove_all<SnapshotTree>(inventory, of_volume);
            remove_all<Scheduler>(inventory, {{"targetResourceUuid", volume.uuid.str()}});
            inventory.remove<Volume>(volume.uuid);
        }
        remove_all<VmNic>(inventory, of_vm);
        remove_all<VmCdRom>(inventory, of_vm);
        inventory.remove<Vm>(row.vm);
        inventory.modify<Migration>(row.uuid, [&](Migration& record) {
            record.stage = MigrationStage::departed;
            record.bundle = inventory_there;
        });
    });
}

// By the migration, or by us to let it converge; a guest that its user, or an I/O error, paused stays paused.
bool was_left_paused(Services& services, const Migration& row) {
    if (load_departure(row).was_paused) return false;
    const MigrationTruth here = services.migration.truth(row.vm);
    const bool by_migration = here.reason == "user" || here.reason.find("migrat") != std::string::npos;
    return here.active && here.state == VmState::paused && by_migration;
}

// On a storage that both hosts use, the destination has written its own.
void remove_unshared_note(Services& services, const VmId& id, const DepartureFacts& facts) {
    const auto vm = services.inventory.find<Vm>(id);
    const auto root = vm ? services.inventory.find<Volume>(vm->root_volume) : std::nullopt;
    if (root && !facts.shared_storages.contains(root->primary_storage.str()))
        services.files.remove_file(owner_note_path(services, *vm));
}

void resume_post_copy(Services& services, const Migration& row) {
    const auto destination = services.inventory.find<Host>(row.peer);
    if (!destination) return;
    MigrationOptions options;
    options.tls = services.settings.migration_tls;
    MigrationWay way;
    apply(options, way);
    way.migrate_address = destination->management_ip;
    way.destination_uri = libvirt_uri(options, way.migrate_address);
    services.migration.resume_post_copy(row.vm, way);
}

void leave(Services& services, const Migration& row, const json& answer) {
    const DepartureFacts facts = load_departure(row);
    take_off_this_host(services, row.vm);
    for (const Volume& volume : services.inventory.list<Volume>({{"vmInstanceUuid", row.vm.str()}}))
        if (!facts.shared_storages.contains(volume.primary_storage.str())) remove_volume_file(services, volume);
    remove_unshared_note(services, row.vm, facts);
    services.disk_images.remove(services.settings.state_directory + "/serial/" + row.vm.str() + ".log");
    if (!facts.nvram.empty() && opens_nvram_directory(services)) services.files.remove_file(facts.nvram);
    remove_records(services, row, answer.dump());
    services.image_cache.drop_unused();
    services.consider_schedulers();
    log::info("vm departed", {{"vm", row.vm.str()}, {"to", row.peer.str()}});
}

}  // namespace

StorageProbes::StorageProbes(Services& services, VmBundle& bundle) : services_(services) {
    for (MovingStorage& storage : bundle.storages) storage.probe = place(storage.url);
    if (const std::string& nvram = bundle.needs.nvram; !nvram.empty())
        bundle.nvram_probe = place(std::filesystem::path(nvram).parent_path());
}

std::string StorageProbes::place(const std::string& directory) {
    const std::string probe = ".hvagent-probe-" + make_uuid();
    paths_.push_back(directory + "/" + probe);
    services_.disk_images.create_raw(paths_.back(), 512);
    return probe;
}

StorageProbes::~StorageProbes() {
    for (const std::string& path : paths_) {
        try {
            services_.disk_images.remove(path);
        } catch (...) {
            log::warning("a probe of a storage was left", {{"path", path}, {"error", current_error().details()}});
        }
    }
}

std::vector<std::string> reasons_against(Services& services, const HostId& peer, const VmBundle& bundle) {
    const Host host = services.inventory.get<Host>(peer);
    if (host.status != ConnectionStatus::connected) return {"it is " + std::string(hvagent::to_text(host.status))};
    if (host.state != "Enabled") return {"it is " + host.state};
    std::vector<std::string> reasons;
    try {
        reasons = services.peers.ask(peer, "migration-fit", {{"vm", to_json(bundle)}}, ask_patience)
                      .at("reasons")
                      .get<std::vector<std::string>>();
    } catch (const Error& error) {
        return {error.details()};
    }
    MigrationOptions options;
    options.tls = services.settings.migration_tls;
    // This host's libvirt goes the same way, and would find out when the disks have been prepared.
    if (const auto why = services.migration.why_unreachable(libvirt_uri(options, host.management_ip)))
        reasons.push_back("its libvirt does not let this host in: " + *why);
    return reasons;
}

bool is_lost(Services& services, const HostId& peer) {
    const auto host = services.inventory.find<Host>(peer);
    return host && host->status == ConnectionStatus::disconnected;
}

std::string store(const DepartureFacts& facts) {
    return json{{"wasPaused", facts.was_paused}, {"shared", facts.shared_storages}, {"nvram", facts.nvram}}.dump();
}

DepartureFacts load_departure(const Migration& row) {
    const json stored = json::parse(row.bundle);
    return {stored.at("wasPaused").get<bool>(), stored.at("shared").get<std::set<std::string>>(), stored.value("nvram", "")};
}

Judgement judge_departure(Services& services, const Migration& row) {
    const auto there = truth_there(services, row);
    // In this order: what runs here after the destination was asked was not handed over meanwhile.
    const auto here = truth_here(services, row.vm);
    const Judgement judgement = judge(here, there, load_departure(row).was_paused);
    if (judgement.broke_off) resume_post_copy(services, row);
    return judgement;
}

json finish_moved(Services& services, const Migration& open, const Judgement& judgement) {
    const Migration row =
        open.stage == MigrationStage::moved ? open : write_stage(services, open, MigrationStage::moved, judgement.reason);
    services.inventory.observe<Vm>(
        row.vm, [&](Vm& record) { record.observed_reason = row.reason + "; the destination has not confirmed it yet"; });
    json request = about(row);
    request["resume"] = !load_departure(row).was_paused;
    const json answer = services.peers.ask(row.peer, "migration-take", request, work_patience);
    leave(services, row, answer);
    return answer;
}

std::optional<Error> finish_stayed(Services& services, const Migration& open, const Judgement& judgement) {
    const Migration row =
        open.stage == MigrationStage::stayed ? open : write_stage(services, open, MigrationStage::stayed, judgement.reason);
    json request = about(row);
    request["reason"] = row.reason;
    const bool resumes = was_left_paused(services, row);
    std::optional<Error> untold;
    try {
        if (is_lost(services, row.peer))
            throw Error(Code::host_connection, "host " + services.inventory.get<Host>(row.peer).name + " is Disconnected");
        services.peers.ask(row.peer, "migration-drop", request, work_patience);
    } catch (const Error& error) {
        // A guest that may not be alone must not be started.
        if (resumes) throw;
        if (error.code() != Code::not_found) untold = error;
    }
    if (resumes) services.power.resume(row.vm);
    services.inventory.transaction([&] {
        services.inventory.observe<Vm>(row.vm, [](Vm& record) { record.migration = MigrationId(); });
        if (!untold) services.inventory.remove<Migration>(row.uuid);
    });
    services.states.look(row.vm);
    return untold;
}

namespace {

void settle_stayed(Services& services, const Migration& row, const Judgement& judgement) {
    if (const auto untold = finish_stayed(services, row, judgement))
        throw Error(untold->code(), "the destination does not know yet that the VM stayed: " + untold->details());
}

}  // namespace

void settle_departure(Services& services, const Migration& row) {
    if (row.stage == MigrationStage::moved) {
        finish_moved(services, row, {Verdict::moved, row.reason});
        return;
    }
    if (row.stage == MigrationStage::stayed) return settle_stayed(services, row, {Verdict::stayed, row.reason});
    const Judgement judgement = judge_departure(services, row);
    if (judgement.verdict == Verdict::wait) {
        services.inventory.observe<Vm>(row.vm, [&](Vm& record) {
            record.observed = VmState::unknown;
            record.observed_reason = judgement.reason;
        });
        throw Error(Code::not_ready, judgement.reason);
    }
    if (judgement.verdict == Verdict::moved)
        finish_moved(services, row, judgement);
    else
        settle_stayed(services, row, judgement);
}

void forget_departed(Services& services, const Migration& row) {
    if (services.clock.now() - row.last_op > note_lifetime) services.inventory.remove<Migration>(row.uuid);
}

}  // namespace hvagent::operations
