// AttachIsoToVmInstance and DetachIsoFromVmInstance.
#include <algorithm>

#include "agent/operations/cdrom/drives.h"
#include "agent/operations/cdrom/handlers.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/vm/tags.h"
#include "agent/operations/volume/volume_user.h"
#include "hvagent/flow.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

[[noreturn]] void fail(const std::string& details) {
    throw Error(Code::operation_failed, details);
}

std::string describe(const VmCdRom& drive) {
    return "CD-ROM " + std::to_string(drive.device_id) + " (" + drive.uuid.str() + ")";
}

bool is_live(Services& services, const VmId& vm) {
    const VolumeId root = services.inventory.get<Vm>(vm).root_volume;
    return access_of(services, services.inventory.get<Volume>(root)) == DiskAccess::live;
}

// The drive that the request names by tag; empty: any.
CdRomId wished_drive(const api::Tags& tags) {
    if (!tags.user.empty()) throw Error(Code::invalid_argument, "'userTags' are not taken here; use CreateUserTag");
    for (const std::string& tag : tags.system)
        if (!tag.starts_with("cdromUuid::"))
            throw Error(Code::invalid_argument,
                        "system tag '" + tag + "' is not known here; cdromUuid::<uuid> names the drive");
    return CdRomId(tag_value(tags.system, "cdromUuid"));
}

VmCdRom choose_drive(Services& services, const AttachIso& params) {
    const CdRomId wished = wished_drive(params.tags);
    std::optional<VmCdRom> chosen;
    for (const VmCdRom& drive : drives_of(services.inventory, params.vm)) {
        if (drive.iso == params.iso) fail("the ISO " + params.iso.str() + " is in " + describe(drive) + " already");
        if (wished.empty() ? drive.iso.empty() && !chosen : drive.uuid == wished) chosen = drive;
    }
    if (!chosen && !wished.empty()) fail("the VM " + params.vm.str() + " has no CD-ROM " + wished.str());
    if (!chosen) fail("the VM " + params.vm.str() + " has no empty CD-ROM");
    if (!chosen->iso.empty()) fail(describe(*chosen) + " holds the ISO " + chosen->iso.str());
    return *chosen;
}

// The drive that an earlier life of the job filled, or was about to.
VmCdRom remembered_drive(Services& services, Job& job, const AttachIso& params) {
    if (const auto known = job.recall("drive")) return services.inventory.get<VmCdRom>(CdRomId(known->get<std::string>()));
    const VmCdRom drive = choose_drive(services, params);
    job.remember("drive", drive.uuid.str());
    return drive;
}

std::string fetch_iso(Services& services, Job& job, const AttachIso& params) {
    const Volume root = services.inventory.get<Volume>(services.inventory.get<Vm>(params.vm).root_volume);
    return services.image_cache.fetch(
        services.inventory.get<Image>(params.iso), services.inventory.get<PrimaryStorage>(root.primary_storage),
        [&](int percent) { job.progress(percent * 9 / 10, "fetch the ISO"); }, job.cancellation());
}

// A guest that uses the CD keeps the tray locked; it is asked first, and QEMU gives it a few seconds.
void eject(Services& services, const VmCdRom& drive) {
    const CdRomSpec empty{drive.uuid, drive.device_id, ""};
    try {
        services.disks.change_medium(drive.vm, empty, false);
    } catch (const Error& error) {
        if (error.code() != Code::operation_failed) throw;
        log::warning("the guest does not open the tray, so it is opened by force",
                     {{"vm", drive.vm.str()}, {"drive", drive.device_id}, {"error", error.details()}});
        services.disks.change_medium(drive.vm, empty, true);
    }
}

std::optional<VmCdRom> drive_to_empty(Services& services, const DetachIso& params) {
    std::vector<VmCdRom> full = drives_of(services.inventory, params.vm);
    std::erase_if(
        full, [&](const VmCdRom& drive) { return drive.iso.empty() || (!params.iso.empty() && drive.iso != params.iso); });
    if (full.size() > 1)
        fail("the VM " + params.vm.str() + " has " + std::to_string(full.size()) +
             " ISOs attached; parameter 'isoUuid' must say which one to detach");
    return full.empty() ? std::nullopt : std::optional(full.front());
}

}  // namespace

json attach_iso(Services& services, Job& job, const AttachIso& params) {
    usable_iso(services, params.iso);
    const VmCdRom drive = remembered_drive(services, job, params);
    std::string path;
    Flow(job)
        .step("fetch the ISO", [&] { path = fetch_iso(services, job, params); })
        .step(
            "put it into the drive",
            [&] {
                if (is_live(services, params.vm))
                    services.disks.change_medium(params.vm, {drive.uuid, drive.device_id, path}, false);
            },
            [&] {
                const auto live = services.disks.look(params.vm);
                if (!live) return;
                for (const LiveCdRom& one : live->cdroms)
                    if (one.device_id == drive.device_id && one.iso_path == path)
                        services.disks.change_medium(params.vm, {drive.uuid, drive.device_id, ""}, true);
            })
        .step("record it",
              [&] {
                  services.inventory.modify<VmCdRom>(drive.uuid, [&](VmCdRom& record) {
                      record.iso = params.iso;
                      record.iso_path = path;
                  });
              })
        .run();
    return services.inventory.answer("VmInstance", params.vm.str());
}

json detach_iso(Services& services, Job& job, const DetachIso& params) {
    const auto drive = drive_to_empty(services, params);
    if (!drive) return services.inventory.answer("VmInstance", params.vm.str());
    Flow(job)
        .step("open the tray",
              [&] {
                  if (is_live(services, params.vm)) eject(services, *drive);
              })
        .step("record it",
              [&] {
                  services.inventory.modify<VmCdRom>(drive->uuid, [](VmCdRom& record) {
                      record.iso = ImageId();
                      record.iso_path.clear();
                  });
              })
        .run();
    services.image_cache.drop_unused();
    return services.inventory.answer("VmInstance", params.vm.str());
}

}  // namespace hvagent::operations
