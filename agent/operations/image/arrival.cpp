#include "agent/operations/image/arrival.h"

#include <algorithm>
#include <filesystem>

#include "agent/operations/image/inspection.h"
#include "agent/operations/storage/layout.h"
#include "agent/operations/storage/volume_files.h"
#include "hvagent/flow.h"
#include "hvagent/log.h"

namespace hvagent::operations {
namespace {

std::string directory_of(const std::string& path) {
    return std::filesystem::path(path).parent_path();
}

// Nothing that another storage would do better: the job is over, or the image is bad.
bool concerns_all(const Error& error) {
    return error.code() == Code::job_cancelled || error.code() == Code::invalid_argument;
}

class Arriving {
public:
    Arriving(Services& services, Job& job, const ImageArrival& arrival)
        : services_(services), job_(job), arrival_(arrival) {}

    std::vector<StorageFailure> run() {
        find_storages();
        Flow flow(job_);
        flow.step(
            "record the image", [this] { record(); }, [this] { remove_records(); });
        for (const BackupStorage& storage : storages_)
            flow.step(
                "bring it to " + storage.name, [this, storage] { bring_to(storage); },
                [this, storage] { remove_files(storage); });
        flow.step("check and publish", [this] { publish(); });
        flow.run();
        for (const BackupStorage& storage : storages_) refresh_backup_storage(services_, storage.uuid);
        return failures_;
    }

private:
    const ImageId& id() const { return arrival_.image.uuid; }
    std::vector<ImageRef> refs() const { return services_.inventory.list<ImageRef>({{"imageUuid", id().str()}}); }
    std::string target_on(const BackupStorage& storage) const { return stored_image_path(storage, arrival_.image); }

    // An earlier life of the job has chosen already.
    void find_storages() {
        for (const ImageRef& ref : refs()) storages_.push_back(services_.inventory.get<BackupStorage>(ref.backup_storage));
        if (!storages_.empty()) return;
        for (const BackupStorageId& id : arrival_.storages) {
            const auto seen = [&](const BackupStorage& storage) { return storage.uuid == id; };
            if (std::any_of(storages_.begin(), storages_.end(), seen)) continue;
            const BackupStorage storage = refresh_backup_storage(services_, id);
            if (storage.state != EnabledState::enabled)
                note(storage, Error(Code::operation_failed, "the backup storage " + storage.name + " is Disabled"));
            else if (storage.status != ConnectionStatus::connected)
                note(storage, Error(Code::operation_failed, "the backup storage " + storage.name + " is not Connected"));
            else
                storages_.push_back(storage);
        }
        if (storages_.empty())
            throw Error(Code::operation_failed, "no backup storage of 'backupStorageUuids' can be used: " + reasons());
    }

    void note(const BackupStorage& storage, const Error& error) {
        log::warning("an image does not come onto a backup storage",
                     {{"image", id().str()}, {"storage", storage.name}, {"error", error.details()}});
        failures_.push_back({storage.uuid, error});
    }
    std::string reasons() const {
        std::string text;
        for (const StorageFailure& failure : failures_) text += (text.empty() ? "" : "; ") + failure.error.details();
        return text;
    }

    void record() {
        if (services_.inventory.find<Image>(id())) return;
        services_.inventory.transaction([&] {
            services_.inventory.insert(arrival_.image);
            for (const BackupStorage& storage : storages_) {
                ImageRef ref;
                ref.uuid = id().str() + "-" + storage.uuid.str();
                ref.image = id();
                ref.backup_storage = storage.uuid;
                ref.install_path = target_on(storage);
                ref.status = arrival_.image.status;
                services_.inventory.insert(ref);
            }
            for (const std::string& tag : arrival_.tags.system)
                services_.inventory.add_tag("Image", id().str(), tag, "System");
            for (const std::string& tag : arrival_.tags.user) services_.inventory.add_tag("Image", id().str(), tag, "User");
        });
    }
    void remove_records() {
        services_.inventory.transaction([&] {
            for (const ImageRef& ref : refs()) services_.inventory.remove<ImageRef>(ref.uuid);
            services_.inventory.remove<Image>(id());
        });
    }

