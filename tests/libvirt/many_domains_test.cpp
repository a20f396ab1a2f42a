// Thousands of domains, on libvirt's test driver with a file.
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/libvirt/host_under_test.h"

namespace hvagent::testing {
namespace {

// Sanitizers make libvirt's reading of the file a hundred times slower.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int count = 300;
#else
constexpr int count = 5000;
#endif

std::string numbered(int number) {
    char text[33];
    std::snprintf(text, sizeof(text), "%08x000040008000000000000000", static_cast<unsigned>(number));
    return text;
}

// Every tenth belongs to somebody else.
std::string write_node() {
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
    const std::string path = write_node();
    libvirt::LibvirtSettings settings;
    settings.uri = "test://" + path;
    const SystemClock clock;
    Recorder seen;
    QemuImg images{QemuImgSettings{}};
    libvirt::LibvirtHost host(settings, clock, images);
    host.observer().start(seen);
    ASSERT_TRUE(seen.wait_for_pictures(1, seconds(60)));
    std::remove(path.c_str());
    EXPECT_EQ(seen.picture().size(), count * 9u / 10u);
    EXPECT_FALSE(seen.in_picture(VmId(numbered(10))));
    ASSERT_TRUE(seen.in_picture(VmId(numbered(11))));
    EXPECT_EQ(seen.in_picture(VmId(numbered(11)))->state, VmState::running);
    EXPECT_EQ(seen.in_picture(VmId(numbered(12)))->state, VmState::stopped);
    EXPECT_EQ(host.definitions().list_foreign().size(), count / 10u);

    const VmId vm(numbered(11));
    host.power().suspend(vm);
    EXPECT_TRUE(seen.wait_for(vm, VmState::paused, "user"));
    host.observer().stop();
}

}  // namespace
}  // namespace hvagent::testing
