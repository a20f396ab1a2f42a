#include "agent/metrics/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/sqlite/sqlite_database.h"
#include "tests/fakes/fake_storage_files.h"
#include "tests/fakes/fake_vm_stats.h"
#include "tests/fakes/movable_clock.h"

namespace hvagent::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

class CalmHost final : public HostLoadSource {
public:
    HostLoad host() override { return load; }
    ProcessLoad own_process() override { return own; }
    std::optional<ProcessLoad> process_of(const std::string& pid_file) override {
        if (pid_file != "/run/libvirtd.pid") return std::nullopt;
        return ProcessLoad{.rss = 5 * MiB};
    }
    HostLoad load;
    ProcessLoad own;
};

class MetricsPageTest : public testing::Test {
protected:
    MetricsPageTest() {
        inventory.migrate();
        PrimaryStorage storage;
        storage.uuid = PrimaryStorageId::make();
        storage.name = "local";
        storage.url = "/ps";
        inventory.insert(storage);
        files.prepare("/ps");
        vm = add_vm("web \"1\"\\");
    }
    VmId add_vm(const std::string& name) {
        Vm record;
        record.uuid = VmId::make();
        record.name = name;
        record.observed = VmState::paused;
        record.observed_reason = "I/O error";
        inventory.insert(record);
        return record.uuid;
    }
    VmStats figures(const VmId& of) {
        VmStats made;
        made.vm = of;
        made.active = true;
        made.cpu_nanoseconds = 2'500'000'000;
        made.memory = 256 * MiB;
        made.disks.push_back({"vda", "/ps/a.qcow2", VmDiskStats::Traffic{4096, 3, 1000000}, {}, {}, {}, {}, {}});
        made.nics.push_back({"vnic1.0", VmNicStats::Traffic{7, 1, 0, 0}, {}});
        return made;
    }
    std::string domain(const VmId& id) { return "domain=\"" + id.str() + "\",uuid=\"" + with_dashes(id.str()) + "\""; }
    std::string text() { return page.text(); }

    MovableClock clock;
    SqliteDatabase database{":memory:"};
    inventory::Inventory inventory{database, clock};
    FakeFileSystem disk;
    FakeStorageFiles files{disk};
    FakeVmStats stats;
    CalmHost host;
    AgentMetrics own;
    bool libvirt_answers = true;
    MetricsPage page{{clock, inventory, own, stats, files, host,
                      [] {
                          return JobsLoad{{{"power", 3, 2}}, 4};
                      },
                      [] {
                          return Promised{4, 20, GiB, 8 * GiB};
                      },
                      [this] { return libvirt_answers; }, "1.2.3"}};
    VmId vm;
};

TEST_F(MetricsPageTest, FiguresOfAVmBearTheNamesOfTheLibvirtExporter) {
    stats.set({figures(vm)});
    const std::string seen = text();
    const std::string of_vm = domain(vm);
    EXPECT_THAT(seen, HasSubstr("# TYPE libvirt_domain_info_cpu_time_seconds_total counter\n"));
    EXPECT_THAT(seen, HasSubstr("libvirt_domain_info_cpu_time_seconds_total{" + of_vm + "} 2.5\n"));
    EXPECT_THAT(seen, HasSubstr("libvirt_domain_info_memory_usage_bytes{" + of_vm + "} 268435456\n"));
    EXPECT_THAT(seen, HasSubstr("libvirt_domain_block_stats_read_bytes_total{" + of_vm +
                                ",source_file=\"/ps/a.qcow2\",target_device=\"vda\"} 4096\n"));
    EXPECT_THAT(
        seen, HasSubstr("libvirt_domain_interface_stats_receive_bytes_total{" + of_vm + ",target_device=\"vnic1.0\"} 7\n"));
    EXPECT_THAT(seen, HasSubstr("hvagent_vm_qemu_responding{" + of_vm + "} 1\n"));
    EXPECT_THAT(seen, Not(HasSubstr("write_bytes_total"))) << "what was not told is not made up";
}

TEST_F(MetricsPageTest, StateReasonAndNameAreShownAndQuotedRight) {
    const std::string seen = text();
    EXPECT_THAT(seen, HasSubstr("hvagent_vm_state{" + domain(vm) + ",state=\"Paused\",reason=\"I/O error\"} 1\n"));
    EXPECT_THAT(seen, HasSubstr("hvagent_vm_info{" + domain(vm) + ",name=\"web \\\"1\\\"\\\\\"} 1\n"));
}

TEST_F(MetricsPageTest, TheSeriesOfAVmVanishWithItThoughItsFiguresAreStillAtHand) {
    stats.set({figures(vm)});
    EXPECT_THAT(text(), HasSubstr(vm.str()));
    inventory.remove<Vm>(vm);
    EXPECT_THAT(text(), Not(HasSubstr(vm.str())));
}

