// Two agents in memory, each with its own host, store and files; what one asks the other answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/operations/migration/bundle.h"
#include "agent/operations/migration/landing.h"
#include "agent/operations/migration/migrations.h"
#include "agent/peers/peer_files.h"
#include "hvagent/model/migration.h"
#include "tests/fakes/fake_job.h"
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Node : public VmLife {
public:
    void TestBody() override {}
    explicit Node(std::string name_) : name(std::move(name_)) {
        settings.migration_tls = false;
        address = "10.0.0." + name.substr(1);
        inventory.modify<Host>(host, [&](Host& record) {
            record.name = name;
            record.management_ip = address;
            record.status = ConnectionStatus::connected;
        });
        verbs = services->migrations.answers(*services);
    }

    void meet(Node& other) {
        Host record;
        record.uuid = other.host;
        record.name = other.name;
        record.zone = ZoneId(made("zone"));
        record.cluster = ClusterId(made("cluster"));
        record.management_ip = other.address;
        record.status = ConnectionStatus::connected;
        record.available_memory = 8 * GiB;
        inventory.insert(record);
        peers.know(other.host, "http://" + other.address);
        for (const auto& [verb, answer] : other.verbs)
            peers.answer(other.host, verb, [this, answer = answer](const json& body) { return answer(host, body); });
        world.migration().reach("qemu+tcp://" + other.address + "/system", other.world.domains());
    }
    // Cuts the way to the other agent, or mends it.
    void lose(Node& other) {
        for (const auto& [verb, answer] : other.verbs) peers.answer(other.host, verb, nullptr);
    }
    void find_again(Node& other) {
        for (const auto& [verb, answer] : other.verbs)
            peers.answer(other.host, verb, [this, answer = answer](const json& body) { return answer(host, body); });
    }

    using VmLife::act;
    using VmLife::act_failure;
    using VmLife::create_vm;
    using VmLife::dhcp_entries;
    using VmLife::disk;
    using VmLife::files;
    using VmLife::host;
    using VmLife::inventory;
    using VmLife::peers;
    using VmLife::record;
    using VmLife::run;
    using VmLife::services;
    using VmLife::settings;
    using VmLife::state_of;
    using VmLife::volume_files;
    using VmLife::volumes_of;
    using VmLife::world;

    const std::string name;
    std::string address;
    std::map<std::string, Migrations::Answer> verbs;
};

class Moves : public testing::Test {
protected:
    Moves() {
        here.meet(there);
        there.meet(here);
        vm = here.create_vm();
    }
    json move(FakeJob& of) {
        const json answer = here.run(of, "MigrateVm", {{"vmInstanceUuid", vm.str()}, {"hostUuid", there.host.str()}});
        here.world.settle();
        there.world.settle();
        return answer;
    }
    Error failure(FakeJob& of) {
        try {
            move(of);
        } catch (const Error& error) {
            return error.cause() ? *error.cause() : error;
        }
        ADD_FAILURE() << "it did not fail";
        return Error(Code::internal, "");
    }

    SystemClock clock;
    Node here{"h1"}, there{"h2"};
    VmId vm;
    FakeJob job{clock};
};

// The cached image is known at the destination, as where a controller registers it at every host.
class Migrating : public Moves {
protected:
    Migrating() {
        const Volume root = here.volumes_of(vm).front();
        const std::string base = here.disk.find(root.install_path)->image.backing_file;
        there.disk.put(base, *here.disk.find(base));
        Image image = here.inventory.get<Image>(root.root_image);
        image.md5 = "d41d8cd98f00b204e9800998ecf8427e";
        here.inventory.modify<Image>(image.uuid, [&](Image& one) { one.md5 = image.md5; });
        there.inventory.insert(image);
    }
};

TEST_F(Migrating, BringsRecordsAndFilesAndLeavesNothing) {
    const Volume before = here.volumes_of(vm).front();
    const std::int64_t epoch = here.record(vm).epoch;
    const json answer = move(job);
    EXPECT_EQ(there.record(vm).epoch, epoch + 1) << "whoever knows the VM here knows an older life of it";
    EXPECT_EQ(answer["inventory"]["hostUuid"], there.host.str());
    EXPECT_EQ(answer["inventory"]["lastHostUuid"], here.host.str());
    EXPECT_EQ(there.state_of(vm), VmState::running);
    EXPECT_EQ(there.volumes_of(vm).front().uuid, before.uuid);
    EXPECT_TRUE(there.disk.find(there.volumes_of(vm).front().install_path));
    EXPECT_FALSE(here.inventory.find<Vm>(vm));
    EXPECT_THAT(here.act_failure("StartVmInstance", vm).details(), HasSubstr("it moved to host h2 (10.0.0.2)"));
    EXPECT_FALSE(here.world.find(vm));
    EXPECT_THAT(here.volume_files(), IsEmpty());
    EXPECT_EQ(there.inventory.count<Migration>(), 0);
    EXPECT_EQ(there.dhcp_entries(), 1u);
    EXPECT_EQ(here.dhcp_entries(), 0u);
}

