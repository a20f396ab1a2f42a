// Disks of the domains of a FakeHost, on files of a FakeFileSystem. Layers are files whose image names its backing file.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "hvagent/drivers/vm_disks.h"
#include "tests/fakes/fake_domains.h"
#include "tests/fakes/fake_file_system.h"

namespace hvagent {

class FakeVmDisks final : public VmDisks {
private:
    static DiskSpec& disk_of(FakeDomain& domain, const VolumeId& volume) {
        for (DiskSpec& disk : domain.spec.disks)
            if (disk.volume == volume) return disk;
        throw Error(Code::not_found, "VM " + domain.spec.vm.str() + " has no disk " + volume.str());
    }
    template <class Work>
    auto with_active(const VmId& vm, Work work) {
        return domains_.with(vm, [&](FakeDomain& domain) {
            if (!domain.is_active()) throw Error(Code::vm_wrong_state, "VM " + vm.str() + " is off");
            return work(domain);
        });
    }
    template <class Work>
    void with_disk(const VmId& vm, const VolumeId& volume, Work work) {
        with_active(vm, [&](FakeDomain& domain) { work(disk_of(domain, volume)); });
    }

public:
    FakeVmDisks(FakeDomains& domains, Faults& faults, FakeFileSystem& files)
        : domains_(domains), faults_(faults), files_(files) {}

    std::optional<LiveDisks> look(const VmId& vm) override {
        faults_.happen("look_at_disks");
        return domains_.with_all([&](auto& domains, auto&) -> std::optional<LiveDisks> {
            const auto found = domains.find(vm);
            if (found == domains.end() || !found->second.is_active()) return std::nullopt;
            LiveDisks live;
            for (const DiskSpec& disk : found->second.spec.disks)
                live.disks.push_back({disk.volume, "vd" + std::string(1, static_cast<char>('a' + disk.device_id)),
                                      chain_of(disk.path), disk.throttle, ""});
            for (const CdRomSpec& cdrom : found->second.spec.cdroms)
                live.cdroms.push_back({cdrom.device_id, cdrom.iso_path});
            return live;
        });
    }
    void attach(const VmId& vm, const DiskSpec& disk) override {
        faults_.happen("attach_disk");
        with_active(vm, [&](FakeDomain& domain) {
            for (const DiskSpec& present : domain.spec.disks)
                if (present.volume == disk.volume) return;
            files_.get(disk.path);
            domain.spec.disks.push_back(disk);
        });
    }
    void detach(const VmId& vm, const VolumeId& volume, milliseconds, Cancellation& cancel) override {
        faults_.happen("detach_disk", &cancel);
        with_active(vm, [&](FakeDomain& domain) {
            if (holds_disks)
                throw Error(Code::operation_failed,
                            "the guest of VM " + vm.str() + " has not let go of volume " + volume.str());
            std::erase_if(domain.spec.disks, [&](const DiskSpec& disk) { return disk.volume == volume; });
        });
    }
    void change_medium(const VmId& vm, const CdRomSpec& cdrom, bool force) override {
        faults_.happen("change_medium");
        with_active(vm, [&](FakeDomain& domain) {
            for (CdRomSpec& drive : domain.spec.cdroms) {
                if (drive.device_id != cdrom.device_id) continue;
                if (locks_tray && !force && !drive.iso_path.empty())
                    throw Error(Code::operation_failed, "the guest of VM " + vm.str() + " locks the tray");
                drive.iso_path = cdrom.iso_path;
                return;
            }
            throw Error(Code::not_found, "VM " + vm.str() + " has no CD-ROM " + std::to_string(cdrom.device_id));
        });
    }
    void resize(const VmId& vm, const VolumeId& volume, Bytes size) override {
        faults_.happen("resize_disk");
        with_disk(vm, volume, [&](DiskSpec& disk) {
            FakeFile file = files_.get(disk.path);
            if (size < file.image.virtual_size) throw Error(Code::invalid_argument, "a disk only grows");
            file.image.virtual_size = size;
            files_.put(disk.path, file);
        });
    }
    void set_throttle(const VmId& vm, const VolumeId& volume, const DiskThrottle& throttle) override {
        faults_.happen("set_throttle");
        with_disk(vm, volume, [&](DiskSpec& disk) { disk.throttle = throttle; });
    }
    bool freeze_layers(const VmId& vm, const std::vector<NewLayer>& layers) override {
        faults_.happen("freeze_layers");
        return with_active(vm, [&](FakeDomain& domain) {
            for (const NewLayer& layer : layers) {
                DiskSpec& disk = disk_of(domain, layer.volume);
                if (disk.path == layer.path) continue;
                const Bytes size = files_.get(disk.path).image.virtual_size;
                files_.put(layer.path, {"", {"qcow2", size, layer_size, disk.path, false, false}, layer_size});
                disk.path = layer.path;
            }
            return domain.guest_agent;
        });
    }
    void pull(const VmId& vm, const VolumeId& volume, const std::string& base, const BlockJobLimits&,
              const ProgressPercent& progress, Cancellation& cancel) override {
        faults_.happen("pull", &cancel);
        with_disk(vm, volume, [&](DiskSpec& disk) {
            FakeFile file = files_.get(disk.path);
            file.image.backing_file = base;
            files_.put(disk.path, file);
        });
        if (progress) progress(100);
    }
    bool copy(const VmId& vm, const std::vector<DiskCopy>& copies, const BlockJobLimits&, const ProgressPercent& progress,
              Cancellation& cancel) override {
        faults_.happen("copy_disks", &cancel);
        for (const DiskCopy& copy : copies)
            with_disk(vm, copy.volume, [&](DiskSpec&) {
                FakeFile file = files_.get(copy.target);
                file.content = "copy of " + copy.volume.str();
                files_.put(copy.target, file);
            });
        if (progress) progress(100);
        return with_active(vm, [](FakeDomain& domain) { return domain.guest_agent; });
    }
    void abort_block_job(const VmId&, const VolumeId&) override { faults_.happen("abort_block_job"); }
    void let_go(const VmId& vm) override {
        faults_.happen("let_go");
        let_go_of.push_back(vm);
    }

    // Test: the guest does not let go of disks; it locks the tray.
    bool holds_disks = false;
    std::vector<VmId> let_go_of;
    bool locks_tray = false;

private:
    static constexpr Bytes layer_size = 196 * KiB;

    std::vector<std::string> chain_of(const std::string& path) const {
        std::vector<std::string> chain;
        for (std::string layer = path; !layer.empty();) {
            chain.push_back(layer);
            const auto file = files_.find(layer);
            layer = file ? file->image.backing_file : "";
        }
        return chain;
    }
    FakeDomains& domains_;
    Faults& faults_;
    FakeFileSystem& files_;
};

}  // namespace hvagent
