#include "agent/operations/storage/image_cache.h"

#include <filesystem>

#include "agent/operations/storage/layout.h"
#include "hvagent/error.h"

namespace hvagent::operations {

std::shared_ptr<std::mutex> ImageCache::lock_of(const std::string& path) {
    std::lock_guard lock(mutex_);
    std::erase_if(copying_, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<std::mutex> found = copying_[path].lock();
    if (!found) {
        found = std::make_shared<std::mutex>();
        copying_[path] = found;
    }
    return found;
}

std::string ImageCache::fetch(const Image& image, const PrimaryStorage& storage, const ProgressPercent& progress, Cancellation& cancel) {
    const std::string target = cached_image_path(storage, image);
    const auto one_at_a_time = lock_of(target);
    std::lock_guard lock(*one_at_a_time);
    if (files_.exists(target)) return target;
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
            throw Error(Code::storage_allocate, "the image " + image.name + " needs " + human_size(needed) + " in the image cache of the primary storage " +
                                                    storage.name + ", which has " + human_size(available));
        files_.make_directories(std::filesystem::path(target).parent_path());
        files_.copy(ref.install_path, target, progress, cancel);
        return target;
    }
    throw Error(Code::operation_failed, "the image " + image.name + " cannot be used: " + missing);
}

}  // namespace hvagent::operations
