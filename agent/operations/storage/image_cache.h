// Images on the primary storage: copied there once, shared by all volumes made from them.
#pragma once
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "agent/inventory/inventory.h"
#include "hvagent/cancel.h"
#include "hvagent/drivers/storage_pool.h"

namespace hvagent::operations {

// Thread-safe; one copy per image and storage at a time, whoever asks.
class ImageCache {
public:
    ImageCache(inventory::Inventory& inventory, StorageFiles& files, DiskImages& images)
        : inventory_(inventory), files_(files), images_(images) {}

    // The path of the image in the cache, copied from the backup storage when it is not there. Error(storage_allocate) when
    // it cannot fit, Error(operation_failed) when no backup storage holds it.
    std::string fetch(const Image& image, const PrimaryStorage& storage, const ProgressPercent& progress,
                      Cancellation& cancel);

    // Removes the copies of images that are expunged, once no file of the storage lies on them, no drive holds them and no
    // volume is about to be made from them. To be called when an image, or a layer that may lie on a copy, has gone. What
    // cannot be judged stays; nothing is thrown.
    void drop_unused();

private:
    // Waits its turn for one path; the destructor passes it on.
    class Turn {
    public:
        Turn(ImageCache& cache, std::string path, Cancellation& cancel);
        ~Turn();
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        ImageCache& cache_;
        const std::string path_;
    };
    struct Entry {
        ImageId image;
        std::vector<std::string> files;
    };
    void drop_unused_on(const PrimaryStorage& storage);
    std::vector<Entry> entries_of_expunged_images(const PrimaryStorage& storage);
    bool is_expected(const ImageId& image);
    std::set<std::string> bases_in(const PrimaryStorage& storage);
    std::string copy(const Image& image, const PrimaryStorage& storage, const std::string& target,
                     const ProgressPercent& progress, Cancellation& cancel);

    inventory::Inventory& inventory_;
    StorageFiles& files_;
    DiskImages& images_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> copying_;  // paths
};

}  // namespace hvagent::operations