TEST_F(Migrating, AnAddressThatCouldNotBeAnnouncedOnTheWayIsWhenItHasCome) {
    there.world.faults.fail_next("put_dhcp_host", Error(Code::timeout, "libvirt is slow"));
    EXPECT_EQ(move(job)["inventory"]["hostUuid"], there.host.str());
    EXPECT_EQ(there.dhcp_entries(), 1u);
}

TEST_F(Migrating, WhoseAnswerWasLostIsSettledByWhatBothEndsShow) {
    here.world.migration().lost_answer = Error(Code::host_connection, "libvirt closed the connection");
    EXPECT_EQ(move(job)["inventory"]["hostUuid"], there.host.str());
    EXPECT_FALSE(here.inventory.find<Vm>(vm));
}

TEST_F(Migrating, ThatFailsLeavesTheVmWhereItRuns) {
    here.world.faults.fail_next("migrate", Error(Code::operation_failed, "no route to host"));
    const Error error = failure(job);
    EXPECT_THAT(error.details(), HasSubstr("no route to host"));
    EXPECT_THAT(error.details(), HasSubstr("stays on this host"));
    EXPECT_EQ(here.state_of(vm), VmState::running);
    EXPECT_TRUE(here.record(vm).migration.empty());
    EXPECT_FALSE(there.inventory.find<Vm>(vm));
    EXPECT_THAT(there.volume_files(), IsEmpty()) << "what was made for it is gone";
    EXPECT_EQ(here.inventory.count<Migration>() + there.inventory.count<Migration>(), 0);
}

TEST_F(Migrating, IsRefusedWithTheReasonsOfTheDestination) {
    there.world.migration().lacks = {"its CPU lacks avx512f"};
    const Error error = failure(job);
    EXPECT_EQ(error.code(), Code::no_available_host);
    EXPECT_THAT(error.details(), HasSubstr("avx512f"));
    EXPECT_EQ(here.state_of(vm), VmState::running);
    EXPECT_EQ(there.inventory.count<Migration>(), 0);
}

TEST_F(Migrating, IsRefusedWhereTheDestinationsLibvirtLetsNobodyIn) {
    here.settings.migration_tls = true;  // only its plain port answers
    const Error error = failure(job);
    EXPECT_EQ(error.code(), Code::no_available_host);
    EXPECT_THAT(error.details(), HasSubstr("qemu+tls://10.0.0.2/system"));
    EXPECT_EQ(here.state_of(vm), VmState::running);
    EXPECT_EQ(here.inventory.count<Migration>() + there.inventory.count<Migration>(), 0);
}

// It moved: a libvirtd that restarts while the source is tidied up makes no failure of it.
TEST_F(Migrating, WhatIsLeftToDoAtTheSourceIsTriedAgain) {
    here.world.faults.fail_next("undefine", Error(Code::host_connection, "End of file while reading data"));
    EXPECT_EQ(move(job)["inventory"]["hostUuid"], there.host.str());
    EXPECT_FALSE(here.inventory.find<Vm>(vm));
    EXPECT_THAT(here.volume_files(), IsEmpty());
    EXPECT_EQ(there.state_of(vm), VmState::running);
}

TEST_F(Migrating, TheVariablesOfItsUefiAreTidiedUpAtTheSideThatDoesNotHaveIt) {
    const std::string variables = "/var/lib/libvirt/qemu/nvram/" + vm.str() + "_VARS.fd";
    here.world.migration().needs.nvram = variables;
    here.disk.put_content(variables, "boot order");
    there.disk.put_content(variables, "of the template");
    there.peers.answer_any_ticket({"boot order", {"raw", 10, 10, "", false, false}, 10}, there.disk);
    here.world.faults.fail_next("migrate", Error(Code::operation_failed, "no route to host"));
    failure(job);
    EXPECT_TRUE(here.disk.find(variables));
    EXPECT_FALSE(there.disk.find(variables));
    FakeJob again{clock};
    move(again);
    EXPECT_FALSE(here.disk.find(variables));
}

TEST_F(Migrating, VariablesThatTheAgentMayNotTouchAreLeftToLibvirt) {
    here.world.migration().needs.nvram = "/var/lib/libvirt/qemu/nvram/" + vm.str() + "_VARS.fd";
    const VmBundle bundle = make_bundle(*here.services, vm);
    EXPECT_FALSE(bundle.needs.nvram.empty());
    VmBundle probed = bundle;
    probed.nvram_probe = ".hvagent-probe-1";
    const Error denied(Code::io_failed, "Permission denied");
    there.files.faults.fail_next("prepare", denied);
    const Landing landing = find_landing(*there.services, probed);
    EXPECT_TRUE(landing.nvram_shared);
    EXPECT_THAT(landing.reasons, IsEmpty());
    here.files.faults.fail_next("prepare", denied);
    EXPECT_EQ(move(job)["inventory"]["hostUuid"], there.host.str());
}