    void bring_to(const BackupStorage& storage) {
        const std::string target = target_on(storage);
        try {
            if (!services_.files.exists(target)) make(storage, target);
            made_.push_back(target);
        } catch (...) {
            const Error error = current_error();
            if (concerns_all(error)) throw error;
            note(storage, error);
            clean_up(storage);
            if (made_.empty() && storage.uuid == storages_.back().uuid) fail();
        }
    }
    [[noreturn]] void fail() const {
        if (failures_.size() == 1) throw failures_.front().error;
        throw Error(failures_.front().error.code(), reasons());
    }
    // A storage that broke down must not take the image from the others.
    void clean_up(const BackupStorage& storage) {
        try {
            remove_files(storage);
        } catch (...) {
            log::error("an image left files behind",
                       {{"image", id().str()}, {"storage", storage.name}, {"error", current_error().details()}});
        }
    }
    void make(const BackupStorage& storage, const std::string& target) {
        services_.files.make_directories(directory_of(target));
        if (made_.empty()) return arrival_.make(storage, target);
        require_room(services_, storage, services_.files.allocated(made_.front()), arrival_.image.name);
        services_.files.copy(
            made_.front(), target, [&](int percent) { job_.progress(90 + percent / 20, "copy to " + storage.name); },
            job_.cancellation());
    }
    void remove_files(const BackupStorage& storage) {
        const std::string target = target_on(storage);
        const std::string directory = directory_of(target);
        for (const std::string& name : services_.files.list(directory)) services_.files.remove_file(directory + "/" + name);
        services_.files.remove_empty_directories(directory, storage.url);
    }

    void publish() {
        const std::string& first = made_.front();
        const DiskImageInfo info = inspect_image(services_, first, arrival_.image.format, arrival_.image.url);
        job_.progress(96, "checksum");
        const std::string md5 = services_.files.md5(first, job_.cancellation());
        services_.inventory.transaction([&] {
            for (const ImageRef& ref : refs()) {
                const bool is_there = std::find(made_.begin(), made_.end(), ref.install_path) != made_.end();
                services_.inventory.modify<ImageRef>(
                    ref.uuid, [&](ImageRef& stored) { stored.status = is_there ? ImageStatus::ready : ImageStatus::error; });
            }
            services_.inventory.modify<Image>(id(), [&](Image& image) {
                image.status = ImageStatus::ready;
                image.size = info.virtual_size;
                image.actual_size = info.actual_size;
                image.md5 = md5;
            });
        });
    }

    Services& services_;
    Job& job_;
    const ImageArrival& arrival_;
    std::vector<BackupStorage> storages_;
    std::vector<std::string> made_;  // files
    std::vector<StorageFailure> failures_;
};

}  // namespace

std::vector<StorageFailure> bring_in(Services& services, Job& job, const ImageArrival& arrival) {
    return Arriving(services, job, arrival).run();
}

void require_room(Services& services, const BackupStorage& storage, Bytes needed, const std::string& what) {
    const Bytes available = services.files.space(storage.url).available;
    if (needed > available)
        throw Error(Code::image_storage_allocate, "the image " + what + " needs up to " + human_size(needed) +
                                                      " on the backup storage " + storage.name + ", which has " +
                                                      human_size(available));
}

void copy_image(Services& services, Job& job, const std::string& path, const std::string& format,
                const BackupStorage& storage, const std::string& target, const std::string& what,
                const ProgressPercent& progress) {
    // A small file can unfold to a large one. What an earlier life of the job began takes its room already.
    if (!job.resumed()) require_room(services, storage, services.disk_images.measure(path, format), what);
    services.disk_images.convert(path, format, target, "qcow2", progress, job.cancellation());
}

}  // namespace hvagent::operations
