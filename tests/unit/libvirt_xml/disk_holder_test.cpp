#include "drivers/libvirt/disk_holder.h"

#include <gtest/gtest.h>

namespace hvagent::libvirt {
namespace {

TEST(LockedFile, IsReadFromWhatQemuSays) {
    EXPECT_EQ(
        locked_file("internal error: process exited while connecting to monitor: 2026-11-26T19:00:00Z "
                    "qemu-system-x86_64: -blockdev {\"node-name\":\"libvirt-1-format\"}: Failed to get \"write\" lock\n"
                    "Is another process using the image [/s/rootVolumes/a b.qcow2]?"),
        "/s/rootVolumes/a b.qcow2");
    EXPECT_EQ(locked_file("Failed to get shared \"write\" lock\nIs another process using the image [/s/a.qcow2]?"),
              "/s/a.qcow2");
}

TEST(LockedFile, IsReadFromWhatVirtlockdSays) {
    EXPECT_EQ(locked_file("resource busy: Lockspace resource '/s/a.qcow2' is locked"), "/s/a.qcow2");
}

TEST(LockedFile, IsNoneInOtherFailures) {
    EXPECT_EQ(locked_file("Cannot access storage file '/s/a.qcow2': No such file or directory"), "");
    EXPECT_EQ(locked_file("Failed to get \"write\" lock"), "");
    EXPECT_EQ(locked_file(""), "");
}

}  // namespace
}  // namespace hvagent::libvirt