TEST_F(Migrating, VariablesThatBothHostsSeeStay) {
    const std::string variables = "/var/lib/libvirt/qemu/nvram/" + vm.str() + "_VARS.fd";
    here.world.migration().needs.nvram = variables;
    here.disk.put_content(variables, "boot order");
    VmBundle bundle = make_bundle(*here.services, vm);
    bundle.nvram_probe = ".hvagent-probe-1";
    EXPECT_FALSE(find_landing(*there.services, bundle).nvram_shared);
    there.disk.put_content("/var/lib/libvirt/qemu/nvram/.hvagent-probe-1", "");
    EXPECT_TRUE(find_landing(*there.services, bundle).nvram_shared);
}

TEST_F(Migrating, AFileThatIsNoVariablesOfTheVmIsRefused) {
    VmBundle bundle = make_bundle(*here.services, vm);
    for (const std::string& path :
         {std::string("/etc/passwd"), "/etc/" + vm.str() + "_VARS.fd",
          "/var/lib/libvirt/qemu/nvram/" + VmId::make().str() + "_VARS.fd", vm.str() + "_VARS.fd"}) {
        bundle.needs.nvram = path;
        EXPECT_THROW(bundle_from_json(to_json(bundle)), Error) << path;
    }
}

TEST_F(Migrating, ThatWasDoneBeforeTheAgentDiedAnswersTheSameAgain) {
    const json first = move(job);
    FakeJob again = job.next_life();
    EXPECT_EQ(move(again)["inventory"], first["inventory"]);
}

TEST_F(Migrating, AnEarlierOneThatIsNotSettledAtTheDestinationStandsInTheWay) {
    Migration earlier;
    earlier.uuid = MigrationId::make();
    earlier.vm = vm;
    earlier.role = MigrationRole::incoming;
    earlier.stage = MigrationStage::stayed;
    earlier.peer = here.host;
    there.inventory.insert(earlier);
    EXPECT_THAT(failure(job).details(), HasSubstr(earlier.uuid.str()));
    EXPECT_EQ(here.state_of(vm), VmState::running);
}

TEST_F(Migrating, ATakeThatIsAskedTwiceLetsAGuestThatWasLeftPausedGoOn) {
    move(job);
    const Migration row = here.inventory.list<Migration>().front();
    const auto take = [&] {
        there.verbs.at("migration-take")(here.host, {{"migration", row.uuid.str()}, {"vm", vm.str()}, {"resume", true}});
        there.world.settle();
        return there.state_of(vm);
    };
    const auto pause = [&](const char* reason) {
        there.world.domains().with(
            vm, [&](FakeDomain& domain) { there.world.domains().change(domain, VmState::paused, reason); });
        there.world.settle();
    };
    pause("migration");
    EXPECT_EQ(take(), VmState::running);
    pause("user");
    EXPECT_EQ(take(), VmState::paused);
}

TEST_F(Migrating, AFileThatWouldLeaveItsStorageIsRefused) {
    VmBundle bundle = make_bundle(*here.services, vm);
    for (const char* way : {"/../../etc/passwd", "/./x", "//x", "/.."}) {
        bundle.files.back().path = bundle.storages.front().url + way;
        const json answer = there.verbs.at("migration-fit")(here.host, {{"vm", to_json(bundle)}});
        EXPECT_THAT(answer.at("reasons").dump(), HasSubstr("does not lie below")) << way;
        EXPECT_THROW(there.verbs.at("migration-prepare")(here.host, {{"vm", to_json(bundle)}}), Error) << way;
    }
    EXPECT_EQ(there.inventory.count<Migration>(), 0);
}

// Nothing starts a VM that may run elsewhere.
TEST_F(Migrating, ThatIsNotSettledKeepsTheVmFromBeingStarted) {
    Migration row;
    row.uuid = MigrationId::make();
    row.vm = vm;
    row.peer = there.host;
    row.bundle = R"({"wasPaused":false,"shared":[]})";
    here.inventory.insert(row);
    here.inventory.modify<Vm>(vm, [&](Vm& one) { one.migration = row.uuid; });
    here.world.domains().with(vm,
                              [&](FakeDomain& domain) { here.world.domains().change(domain, VmState::stopped, "crashed"); });
    here.world.settle();
    EXPECT_EQ(here.state_of(vm), VmState::unknown);
    EXPECT_EQ(here.act_failure("DestroyVmInstance", vm).code(), Code::vm_wrong_state);
    EXPECT_EQ(here.services->states.look(vm), std::nullopt);
}

}  // namespace
}  // namespace hvagent::operations
