// Storages that are directories of this host, or of a file system that other hosts see too.
#pragma once
#include <string>
#include <vector>

#include "drivers/files/file_copy.h"
#include "drivers/storage/roots.h"
#include "hvagent/drivers/storage_pool.h"

namespace hvagent {

class LocalStorageFiles final : public StorageFiles {
public:
    LocalStorageFiles() = default;
    explicit LocalStorageFiles(CopyPolicy copies) : copies_(copies) {}

    void prepare(const std::string& root) override;
    StorageSpace space(const std::string& root) override;
    StorageTrial try_write(const std::string& root) noexcept override;
    bool exists(const std::string& path) override;
    Bytes allocated(const std::string& path) override;
    void copy(const std::string& source, const std::string& target, const ProgressPercent& progress,
              Cancellation& cancel) override;
    void publish(const std::string& temporary, const std::string& final_path) override;
    void make_directories(const std::string& path) override;
    void remove_file(const std::string& path) override;
    void remove_empty_directories(const std::string& path, const std::string& up_to) override;
    std::vector<std::string> list(const std::string& directory) override;
    std::vector<std::string> files_below(const std::string& directory) override;
    std::optional<std::string> read_text(const std::string& path) override;
    void write_text(const std::string& path, const std::string& text) override;
    std::string md5(const std::string& path, Cancellation& cancel) override;
    std::string sha256(const std::string& path, Cancellation& cancel) override;

private:
    FileHandle open_to_read(const std::string& path) const;

    const CopyPolicy copies_;
    Roots roots_;
};

}  // namespace hvagent
