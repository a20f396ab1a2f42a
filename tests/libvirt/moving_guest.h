// Two hosts and a guest that really runs on the first, for moves between them.
#pragma once
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <thread>

#include "drivers/libvirt/libvirt_host.h"
#include "drivers/qemu_img/qemu_img.h"
#include "tests/libvirt/disk_files.h"
#include "tests/libvirt/lab.h"

namespace hvagent::testing {

// Follows what it is told to, and remembers what it saw.
class ScriptedJudge final : public MigrationJudge {
public:
    using Rule = std::function<MigrationOrder(const MigrationSight&)>;
    explicit ScriptedJudge(Rule rule = {}) : rule_(std::move(rule)) {}

    MigrationOrder judge(const MigrationSight& sight) override {
        const std::lock_guard lock(mutex_);
        sights_.push_back(sight);
        changed_.notify_all();
        return rule_ ? rule_(sight) : MigrationOrder{};
    }
    // Until a sight fulfils the condition; false after a minute.
    template <class Condition>
    bool wait_for(Condition condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, seconds(60), [&] { return !sights_.empty() && condition(sights_.back()); });
    }
    std::vector<MigrationSight> sights() const {
        const std::lock_guard lock(mutex_);
        return sights_;
    }

private:
    const Rule rule_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<MigrationSight> sights_;
};

class MovingGuest : public ::testing::Test {
protected:
    void SetUp() override {
        lab = Lab::pair();
        if (!lab) GTEST_SKIP() << Lab::why();
        image = Lab::guest_image();
        if (image.empty()) GTEST_SKIP() << "the guest's image cannot be built";
        connect();
        spec.vm = VmId::make();
        spec.memory = 192 * MiB;
        spec.host_uuid = "first";
        spec.disks.resize(1);
        spec.disks[0].volume = VolumeId::make();
        spec.disks[0].path = lab->shared() + "/" + spec.vm.str() + ".qcow2";
        way.destination_uri = lab->uri(2);
    }
    void TearDown() override {
        if (!here) return;
        if (spec.vm.empty() || !resident || resident->vm != spec.vm || HasFailure() || !comes_home()) {
            if (resident && resident->vm == spec.vm) resident.reset();
            for (auto* host : {here.get(), there.get()}) {
                host->power().destroy(spec.vm);
                host->definitions().undefine(spec.vm);
            }
        }
    }
    // The guest runs on the first host, as a test expects it; false: it cannot.
    bool comes_home() {
        try {
            if (there->migration().truth(spec.vm).state == VmState::running) {
                ScriptedJudge judge;
                Cancellation never;
                MigrationWay back;
                back.destination_uri = lab->uri(1);
                back.max_downtime = seconds(10);
                there->migration().migrate(spec.vm, back, judge, never);
            }
            return here->migration().truth(spec.vm).state == VmState::running &&
                   there->migration().truth(spec.vm).is_absent() &&
                   in_guest(1, "lab dirty-stop; echo calm").ends_with("calm\n");
        } catch (const Error&) {
            return false;
        }
    }
    void connect() {
        here = make_host(1);
        there = make_host(2);
    }
    std::unique_ptr<libvirt::LibvirtHost> make_host(int number) {
        libvirt::LibvirtSettings settings;
        settings.uri = lab->uri(number);
        settings.virt_type = "qemu";
        return std::make_unique<libvirt::LibvirtHost>(settings, clock, images);
    }
    void make_disk(const std::string& path) const {
        ASSERT_TRUE(shell("qemu-img create -q -f qcow2 -F qcow2 -b " + image + " " + path + " && chmod 666 " + path));
    }
    // A guest that runs on the first host: the one that stays there between tests, or with `own_disk` another.
    void boot(bool own_disk = false) {
        if (!own_disk && resident) {
            spec = *resident;
            return;
        }
        make_disk(spec.disks[0].path);
        here->definitions().define(spec);
        here->power().start(spec.vm, false);
        ASSERT_TRUE(waited_for([&] { return here->power().has_guest_agent(spec.vm); }));
        if (!own_disk) resident = spec;
    }
    template <class Condition>
    static bool waited_for(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + seconds(90);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(milliseconds(100));
        }
        return true;
    }
    // What a shell command in the guest prints; "failed" when it did not end well.
    std::string in_guest(int host, const std::string& command) const {
        const std::string output = lab->directory() + "/answer";
        const std::string tool = "python3 " HVAGENT_SOURCE_DIR "/tests/libvirt/in_guest.py '" + lab->uri(host) + "' " +
                                 spec.vm.str() + " '" + command + "'";
        const bool done = std::system((tool + " > " + output + " 2>&1").c_str()) == 0;
        std::ifstream file(output, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        return done ? text : "failed: " + text;
    }
    // Memory that keeps changing, faster than a small limit carries.
    void dirty(int megabytes) { in_guest(1, "lab dirty " + std::to_string(megabytes) + " >/dev/null 2>&1 </dev/null &"); }
    MigrationResult move(ScriptedJudge& judge) { return here->migration().migrate(spec.vm, way, judge, cancel); }
    std::future<MigrationResult> begin_move(ScriptedJudge& judge) {
        return std::async(std::launch::async, [this, &judge] { return move(judge); });
    }
    void expect_only_here(VmState state = VmState::running) {
        const MigrationTruth source = here->migration().truth(spec.vm);
        EXPECT_EQ(source.state, state) << source.reason;
        EXPECT_TRUE(source.defined && source.active && !source.migrating_out);
        EXPECT_TRUE(waited_for([&] { return there->migration().truth(spec.vm).is_absent(); }));
    }
    void expect_only_there(VmState state = VmState::running) {
        const MigrationTruth destination = there->migration().truth(spec.vm);
        EXPECT_EQ(destination.state, state) << destination.reason;
        EXPECT_TRUE(destination.defined && destination.active && !destination.migrating_in);
        EXPECT_TRUE(here->migration().truth(spec.vm).is_absent());
    }

    inline static std::optional<VmSpec> resident;
    SystemClock clock;
    QemuImg images{QemuImgSettings{}};
    Lab* lab = nullptr;
    std::string image;
    VmSpec spec;
    MigrationWay way;
    Cancellation cancel;
    std::unique_ptr<libvirt::LibvirtHost> here;
    std::unique_ptr<libvirt::LibvirtHost> there;
};

}  // namespace hvagent::testing
