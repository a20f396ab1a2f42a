// Thousands of domains, on libvirt's test driver with a file.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/libvirt/host_under_test.h"

namespace hvagent::testing {
namespace {

// Sanitizers make libvirt's reading of the file a hundred times slower.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int many = 300;
#else
constexpr int many = 5000;
#endif

std::string numbered(int number) {
    char text[33];
    std::snprintf(text, sizeof(text), "%08x000040008000000000000000", static_cast<unsigned>(number));
    return text;
}

// Every tenth belongs to somebody else; of all, every third is off.
std::string write_node(int count) {
    const std::string path = ::testing::TempDir() + "/hvagent-node-" + std::to_string(getpid()) + ".xml";
    std::ofstream file(path);
    file << "<node>";
    for (int i = 0; i < count; ++i) {
        const std::string mark =
            i % 10 == 0 ? "" : "<metadata><hvagent:vm xmlns:hvagent='https://hvagent.org/xmlns/vm/1' host='h'/></metadata>";
        file << "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>" << numbered(i)
             << "</name><uuid>" << with_dashes(numbered(i)) << "</uuid>" << mark
             << "<memory>65536</memory><os><type>hvm</type></os>"
             << "<test:runstate>" << (i % 3 == 0 ? 5 : 1) << "</test:runstate></domain>";
    }
    file << "</node>";
    return path;
}

TEST(ManyDomains, AreSeenInOnePicture) {
    const std::string path = write_node(many);
    libvirt::LibvirtSettings settings;
    settings.uri = "test://" + path;
    const SystemClock clock;
    Recorder seen;
    QemuImg images{QemuImgSettings{}};
    libvirt::LibvirtHost host(settings, clock, images);
    host.observer().start(seen);
    ASSERT_TRUE(seen.wait_for_pictures(1, seconds(60)));
    std::remove(path.c_str());
    EXPECT_EQ(seen.picture().size(), many * 9u / 10u);
    EXPECT_FALSE(seen.in_picture(VmId(numbered(10))));
    ASSERT_TRUE(seen.in_picture(VmId(numbered(11))));
    EXPECT_EQ(seen.in_picture(VmId(numbered(11)))->state, VmState::running);
    EXPECT_EQ(seen.in_picture(VmId(numbered(12)))->state, VmState::stopped);
    EXPECT_EQ(host.definitions().list_foreign().size(), many / 10u);

    const VmId vm(numbered(11));
    host.power().suspend(vm);
    EXPECT_TRUE(seen.wait_for(vm, VmState::paused, "user"));
    host.observer().stop();
}

// They are asked for in several calls.
TEST(ManyDomains, FiguresOfEachThatRunsAreReadOnce) {
    const std::string path = write_node(300);
    libvirt::LibvirtSettings settings;
    settings.uri = "test://" + path;
    const SystemClock clock;
    QemuImg images{QemuImgSettings{}};
    libvirt::LibvirtHost host(settings, clock, images);
    std::set<VmId> vms;
    std::size_t read = 0;
    for (const VmStats& one : host.stats().stats()) {
        EXPECT_TRUE(one.active) << one.vm.str();
        vms.insert(one.vm);
        ++read;
    }
    std::remove(path.c_str());
    EXPECT_EQ(read, 180u);
    EXPECT_EQ(vms.size(), 180u);
    EXPECT_TRUE(vms.contains(VmId(numbered(11))));
    EXPECT_FALSE(vms.contains(VmId(numbered(10)))) << "somebody else's";
    EXPECT_FALSE(vms.contains(VmId(numbered(12)))) << "off";
}

}  // namespace
}  // namespace hvagent::testing
