#include "drivers/libvirt/direct_io.h"

#include <gtest/gtest.h>

#include "tests/fakes/temp_directory.h"

namespace hvagent::libvirt {
namespace {

TEST(DirectIo, IsFoundOutByTrying) {
    // procfs has no O_DIRECT, whatever the kernel.
    EXPECT_FALSE(allows_direct_io("/proc/version"));
    EXPECT_FALSE(allows_direct_io("/proc/no-such-file"));
    EXPECT_FALSE(allows_direct_io("/no/such/directory/file"));
}

TEST(DirectIo, IsTriedInTheDirectoryOfAFileToCome) {
    const TempDirectory directory;
    const std::string file = directory.file("volume.qcow2");
    const bool before = allows_direct_io(file);
    write_file(file, "x");
    EXPECT_EQ(allows_direct_io(file), before);
}

}  // namespace
}  // namespace hvagent::libvirt
