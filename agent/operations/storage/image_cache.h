// Images on the primary storage: copied there once, shared by all volumes made from them.
#pragma once
#include <map>
#include <memory>
#include <mutex>
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
    std::string fetch(const Image& image, const PrimaryStorage& storage, const ProgressPercent& progress, Cancellation& cancel);

private:
    std::shared_ptr<std::mutex> lock_of(const std::string& path);

    inventory::Inventory& inventory_;
    StorageFiles& files_;
    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<std::mutex>> copying_;
};

}  // namespace hvagent::operations
