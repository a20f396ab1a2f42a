#include "drivers/files/file_handle.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hvagent {

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void FileHandle::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

bool means_disk_full(int error_number) {
    return error_number == ENOSPC || error_number == EDQUOT;
}

Error file_error(const std::string& what, int error_number) {
    return Error(means_disk_full(error_number) ? Code::storage_allocate : Code::io_failed,
                 what + ": " + std::generic_category().message(error_number));
}

void flush_to_disk(const FileHandle& file, const std::string& path) {
    if (::fsync(file.get()) != 0) throw file_error("cannot flush " + path + " to disk", errno);
}

void flush_directory(const std::string& directory) {
    const FileHandle handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle) throw file_error("cannot open " + directory, errno);
    flush_to_disk(handle, directory);
}

}  // namespace hvagent
