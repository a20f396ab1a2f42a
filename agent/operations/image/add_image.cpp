#include "agent/operations/image/add_image.h"

#include <algorithm>
#include <filesystem>

#include "agent/operations/storage/layout.h"
#include "agent/operations/storage/volume_files.h"
#include "hvagent/flow.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

std::string scheme_of(const std::string& url) {
    const auto colon = url.find("://");
    if (colon == std::string::npos) return url.starts_with("/") ? "file" : "";
    std::string scheme = url.substr(0, colon);
    std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](unsigned char c) { return std::tolower(c); });
    return scheme;
}

std::string choose_format(const AddImage& params) {
    if (params.media_type == MediaType::iso) {
        if (!params.format.empty() && params.format != "iso")
            refuse("parameter 'format' of an ISO must be iso, but is \"" + params.format + "\"");
        return "iso";
    }
    if (params.format.empty()) refuse("parameter 'format' is required: qcow2 or raw");
    if (params.format == "iso") refuse("parameter 'mediaType' must be ISO for format iso");
    return params.format;
}

void check(const AddImage& params) {
    const std::string scheme = scheme_of(params.url);
    if (scheme != "http" && scheme != "https" && scheme != "file")
        refuse("parameter 'url' must begin with http://, https:// or file:///, but its scheme is \"" + scheme + "\"");
    if (params.system && params.media_type == MediaType::iso) refuse("parameter 'system': an ISO cannot be a system image");
    for (const std::string& tag : params.tags.system)
        if (tag != "qemuga" && tag != "bootMode::Legacy" && tag != "bootMode::UEFI")
            refuse("no system tag of images matches '" + tag + "'; known are qemuga and bootMode::Legacy|UEFI");
}

std::vector<BackupStorage> usable_storages(Services& services, const AddImage& params) {
    std::vector<BackupStorage> usable;
    std::string reasons;
    for (const BackupStorageId& id : params.backup_storages) {
        const BackupStorage storage = refresh_backup_storage(services, id);
        if (storage.state != EnabledState::enabled)
            reasons += " " + storage.name + " is Disabled.";
        else if (storage.status != ConnectionStatus::connected)
            reasons += " " + storage.name + " is not Connected.";
        else
            usable.push_back(storage);
    }
    if (usable.empty())
        throw Error(Code::operation_failed, "no backup storage of 'backupStorageUuids' can be used:" + reasons);
    return usable;
}

void record(Services& services, const AddImage& params, const std::vector<BackupStorage>& storages) {
    if (services.inventory.find<Image>(params.uuid)) return;
    Image image;
    image.uuid = params.uuid;
    image.name = params.name;
    image.description = params.description;
    image.status = ImageStatus::downloading;
    image.url = params.url;
    image.media_type = params.media_type;
    image.guest_os_type = params.guest_os_type;
    image.type = params.type;
    image.platform = params.platform;
    image.architecture = params.architecture;
    image.format = choose_format(params);
    image.system = params.system;
    image.virtio = params.virtio;
    services.inventory.transaction([&] {
        services.inventory.insert(image);
        for (const BackupStorage& storage : storages) {
            ImageRef ref;
            ref.uuid = params.uuid.str() + "-" + storage.uuid.str();
            ref.image = params.uuid;
            ref.backup_storage = storage.uuid;
            ref.install_path = stored_image_path(storage, image);
            services.inventory.insert(ref);
        }
        for (const std::string& tag : params.tags.system)
            services.inventory.add_tag("Image", params.uuid.str(), tag, "System");
        for (const std::string& tag : params.tags.user) services.inventory.add_tag("Image", params.uuid.str(), tag, "User");
    });
}

void remove_records(Services& services, const ImageId& image) {
    services.inventory.transaction([&] {
        for (const ImageRef& ref : services.inventory.list<ImageRef>({{"imageUuid", image.str()}}))
            services.inventory.remove<ImageRef>(ref.uuid);
        services.inventory.remove<Image>(image);
    });
}

