// How an image comes onto backup storages, whatever it is made from.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "agent/api/operation.h"
#include "agent/operations/services.h"
#include "hvagent/error.h"
#include "hvagent/job.h"

namespace hvagent::operations {

struct ImageArrival {
    Image image;  // as it is recorded at first
    std::vector<BackupStorageId> storages;
    api::Tags tags;
    // Makes the file under its final name, whole or not at all; the directory of the target is its own. Called for the first
    // storage that has room; the others get copies of what it made.
    std::function<void(const BackupStorage& storage, const std::string& target)> make;
};

struct StorageFailure {
    BackupStorageId storage;
    Error error;
};

// Records the image, makes its files and sets it Ready where that worked. Returns what went wrong elsewhere: one storage is
// enough for a success. Throws when there is none, or when the image itself is refused; nothing is left then.
std::vector<StorageFailure> bring_in(Services& services, Job& job, const ImageArrival& arrival);

// Error(image_storage_allocate) unless the storage has `needed` bytes; `what` is the image.
void require_room(Services& services, const BackupStorage& storage, Bytes needed, const std::string& what);

// The image `what` at `target` on the storage, from a file with all that it lies on. Takes up what an earlier life of the
// job has copied.
void copy_image(Services& services, Job& job, const std::string& path, const std::string& format,
                const BackupStorage& storage, const std::string& target, const std::string& what,
                const ProgressPercent& progress);

}  // namespace hvagent::operations
