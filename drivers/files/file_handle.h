// An open file, and the errors of files in one shape.
#pragma once
#include <string>
#include <utility>

#include "hvagent/error.h"

namespace hvagent {

class FileHandle {
public:
    FileHandle() = default;
    explicit FileHandle(int fd) : fd_(fd) {}
    FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileHandle& operator=(FileHandle&& other) noexcept;
    ~FileHandle() { close(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    void close();

private:
    int fd_ = -1;
};

// Error(io_failed), or Error(storage_allocate) when there is no room left; `what` says what was tried, on which file.
[[nodiscard]] Error file_error(const std::string& what, int error_number);
bool means_disk_full(int error_number);
// fsync, with the error as file_error.
void flush_to_disk(const FileHandle& file, const std::string& path);
// A new or renamed file can be lost with the power as long as its directory is not on disk.
void flush_directory(const std::string& directory);

}  // namespace hvagent
