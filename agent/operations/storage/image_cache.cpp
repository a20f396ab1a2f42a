#include "agent/operations/storage/image_cache.h"

#include <algorithm>
#include <filesystem>

#include "agent/operations/storage/layout.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {

ImageCache::Turn::Turn(ImageCache& cache, std::string path, Cancellation& cancel) : cache_(cache), path_(std::move(path)) {
    const Cancellation::Subscription wake(cancel, [this] {
        std::lock_guard lock(cache_.mutex_);
        cache_.changed_.notify_all();
    });
    std::unique_lock lock(cache_.mutex_);
    cache_.changed_.wait(lock, [&] { return cancel.wanted() || !cache_.copying_.contains(path_); });
    cancel.check();
    cache_.copying_.insert(path_);
}

ImageCache::Turn::~Turn() {
    std::lock_guard lock(cache_.mutex_);
    cache_.copying_.erase(path_);
    cache_.changed_.notify_all();
}

std::string ImageCache::fetch(const Image& image, const PrimaryStorage& storage, const ProgressPercent& progress,
                              Cancellation& cancel) {
    const std::string target = cached_image_path(storage, image);
    const Turn turn(*this, target, cancel);
    return files_.exists(target) ? target : copy(image, storage, target, progress, cancel);
}

std::string ImageCache::copy(const Image& image, const PrimaryStorage& storage, const std::string& target,
                             const ProgressPercent& progress, Cancellation& cancel) {
    std::string missing = "it is stored nowhere";
    for (const ImageRef& ref : inventory_.list<ImageRef>({{"imageUuid", image.uuid.str()}})) {
        if (ref.status != ImageStatus::ready) continue;
        if (!files_.exists(ref.install_path)) {
            missing = "its file " + ref.install_path + " is gone";
            continue;
        }
        const Bytes needed = files_.allocated(ref.install_path);
        const Bytes available = files_.space(storage.url).available;
        if (needed > available)
            throw Error(Code::storage_allocate, "the image " + image.name + " needs " + human_size(needed) +
                                                    " in the image cache of the primary storage " + storage.name +
                                                    ", which has " + human_size(available));
        files_.make_directories(std::filesystem::path(target).parent_path());
        try {
            files_.copy(ref.install_path, target, progress, cancel);
        } catch (const Error& error) {
            // On a shared storage another host may have been quicker.
            if (error.code() != Code::operation_failed || storage.type != shared_mount_point || !files_.exists(target))
                throw;
        }
        return target;
    }
    throw Error(Code::operation_failed, "the image " + image.name + " cannot be used: " + missing);
}

void ImageCache::drop_unused() {
    for (const PrimaryStorage& storage : inventory_.list<PrimaryStorage>()) {
        // Another host may have the image, and volumes that lie on it, which this one does not know of.
        if (storage.type == shared_mount_point) continue;
        try {
            drop_unused_on(storage);
        } catch (...) {
            log::warning("the image cache of a storage was not tidied",
                         {{"storage", storage.name}, {"error", current_error().details()}});
        }
    }
}

void ImageCache::drop_unused_on(const PrimaryStorage& storage) {
    std::vector<Entry> entries = entries_of_expunged_images(storage);
    std::erase_if(entries, [&](const Entry& entry) { return is_expected(entry.image); });
    if (entries.empty()) return;  // the scan below reads the header of every file
    const std::set<std::string> bases = bases_in(storage);
    for (const Entry& entry : entries) {
        const auto is_base = [&](const std::string& file) { return bases.contains(file); };
        if (std::any_of(entry.files.begin(), entry.files.end(), is_base)) continue;
        for (const std::string& file : entry.files) files_.remove_file(file);
        files_.remove_empty_directories(std::filesystem::path(entry.files.front()).parent_path(), storage.url);
        log::info("the cached copy of an expunged image was removed",
                  {{"image", entry.image.str()}, {"storage", storage.name}});
    }
}

std::vector<ImageCache::Entry> ImageCache::entries_of_expunged_images(const PrimaryStorage& storage) {
    std::vector<Entry> entries;
    for (const std::string& directory : cache_directories(storage)) {
        for (const std::string& name : files_.list(directory)) {
            Entry entry{ImageId(name), files_.files_below(directory + "/" + name)};
            if (!is_uuid(name) || entry.files.empty() || inventory_.find<Image>(entry.image)) continue;
            entries.push_back(std::move(entry));
        }
    }
    return entries;
}

// By records of what has no file yet, or would not be found in one.
bool ImageCache::is_expected(const ImageId& image) {
    if (inventory_.count<VmCdRom>({{"isoUuid", image.str()}}) > 0) return true;
    for (const Volume& volume : inventory_.list<Volume>({{"rootImageUuid", image.str()}}))
        if (volume.status == VolumeStatus::creating) return true;
    return false;
}

std::set<std::string> ImageCache::bases_in(const PrimaryStorage& storage) {
    const std::vector<std::string> caches = cache_directories(storage);
    std::set<std::string> bases;
    for (const std::string& file : files_.files_below(storage.url)) {
        const auto holds = [&](const std::string& directory) { return file.starts_with(directory + "/"); };
        if (std::any_of(caches.begin(), caches.end(), holds)) continue;
        try {
            const std::string base = images_.inspect(file, "").backing_file;
            if (!base.empty()) bases.insert(base);
        } catch (const Error&) {
            if (files_.exists(file)) throw;  // else it went while we looked
        }
    }
    return bases;
}

}  // namespace hvagent::operations
