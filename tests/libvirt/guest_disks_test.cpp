// Disks of a guest that really runs: it lets go of them, its file systems are quiet, it locks trays.
#include <gmock/gmock.h>
#include <signal.h>

#include <future>

#include "tests/libvirt/booted_guest.h"
#include "tests/libvirt/disk_files.h"

namespace hvagent::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GuestDisks : public Guest {
protected:
    void SetUp() override {
        Guest::SetUp();
        if (!host) return;
        data.volume = VolumeId::make();
        data.device_id = 1;
        data.path = lab->directory() + "/data.qcow2";
        ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + data.path + " 64M"));
    }
    // What a shell command in the guest prints, by its agent; "failed" when it did not end well.
    std::string in_guest(const std::string& command) {
        const std::string output = lab->directory() + "/answer";
        const std::string tool = "python3 " HVAGENT_SOURCE_DIR "/tests/libvirt/in_guest.py '" + lab->uri() + "' " +
                                 spec.vm.str() + " '" + command + "'";
        if (std::system((tool + " > " + output + " 2>&1").c_str()) != 0) return "failed: " + text_of(output);
        return text_of(output);
    }
    // The guest numbers its first disk, then its second, past all file systems.
    void copy_two_of_one_moment() {
        DiskSpec second = data;
        second.volume = VolumeId::make();
        second.device_id = 2;
        second.path = lab->directory() + "/second.qcow2";
        ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + second.path + " 80M"));
        host->disks().attach(spec.vm, second);
        EXPECT_THAT(
            in_guest("for i in $(seq 50); do test -b /dev/vdc && break; sleep 0.1; done; test -b /dev/vdc && echo yes"),
            HasSubstr("yes"));
        in_guest(
            "(i=10000; while :; do i=$((i+1)); for d in vdb vdc; do echo $i | dd of=/dev/$d bs=512 conv=sync,fsync; "
            "done; done) >/dev/null 2>&1 & echo $! > /tmp/writer");
        for (int round = 0; round < 3; ++round) {
            int numbers[2];
            const std::string copies[2] = {lab->directory() + "/copy1.qcow2", lab->directory() + "/copy2.qcow2"};
            for (const std::string& copy : copies) ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + copy + " 80M"));
            host->disks().copy(spec.vm, {{data.volume, copies[0]}, {second.volume, copies[1]}}, {}, {}, cancel);
            for (int i = 0; i < 2; ++i) {
                const std::string raw = copies[i] + ".raw";
                ASSERT_TRUE(shell("qemu-img dd -f qcow2 -O raw bs=512 count=1 if=" + copies[i] + " of=" + raw));
                numbers[i] = std::atoi(text_of(raw).c_str());
            }
            EXPECT_GT(numbers[0], 10000);
            EXPECT_GE(numbers[0], numbers[1]);
            EXPECT_LE(numbers[0], numbers[1] + 1);
        }
        in_guest("kill $(cat /tmp/writer)");
        host->disks().detach(spec.vm, second.volume, seconds(30), cancel);
    }
    static std::string text_of(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    LiveDisk live(const VolumeId& volume) {
        const auto disks = host->disks().look(spec.vm);
        if (disks)
            for (const LiveDisk& disk : disks->disks)
                if (disk.volume == volume) return disk;
        return {};
    }

    DiskSpec data;
    Cancellation cancel;
};

TEST_F(GuestDisks, ComeAndGoAndAreFrozenWithQuietFileSystemsWhereTheAgentAnswers) {
    boot();
    host->disks().attach(spec.vm, data);
    EXPECT_THAT(in_guest("for i in $(seq 50); do test -b /dev/vdb && break; sleep 0.1; done; cat /sys/block/vdb/size"),
                HasSubstr("131072"));
    host->disks().resize(spec.vm, data.volume, 80 * MiB);
    EXPECT_THAT(in_guest("cat /sys/block/vdb/size"), HasSubstr("163840"));

    const std::string layer = lab->directory() + "/layer.qcow2";
    std::remove(layer.c_str());
    EXPECT_THAT(in_guest("echo before > /data/mark; sync; cat /data/mark"), HasSubstr("before"));
    EXPECT_TRUE(host->disks().freeze_layers(spec.vm, {{spec.disks[0].volume, layer}}));
    EXPECT_THAT(in_guest("echo after > /data/mark; sync; cat /data/mark"), HasSubstr("after")) << "thawed";
    EXPECT_EQ(live(spec.disks[0].volume).chain.front(), layer);

    const std::string copy = lab->directory() + "/copy.qcow2";
    ASSERT_TRUE(shell("qemu-img create -q -f qcow2 " + copy + " $(qemu-img info -U --output=json " + layer +
                      " | jq '.[\"virtual-size\"]')"));
    EXPECT_TRUE(host->disks().copy(spec.vm, {{spec.disks[0].volume, copy}}, {}, {}, cancel));
    EXPECT_THAT(in_guest("echo later > /data/mark; cat /data/mark"), HasSubstr("later")) << "thawed";
    EXPECT_TRUE(is_sound(copy));

    copy_two_of_one_moment();

    host->disks().pull(spec.vm, spec.disks[0].volume, "", {}, {}, cancel);
    EXPECT_EQ(live(spec.disks[0].volume).chain.size(), 1u);
    EXPECT_THAT(in_guest("sync; cat /data/mark"), HasSubstr("later"));

    host->disks().detach(spec.vm, data.volume, seconds(30), cancel);
    EXPECT_EQ(live(data.volume).target, "");
    EXPECT_THAT(in_guest("test -b /dev/vdb || echo gone"), HasSubstr("gone"));
    EXPECT_TRUE(shell("qemu-io -f qcow2 -c 'write 0 1M' " + data.path)) << "nobody has it open";

    // An agent that does not answer any more costs time, not the snapshot.
    in_guest("kill -STOP $(pidof qemu-ga) & sleep 0.1");
    const std::string next_layer = lab->directory() + "/next.qcow2";
    std::remove(next_layer.c_str());
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(host->disks().freeze_layers(spec.vm, {{spec.disks[0].volume, next_layer}}));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(20));
    EXPECT_EQ(live(spec.disks[0].volume).chain.front(), next_layer);
}

TEST_F(GuestDisks, LockTheTrayOfAMountedCd) {
    const std::string iso = lab->directory() + "/some.iso";
    ASSERT_TRUE(shell("mkdir -p " + lab->directory() + "/tree && echo hello > " + lab->directory() +
                      "/tree/file && xorrisofs -r -o " + iso + " " + lab->directory() + "/tree"));
    // The guest's kernel has no driver for the CDs of a q35.
    spec.machine = "pc";
    spec.cdroms = {CdRomSpec{CdRomId::make(), 0, iso}};
    host->definitions().define(spec);
    boot();
    EXPECT_THAT(in_guest("mkdir -p /cd; for i in $(seq 50); do mount -t iso9660 /dev/sr0 /cd && break; sleep 0.1; done; "
                         "cat /cd/file"),
                HasSubstr("hello"));
    const auto medium = [&] { return host->disks().look(spec.vm).value().cdroms.at(0).iso_path; };
    const Error error = thrown_error([&] { host->disks().change_medium(spec.vm, {CdRomId(), 0, ""}, false); });
    EXPECT_EQ(error.code(), Code::operation_failed);
    EXPECT_THAT(error.details(), HasSubstr("tray"));
    EXPECT_EQ(medium(), iso);
    host->disks().change_medium(spec.vm, {CdRomId(), 0, ""}, true);
    EXPECT_EQ(medium(), "");
}

}  // namespace
}  // namespace hvagent::testing
