// Files in memory, shared by the fakes of storage, disk images and downloads.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hvagent/drivers/disk_images.h"
#include "hvagent/error.h"

namespace hvagent {

struct FakeFile {
    std::string content;  // what a download brought, or a test put; may be empty for a disk image
    DiskImageInfo image;  // what inspect() says
    Bytes allocated = 0;  // what it takes from the disk
};

// Thread-safe.
class FakeFileSystem {
public:
    explicit FakeFileSystem(Bytes size = 100 * GiB) : size_(size) {}

    // Error(storage_allocate) when the disk has no room for it.
    void put(const std::string& path, FakeFile file) {
        const std::lock_guard lock(mutex_);
        const auto old = files_.find(path);
        const Bytes freed = old == files_.end() ? 0 : old->second.allocated;
        if (used_ - freed + file.allocated > size_) {
            throw Error(Code::storage_allocate, "cannot write " + path + ": No space left on device");
        }
        used_ += file.allocated - freed;
        files_.insert_or_assign(path, std::move(file));
    }
    // A raw file with this content.
    void put_content(const std::string& path, const std::string& content) {
        const auto size = static_cast<Bytes>(content.size());
        put(path, {content, {"raw", size, size, "", false, false}, size});
    }
    std::optional<FakeFile> find(const std::string& path) const {
        const std::lock_guard lock(mutex_);
        const auto found = files_.find(path);
        return found == files_.end() ? std::nullopt : std::optional(found->second);
    }
    // Error(io_failed) when there is none.
    FakeFile get(const std::string& path) const {
        auto file = find(path);
        if (!file) throw Error(Code::io_failed, "cannot open " + path + ": No such file or directory");
        return *file;
    }
    bool remove(const std::string& path) {
        const std::lock_guard lock(mutex_);
        const auto found = files_.find(path);
        if (found == files_.end()) return false;
        used_ -= found->second.allocated;
        files_.erase(found);
        return true;
    }
    std::vector<std::string> paths() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> result;
        for (const auto& [path, file] : files_) result.push_back(path);
        return result;
    }

    Bytes size() const { return size_; }
    Bytes available() const {
        const std::lock_guard lock(mutex_);
        return size_ - used_;
    }
    // Something else takes all room but this.
    void leave_only(Bytes room) {
        const std::lock_guard lock(mutex_);
        used_ = size_ - room;
    }

private:
    const Bytes size_;
    mutable std::mutex mutex_;
    Bytes used_ = 0;
    std::map<std::string, FakeFile> files_;
};

}  // namespace hvagent
