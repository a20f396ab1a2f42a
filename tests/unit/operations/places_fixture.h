// A host in memory after its first start, and operations called the way the job engine calls them.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/operations/catalog.h"
#include "agent/operations/defaults.h"
#include "agent/operations/migration/migrations.h"
#include "agent/operations/network/address_book.h"
#include "agent/operations/place/host_capacity.h"
#include "agent/operations/storage/directories.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/peers/peer_files.h"
#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/fake_disk_images.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/fake_peers.h"
#include "tests/fakes/fake_storage_files.h"
#include "tests/fakes/fake_vm_disks.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent::operations {

using nlohmann::json;

class PlainJob final : public Job {
public:
    const JobId& id() const override { return id_; }
    const std::string& account() const override { return account_; }
    Cancellation& cancellation() override { return cancellation_; }
    Moment deadline() const override { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }
    void progress(int, const std::string&) override {}
    bool resumed() const override { return is_resumed; }
    void remember(const std::string&, const json&) override {}
    std::optional<json> recall(const std::string&) const override { return std::nullopt; }

    bool is_resumed = false;

private:
    JobId id_ = JobId::make();
    std::string account_;
    Cancellation cancellation_;
};

class Places : public testing::Test {
protected:
    Places() : Places(config::Settings{}) {}
    explicit Places(config::Settings wanted) : settings(std::move(wanted)) { settings.libvirt_wait = seconds(0); }
    ~Places() override { world.observer().stop(); }

    // What the daemon does at its start; tests that look at the first start itself do not call it.
    void start() {
        inventory.migrate();
        host = make_defaults(inventory, settings);
        open_storages(inventory, files);
        states = std::make_unique<state::VmStates>(inventory, world.observer(), clock, host);
        capacity = std::make_unique<HostCapacity>(settings, inventory, world.inspector(), host);
        services = std::unique_ptr<Services>(new Services{settings,
                                                          clock,
                                                          inventory,
                                                          *states,
                                                          world.power(),
                                                          world.definitions(),
                                                          world.inspector(),
                                                          world.networks(),
                                                          disks,
                                                          world.migration(),
                                                          images,
                                                          files,
                                                          http,
                                                          host,
                                                          *capacity,
                                                          cache,
                                                          addresses,
                                                          migrations,
                                                          peers,
                                                          peer_files,
                                                          [](const VmId&) {}});
        catalog = std::make_unique<api::Catalog>(make_catalog(*services, {}));
        world.observer().start(*states);
        world.settle();
    }

    // Arguments as a client sends them, through both passes of validation and admission.
    json call(const std::string& operation, const json& sent, bool resumed = false) {
        const api::Row* row = catalog->find(operation);
        if (!row) throw Error(Code::internal, "no operation " + operation);
        const json arguments = row->accept(sent);
        row->check(arguments);
        if (!row->is_job) return row->answer({}, arguments);
        if (!api::admit(*row, arguments, inventory, resumed)) return json::object();
        PlainJob job;
        job.is_resumed = resumed;
        row->queues(arguments);
        try {
            return row->run(job, arguments);
        } catch (const Error& error) {
            throw api::wrap_failure(*row, error);
        }
    }
    // The error the call ends with; its innermost cause says why.
    Error failure_of(const std::string& operation, const json& sent) {
        try {
            call(operation, sent);
        } catch (const Error& error) {
            return error.cause() ? *error.cause() : error;
        }
        ADD_FAILURE() << operation << " did not fail: " << sent.dump();
        return Error(Code::internal, "");
    }
    std::string create(const std::string& operation, const json& sent) { return call(operation, sent)["inventory"]["uuid"]; }
    json query(const std::string& operation, const std::vector<std::string>& conditions = {}) {
        return call(operation, {{"q", conditions}})["inventories"];
    }
    json only(const std::string& operation, const std::vector<std::string>& conditions = {}) {
        const json found = query(operation, conditions);
        EXPECT_EQ(found.size(), 1u) << operation << ": " << found.dump();
        return found.empty() ? json::object() : found[0];
    }
    std::string made(const char* what) { return *find_default(inventory, what); }

    VmId add_vm(const std::function<void(Vm&)>& change = {}) {
        Vm vm;
        vm.uuid = VmId::make();
        vm.name = "vm-1";
        vm.zone = ZoneId(made("zone"));
        vm.cluster = ClusterId(made("cluster"));
        if (change) change(vm);
        inventory.insert(vm);
        return vm.uuid;
    }
    VolumeId add_volume(const std::string& storage, Bytes size = GiB) {
        Volume volume;
        volume.uuid = VolumeId::make();
        volume.name = "volume-1";
        volume.primary_storage = PrimaryStorageId(storage);
        volume.size = size;
        inventory.insert(volume);
        return volume.uuid;
    }
    NicId add_nic(const std::string& l3_network) {
        VmNic nic;
        nic.uuid = NicId::make();
        nic.vm = add_vm();
        nic.l3_network = L3NetworkId(l3_network);
        nic.mac = addresses.make_mac();
        inventory.insert(nic);
        return nic.uuid;
    }

    config::Settings settings;
    SystemClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    FakeHost world{clock};
    FakeFileSystem disk;
    FakeStorageFiles files{disk};
    FakeDiskImages images{disk};
    FakeVmDisks disks{world.domains(), world.faults, disk};
    FakeHttpClient http{disk};
    ImageCache cache{inventory, files, images};
    AddressBook addresses{settings, inventory, world.networks()};
    Migrations migrations;
    FakePeers peers;
    peers::PeerFiles peer_files;
    HostId host;
    std::unique_ptr<state::VmStates> states;
    std::unique_ptr<HostCapacity> capacity;
    std::unique_ptr<Services> services;
    std::unique_ptr<api::Catalog> catalog;
};

}  // namespace hvagent::operations
