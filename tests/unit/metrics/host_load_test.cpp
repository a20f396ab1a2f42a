#include "drivers/procfs/host_load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/temp_directory.h"

namespace hvagent::procfs {
namespace {

class HostLoadTest : public testing::Test {
protected:
    void write(const std::string& path, const std::string& text) {
        const std::filesystem::path full = root.path() + path;
        std::filesystem::create_directories(full.parent_path());
        std::ofstream(full) << text;
    }

    TempDirectory root;
    ProcHostLoad load{root.path()};
};

TEST_F(HostLoadTest, MemoryLoadAndCpusAreReadAsTheKernelWritesThem) {
    write("/proc/loadavg", "1.25 0.50 0.10 2/345 6789\n");
    write("/proc/meminfo",
          "MemTotal:       16000 kB\nMemFree:  10 kB\nMemAvailable:    4000 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n");
    write("/proc/stat",
          "cpu  100 20 30 4000 50 1 2 7 9 9\ncpu0 50 10 15 2000 25 0 1 3 0 0\ncpu1 50 10 15 2000 25 1 1 4 0 0\nbtime "
          "1700000000\n");
    const HostLoad seen = load.host();
    EXPECT_DOUBLE_EQ(seen.load_1_min, 1.25);
    EXPECT_DOUBLE_EQ(seen.load_15_min, 0.10);
    EXPECT_EQ(seen.memory_total, 16000 * KiB);
    EXPECT_EQ(seen.memory_available, 4000 * KiB);
    EXPECT_EQ(seen.swap_free, 40 * KiB);
    EXPECT_EQ(seen.cpus_online, 2);
    const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
    EXPECT_NEAR(seen.cpu_seconds.at("user"), 120 * tick, 1e-9);
    EXPECT_NEAR(seen.cpu_seconds.at("system"), 33 * tick, 1e-9);
    EXPECT_NEAR(seen.cpu_seconds.at("steal"), 7 * tick, 1e-9);
    EXPECT_TRUE(seen.pressure.empty());
    EXPECT_TRUE(seen.huge_pages.empty());
}

TEST_F(HostLoadTest, PressureOfTheCpuMayHaveNoFullLine) {
    write("/proc/pressure/cpu", "some avg10=12.50 avg60=3.00 avg300=0.25 total=123456\n");
    write("/proc/pressure/io",
          "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=3\n");
    const HostLoad seen = load.host();
    EXPECT_DOUBLE_EQ(seen.pressure.at("cpu").some.last_10_s, 12.5);
    EXPECT_EQ(seen.pressure.at("cpu").some.waited_us, 123456u);
    EXPECT_FALSE(seen.pressure.at("cpu").full);
    EXPECT_DOUBLE_EQ(seen.pressure.at("io").full->last_10_s, 0.5);
    EXPECT_FALSE(seen.pressure.contains("memory"));
}

TEST_F(HostLoadTest, HugePagesAreToldBySize) {
    for (const char* size : {"2048", "1048576"}) {
        const std::string pool = std::string("/sys/kernel/mm/hugepages/hugepages-") + size + "kB";
        write(pool + "/nr_hugepages", "8\n");
        write(pool + "/free_hugepages", "3\n");
    }
    const HostLoad seen = load.host();
    ASSERT_EQ(seen.huge_pages.size(), 2u);
    EXPECT_EQ(seen.huge_pages[0].size, 2 * MiB);
    EXPECT_EQ(seen.huge_pages[1].size, GiB);
    EXPECT_EQ(seen.huge_pages[1].total, 8u);
    EXPECT_EQ(seen.huge_pages[1].free, 3u);
}

TEST_F(HostLoadTest, AProcessIsFoundByItsPidFile) {
    write("/proc/stat", "cpu  1 1 1 1 1 1 1 1 1 1\nbtime 1700000000\n");
    write("/proc/77/stat",
          "77 (a ) name) S 1 77 77 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 9 0 1000 1048576 256 18446744073709551615\n");
    write("/run/daemon.pid", "77\n");
    write("/run/stale.pid", "78\n");
    const auto seen = load.process_of("/run/daemon.pid");
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->threads, 9);
    EXPECT_EQ(seen->virtual_size, MiB);
    EXPECT_EQ(seen->rss, 256 * sysconf(_SC_PAGESIZE));
    EXPECT_NEAR(seen->cpu_seconds, 300.0 / static_cast<double>(sysconf(_SC_CLK_TCK)), 1e-9);
    EXPECT_FALSE(load.process_of("/run/stale.pid"));
    EXPECT_FALSE(load.process_of("/run/none.pid"));
}

TEST(HostLoadOfThisMachine, IsPlausible) {
    ProcHostLoad here;
    const HostLoad seen = here.host();
    EXPECT_GT(seen.memory_total, 100 * MiB);
    EXPECT_GT(seen.memory_available, 0);
    EXPECT_LE(seen.memory_available, seen.memory_total);
    EXPECT_EQ(seen.cpus_online, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
    const ProcessLoad own = here.own_process();
    EXPECT_GT(own.rss, MiB);
    EXPECT_GE(own.threads, 1);
    EXPECT_GE(own.open_files, 3);
    EXPECT_LT(SystemClock().now() - own.started, std::chrono::hours(1));
}

}  // namespace
}  // namespace hvagent::procfs
