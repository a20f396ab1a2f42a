// Delete, recover, expunge: on each backup storage by itself.
#include <algorithm>
#include <filesystem>

#include "agent/operations/cdrom/handlers.h"
#include "agent/operations/image/handlers.h"
#include "agent/operations/storage/image_cache.h"
#include "agent/operations/storage/volume_files.h"
#include "hvagent/flow.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

[[noreturn]] void fail(const std::string& details) {
    throw Error(Code::operation_failed, details);
}

std::vector<ImageRef> refs_of(Services& services, const ImageId& image) {
    return services.inventory.list<ImageRef>({{"imageUuid", image.str()}});
}

std::vector<VmCdRom> drives_with(Services& services, const ImageId& iso) {
    return services.inventory.list<VmCdRom>({{"isoUuid", iso.str()}});
}

// Of the storages that a request lists, or of all.
std::vector<ImageRef> chosen_refs(Services& services, const ImageId& image, const std::vector<BackupStorageId>& storages) {
    const std::vector<ImageRef> all = refs_of(services, image);
    if (storages.empty()) return all;
    std::vector<ImageRef> chosen;
    for (const BackupStorageId& storage : storages) {
        const auto found =
            std::find_if(all.begin(), all.end(), [&](const ImageRef& ref) { return ref.backup_storage == storage; });
        if (found == all.end())
            throw Error(Code::invalid_argument, "parameter 'backupStorageUuids': the image " + image.str() +
                                                    " is not on the backup storage " + storage.str());
        chosen.push_back(*found);
    }
    return chosen;
}

std::vector<ImageRef> deleted_refs(Services& services, const DeletedImage& params) {
    std::vector<ImageRef> refs = chosen_refs(services, params.image, params.backup_storages);
    for (const ImageRef& ref : refs)
        if (!params.backup_storages.empty() && ref.status != ImageStatus::deleted)
            throw Error(Code::invalid_argument, "parameter 'backupStorageUuids': the image " + params.image.str() + " is " +
                                                    std::string(to_text(ref.status)) +
                                                    ", not Deleted, on the backup storage " + ref.backup_storage.str());
    std::erase_if(refs, [](const ImageRef& ref) { return ref.status != ImageStatus::deleted; });
    return refs;
}

// VMs do not go on with an ISO that was taken away; those that are made from the image have their own copy of it.
void take_out_of_drives(Services& services, Job& job, const DeleteImage& params) {
    for (const VmCdRom& drive : drives_with(services, params.image)) {
        try {
            detach_iso(services, job, {drive.vm, params.image});
        } catch (const Error& error) {
            if (error.code() == Code::job_cancelled || params.mode != "Enforcing") throw;
            log::warning("a deleted ISO stays in a drive",
                         {{"vm", drive.vm.str()}, {"image", params.image.str()}, {"error", error.details()}});
        }
    }
}

bool is_gone_after(Services& services, const ImageId& image, const std::vector<ImageRef>& leaving) {
    const std::vector<ImageRef> all = refs_of(services, image);
    return std::all_of(all.begin(), all.end(), [&](const ImageRef& ref) {
        return ref.status != ImageStatus::ready ||
               std::any_of(leaving.begin(), leaving.end(), [&](const ImageRef& one) { return one.uuid == ref.uuid; });
    });
}

void remove_stored_file(Services& services, const ImageRef& ref) {
    try {
        services.files.remove_file(ref.install_path);
        const auto storage = services.inventory.find<BackupStorage>(ref.backup_storage);
        if (storage)
            services.files.remove_empty_directories(std::filesystem::path(ref.install_path).parent_path(), storage->url);
    } catch (...) {
        log::error("an expunged image left its file behind",
                   {{"image", ref.image.str()}, {"file", ref.install_path}, {"error", current_error().details()}});
    }
}

}  // namespace

std::vector<std::string> image_and_drive_queues(Services& services, const ImageId& image) {
    std::vector<std::string> queues{api::queue_name("Image", image.str())};
    for (const VmCdRom& drive : drives_with(services, image))
        queues.push_back(api::queue_name("VmInstance", drive.vm.str()));
    return queues;
}

json delete_image(Services& services, Job& job, const DeleteImage& params) {
    if (!services.inventory.find<Image>(params.image)) return json::object();
    std::vector<ImageRef> leaving = chosen_refs(services, params.image, params.backup_storages);
    std::erase_if(leaving, [](const ImageRef& ref) { return ref.status == ImageStatus::deleted; });
    Flow flow(job);
    if (is_gone_after(services, params.image, leaving))
        flow.step("take it out of drives", [&] { take_out_of_drives(services, job, params); });
    flow.step("mark it deleted", [&] {
        services.inventory.transaction([&] {
            for (const ImageRef& ref : leaving)
                services.inventory.modify<ImageRef>(ref.uuid,
                                                    [](ImageRef& record) { record.status = ImageStatus::deleted; });
            if (!is_gone_after(services, params.image, {})) return;
            services.inventory.modify<Image>(params.image, [&](Image& record) {
                if (record.status != ImageStatus::deleted) record.deleted_at = services.clock.now();
                record.status = ImageStatus::deleted;
            });
        });
    });
    flow.run();
    if (services.settings.image_deletion_policy == "Direct") expunge_image(services, job, {params.image, {}, ""});
    return json::object();
}

json recover_image(Services& services, Job& job, const DeletedImage& params) {
    std::vector<ImageRef> refs = deleted_refs(services, params);
    if (refs.empty() && !job.resumed()) fail("the image " + params.image.str() + " is not Deleted on any backup storage");
    std::erase_if(refs, [&](const ImageRef& ref) { return !services.files.exists(ref.install_path); });
    if (refs.empty() && !job.resumed())
        fail("the image " + params.image.str() + " cannot be recovered: its file is on none of the backup storages");
    services.inventory.transaction([&] {
        for (const ImageRef& ref : refs)
            services.inventory.modify<ImageRef>(ref.uuid, [](ImageRef& record) { record.status = ImageStatus::ready; });
        services.inventory.modify<Image>(params.image, [](Image& record) {
            record.status = ImageStatus::ready;
            record.deleted_at = Time{};
        });
    });
    return services.inventory.answer("Image", params.image.str());
}

json expunge_image(Services& services, Job& job, const DeletedImage& params) {
    if (!services.inventory.find<Image>(params.image)) return json::object();
    if (!params.same.empty() && params.same != params.image.str())
        throw Error(Code::invalid_argument,
                    "parameter 'uuid' must be the same as 'imageUuid', " + params.image.str() + ", when it is given");
    const std::vector<ImageRef> refs = deleted_refs(services, params);
    if (refs.empty() && !job.resumed()) fail("the image " + params.image.str() + " is not Deleted on any backup storage");
    for (const ImageRef& ref : refs) {
        remove_stored_file(services, ref);
        services.inventory.remove<ImageRef>(ref.uuid);
    }
    if (refs_of(services, params.image).empty()) services.inventory.remove<Image>(params.image);
    for (const ImageRef& ref : refs) refresh_backup_storage(services, ref.backup_storage);
    services.image_cache.drop_unused();
    return json::object();
}

}  // namespace hvagent::operations
