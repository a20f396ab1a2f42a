// VMs on a host in memory, made and moved by operations in jobs that the test holds.
#pragma once
#include <gmock/gmock.h>

#include <thread>

#include "tests/fakes/fake_job.h"
#include "tests/unit/operations/places_fixture.h"

namespace hvagent::operations {

class VmLife : public Places {
protected:
    VmLife() {
        settings.stop_grace = seconds(30);
        start();
    }

    // As the job engine does it.
    json run(FakeJob& job, const std::string& operation, const json& sent) {
        const api::Row* row = catalog->find(operation);
        const json arguments = row->accept(sent);
        row->check(arguments);
        if (!api::admit(*row, arguments, inventory, job.resumed())) return json::object();
        return row->run(job, arguments);
    }

    static FakeFile image_file(const std::string& format = "qcow2", Bytes virtual_size = 2 * GiB) {
        return {"bytes", {format, virtual_size, MiB, "", false, false}, MiB};
    }
    json image_request(const std::string& format = "qcow2") {
        return {{"name", "debian"},
                {"url", "http://images/disk"},
                {"format", format},
                {"backupStorageUuids", {made("backup-storage")}}};
    }
    std::string add_image() {
        http.serve("http://images/disk", image_file());
        return create("AddImage", image_request());
    }
    std::string add_iso() {
        http.serve("http://images/disk", image_file("raw", MiB));
        json request = image_request("iso");
        request["mediaType"] = "ISO";
        return create("AddImage", request);
    }
    json vm_request(const json& more = json::object()) {
        if (image.empty()) image = add_image();
        json request{{"name", "web"},
                     {"cpuNum", 1},
                     {"memorySize", GiB},
                     {"imageUuid", image},
                     {"l3NetworkUuids", {made("l3-network")}}};
        request.update(more);
        return request;
    }
    VmId create_vm(const json& more = json::object()) {
        const VmId vm(create("CreateVmInstance", vm_request(more)));
        world.settle();
        return vm;
    }
    json act(const std::string& operation, const VmId& vm, json more = json::object()) {
        more["uuid"] = vm.str();
        const json answer = call(operation, more);
        world.settle();
        return answer;
    }
    Error act_failure(const std::string& operation, const VmId& vm, json more = json::object()) {
        more["uuid"] = vm.str();
        const Error error = failure_of(operation, more);
        world.settle();
        return error;
    }

    Vm record(const VmId& vm) { return inventory.get<Vm>(vm); }
    VmState state_of(const VmId& vm) { return record(vm).state(); }
    std::vector<VmNic> nics_of(const VmId& vm) { return inventory.list<VmNic>({{"vmInstanceUuid", vm.str()}}); }
    std::vector<Volume> volumes_of(const VmId& vm) { return inventory.list<Volume>({{"vmInstanceUuid", vm.str()}}); }
    std::vector<std::string> volume_files() {
        std::vector<std::string> found;
        for (const std::string& path : disk.paths())
            if (path.find("Volumes/") != std::string::npos) found.push_back(path);
        return found;
    }
    std::size_t dhcp_entries() {
        if (!world.networks().network_is_active(settings.network_name)) return 0;
        return world.networks().list_dhcp_hosts(settings.network_name).size();
    }
    void expect_nothing_left(const VmId& vm) {
        world.settle();
        EXPECT_FALSE(world.find(vm)) << "a domain is left";
        EXPECT_EQ(inventory.count<Vm>(), 0);
        EXPECT_EQ(inventory.count<Volume>(), 0);
        EXPECT_EQ(inventory.count<VmNic>(), 0);
        EXPECT_EQ(inventory.count<VmCdRom>(), 0);
        EXPECT_EQ(inventory.count<UsedIp>(), 0);
        EXPECT_TRUE(inventory.tags_of(vm.str(), "System").empty());
        EXPECT_THAT(volume_files(), testing::IsEmpty());
        EXPECT_EQ(dhcp_entries(), 0u);
    }

    std::string image;
};

}  // namespace hvagent::operations