TEST_F(MetricsPageTest, FiguresOfAVmThatStoppedSinceAreNotShown) {
    stats.set({figures(vm)});
    EXPECT_THAT(text(), HasSubstr("cpu_time_seconds_total{" + domain(vm)));
    inventory.observe<Vm>(vm, [](Vm& record) { record.observed = VmState::stopped; });
    EXPECT_THAT(text(), Not(HasSubstr("cpu_time_seconds_total{" + domain(vm))));
}

TEST_F(MetricsPageTest, AFrozenQemuIsNamed) {
    VmStats frozen;
    frozen.vm = vm;
    frozen.active = true;
    frozen.qemu_responds = false;
    frozen.qemu_silent_for = milliseconds(31500);
    stats.set({frozen, figures(add_vm("well"))});
    const std::string seen = text();
    EXPECT_THAT(seen, HasSubstr("hvagent_vm_qemu_responding{" + domain(vm) + "} 0\n"));
    EXPECT_THAT(seen, HasSubstr("hvagent_vm_qemu_silent_seconds{" + domain(vm) + "} 31.5\n"));
    EXPECT_THAT(seen, Not(HasSubstr("cpu_time_seconds_total{" + domain(vm))));
}

TEST_F(MetricsPageTest, ScrapesWithinFiveSecondsAskLibvirtOnce) {
    text();
    text();
    EXPECT_EQ(stats.calls() + stats.quick_calls(), 1);
    clock.move(seconds(6));
    text();
    EXPECT_EQ(stats.calls() + stats.quick_calls(), 2);
}

TEST_F(MetricsPageTest, WithoutLibvirtThePageTellsSoAndShowsTheRest) {
    libvirt_answers = false;
    stats.faults.fail_next("stats", Error(Code::host_connection, "gone"));
    const std::string seen = text();
    EXPECT_THAT(seen, HasSubstr("\nlibvirt_up 0\n"));
    EXPECT_THAT(seen, HasSubstr("\nhvagent_vm_figures_up 0\n"));
    EXPECT_THAT(seen, HasSubstr("hvagent_vm_state{" + domain(vm)));
    EXPECT_THAT(seen, HasSubstr("hvagent_storage_bytes{kind=\"primary\",name=\"local\""));
    EXPECT_THAT(seen, Not(HasSubstr("hvagent_host_promised_cpus")));
}

TEST_F(MetricsPageTest, AStorageThatDoesNotAnswerIsDownAndHidesNoOther) {
    PrimaryStorage lost;
    lost.uuid = PrimaryStorageId::make();
    lost.name = "lost";
    lost.url = "/nowhere";
    inventory.insert(lost);
    const std::string seen = text();
    EXPECT_THAT(seen,
                HasSubstr("hvagent_storage_up{kind=\"primary\",name=\"lost\",storage=\"" + lost.uuid.str() + "\"} 0\n"));
    EXPECT_THAT(seen, Not(HasSubstr("hvagent_storage_bytes{kind=\"primary\",name=\"lost\"")));
    EXPECT_THAT(seen, HasSubstr("hvagent_storage_bytes{kind=\"primary\",name=\"local\""));
}

TEST_F(MetricsPageTest, HostAndAgentAreShown) {
    host.load.memory_total = 16 * GiB;
    host.load.pressure["io"] = Pressure{{12.5, 1, 2, 3000000}, Pressure::Line{}};
    host.load.huge_pages = {{2 * MiB, 10, 4}};
    host.own.threads = 12;
    const std::string seen = text();
    for (const char* line : {"\nhvagent_host_memory_bytes 17179869184\n", "\nhvagent_host_promised_cpus_limit 20\n",
                             "\nhvagent_host_pressure_ratio{resource=\"io\",scope=\"some\",window=\"10s\"} 0.125\n",
                             "\nhvagent_host_pressure_waited_seconds_total{resource=\"io\",scope=\"some\"} 3\n",
                             "\nhvagent_host_huge_pages_free{page_bytes=\"2097152\"} 4\n", "\nprocess_threads 12\n",
                             "\nhvagent_jobs_waiting{class=\"power\"} 3\n", "\nhvagent_jobs_running{class=\"power\"} 2\n",
                             "\nhvagent_webhooks_pending 4\n", "\nhvagent_build_info{version=\"1.2.3\"} 1\n",
                             "\nhvagent_libvirtd_resident_memory_bytes 5242880\n"})
        EXPECT_THAT(seen, HasSubstr(line));
}

}  // namespace
}  // namespace hvagent::metrics
