// A VM whose guest really boots, with the lab's image.
#pragma once
#include <libvirt/libvirt.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/libvirt/host_under_test.h"
#include "tests/libvirt/lab.h"

namespace hvagent::testing {

inline constexpr seconds boot_time(90);  // 4 s on an idle machine

class Guest : public ::testing::Test {
protected:
    void SetUp() override {
        lab = Lab::get();
        if (!lab) GTEST_SKIP() << Lab::why();
        const std::string image = Lab::guest_image();
        if (image.empty()) GTEST_SKIP() << "the guest's image cannot be built";
        libvirt::LibvirtSettings settings;
        settings.uri = lab->uri();
        settings.virt_type = "qemu";
        host = std::make_unique<libvirt::LibvirtHost>(settings, clock, images);
        host->networks().ensure_nat_network({"hvguest", "hvguest0", "192.168.213.1", "255.255.255.0", "", {}});
        host->networks().put_dhcp_host("hvguest", {"fa:00:00:00:00:21", "192.168.213.21", "guest"});
        spec.vm = VmId::make();
        spec.memory = 256 * MiB;
        spec.disks.resize(1);
        spec.disks[0].path = lab->directory() + "/guest.qcow2";
        spec.disks[0].volume = VolumeId::make();
        spec.nics.resize(1);
        spec.nics[0].mac = "fa:00:00:00:00:21";
        spec.nics[0].network = "hvguest";
        spec.serial_log = lab->directory() + "/guest.log";
        ASSERT_EQ(std::system(("qemu-img create -q -f qcow2 -F qcow2 -b " + image + " " + spec.disks[0].path).c_str()), 0);
        host->definitions().define(spec);
        host->observer().start(seen);
        ASSERT_TRUE(seen.wait_for_pictures(1));
    }
    void TearDown() override {
        if (!host) return;
        host->power().destroy(spec.vm);
        host->definitions().undefine(spec.vm);
        host->networks().remove_network("hvguest");
        host->observer().stop();
    }
    std::string serial_log() const {
        std::ifstream file(spec.serial_log, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    bool prints(const std::string& text, milliseconds patience) const {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (serial_log().find(text) == std::string::npos) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(milliseconds(20));
        }
        return true;
    }
    void boot() {
        host->power().start(spec.vm, false);
        ASSERT_TRUE(seen.wait_for(spec.vm, VmEventKind::guest_agent_connected, boot_time)) << serial_log();
        ASSERT_TRUE(prints("GUEST-UP", boot_time));
    }

    SystemClock clock;
    QemuImg images{QemuImgSettings{}};
    Lab* lab = nullptr;
    VmSpec spec;
    Recorder seen;
    std::unique_ptr<libvirt::LibvirtHost> host;
};

}  // namespace hvagent::testing