// A file from outside may name other files of the host, or be larger than any disk.
DiskImageInfo inspect(Services& services, const AddImage& params, const std::string& path) {
    const std::string format = choose_format(params);
    const std::string found = services.disk_images.inspect(path, "").format;
    if (format == "iso" ? found != "iso" && found != "raw" : found != format)
        refuse("parameter 'format' says " + format + ", but " + params.url + " is " + found);
    const DiskImageInfo info = services.disk_images.inspect(path, format == "iso" ? "raw" : format);
    if (!info.backing_file.empty())
        refuse("the image " + params.url + " has a backing file; only images that stand alone are accepted");
    if (info.has_external_data_file)
        refuse("the image " + params.url + " keeps its data in another file; only images that stand alone are accepted");
    if (info.is_encrypted) refuse("the image " + params.url + " is encrypted");
    if (info.virtual_size <= 0) refuse("the image " + params.url + " is empty");
    if (info.virtual_size > services.settings.image_max_size)
        refuse("the image " + params.url + " has a virtual size of " + human_size(info.virtual_size) + "; at most " +
               human_size(services.settings.image_max_size) + " are accepted");
    return info;
}

std::string directory_of(const std::string& path) {
    return std::filesystem::path(path).parent_path();
}

void fetch(Services& services, Job& job, const AddImage& params, const BackupStorage& storage, const std::string& target) {
    const std::string temporary = target + ".download";
    services.files.make_directories(directory_of(target));
    services.http.download(
        params.url.starts_with("/") ? "file://" + params.url : params.url, temporary, storage.available_capacity,
        [&](Bytes done, Bytes total) {
            if (total > 0)
                job.progress(static_cast<int>(done * 90 / total),
                             "download " + human_size(done) + " of " + human_size(total));
        },
        job.cancellation());
    job.progress(91, "inspect");
    inspect(services, params, temporary);
    services.files.publish(temporary, target);
}

void remove_files(Services& services, const BackupStorage& storage, const std::string& target) {
    services.files.remove_file(target + ".download");
    services.files.remove_file(target);
    services.files.remove_empty_directories(directory_of(target), storage.url);
}

Error as_download_error(const Error& error) {
    if (error.code() == Code::invalid_argument || error.code() == Code::job_cancelled ||
        error.code() == Code::image_download)
        return error;
    return Error(Code::image_download, error.details(), error);
}

}  // namespace

json add_image(Services& services, Job& job, const AddImage& params) {
    check(params);
    const std::vector<BackupStorage> storages = usable_storages(services, params);
    Flow flow(job);
    flow.step(
        "record the image", [&] { record(services, params, storages); }, [&] { remove_records(services, params.uuid); });
    for (const BackupStorage& storage : storages) {
        const auto target = [&services, &params, storage] {
            return stored_image_path(storage, services.inventory.get<Image>(params.uuid));
        };
        flow.step(
            "fetch to " + storage.name,
            [&, storage, target] {
                try {
                    if (!services.files.exists(target())) fetch(services, job, params, storage, target());
                } catch (...) {
                    throw as_download_error(current_error());
                }
            },
            [&services, storage, target] { remove_files(services, storage, target()); });
    }
    flow.step("check and publish", [&] {
        const ImageRef first = services.inventory.list<ImageRef>({{"imageUuid", params.uuid.str()}}).front();
        const DiskImageInfo info = inspect(services, params, first.install_path);
        const std::string md5 = services.files.md5(first.install_path, job.cancellation());
        services.inventory.transaction([&] {
            for (const ImageRef& ref : services.inventory.list<ImageRef>({{"imageUuid", params.uuid.str()}}))
                services.inventory.modify<ImageRef>(ref.uuid, [](ImageRef& stored) { stored.status = ImageStatus::ready; });
            services.inventory.modify<Image>(params.uuid, [&](Image& image) {
                image.status = ImageStatus::ready;
                image.size = info.virtual_size;
                image.actual_size = info.actual_size;
                image.md5 = md5;
            });
        });
    });
    flow.run();
    for (const BackupStorage& storage : storages) refresh_backup_storage(services, storage.uuid);
    return services.inventory.answer("Image", params.uuid.str());
}

}  // namespace hvagent::operations
