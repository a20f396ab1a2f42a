// Images on the primary storage: copied there once, shared by all volumes made from them.
#pragma once
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "agent/inventory/inventory.h"
#include "hvagent/cancel.h"
#include "hvagent/drivers/storage_pool.h"

namespace hvagent::operations {

// Thread-safe; one copy per image and storage at a time, whoever asks.
class ImageCache {
public:
    ImageCache(inventory::Inventory& inventory, StorageFiles& files) : inventory_(inventory), files_(files) {}

    // The path of the image in the cache, copied from the backup storage when it is not there. Error(storage_allocate) when
    // it cannot fit, Error(operation_failed) when no backup storage holds it.
    std::string fetch(const Image& image, const PrimaryStorage& storage, const ProgressPercent& progress,
                      Cancellation& cancel);

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
    std::string copy(const Image& image, const PrimaryStorage& storage, const std::string& target,
                     const ProgressPercent& progress, Cancellation& cancel);

    inventory::Inventory& inventory_;
    StorageFiles& files_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> copying_;  // paths
};

}  // namespace hvagent::operations
