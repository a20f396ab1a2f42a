#include "agent/operations/storage/image_cache.h"

#include <filesystem>

#include "agent/operations/storage/layout.h"
#include "hvagent/error.h"

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
        files_.copy(ref.install_path, target, progress, cancel);
        return target;
    }
    throw Error(Code::operation_failed, "the image " + image.name + " cannot be used: " + missing);
}

}  // namespace hvagent::operations
