#include "drivers/sqlite/wal_flusher.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "hvagent/error.h"

namespace hvagent {
namespace {

[[noreturn]] void fail(const std::string& what, int error) {
    throw Error(Code::io_failed, what + ": " + std::generic_category().message(error));
}

// A file just created can be lost with the power as long as its directory is not on disk.
void flush_directory_of(const std::string& path) {
    const std::string directory = std::filesystem::absolute(path).parent_path().string();
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) fail("cannot open " + directory, errno);
    const int result = ::fsync(fd);
    const int error = errno;
    ::close(fd);
    if (result != 0) fail("cannot flush " + directory, error);
}

}  // namespace

WalFlusher::WalFlusher(const std::string& database_path) : path_(database_path + "-wal") {
    flush_directory_of(database_path);
    // SQLite keeps no POSIX locks on this file, which closing our descriptor would drop.
    file_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    if (file_ < 0) fail("cannot open " + path_, errno);
}

WalFlusher::~WalFlusher() {
    ::close(file_);
}

std::uint64_t WalFlusher::committed() {
    const std::lock_guard lock(mutex_);
    return ++committed_;
}

void WalFlusher::wait_until_flushed(std::uint64_t commit) {
    std::unique_lock lock(mutex_);
    while (flushed_ < commit) {
        if (failure_ != 0) fail("cannot flush " + path_ + " to disk", failure_);
        if (flushing_) {
            done_.wait(lock);
        } else {
            flush(lock);
        }
    }
}

void WalFlusher::flush(std::unique_lock<std::mutex>& lock) {
    const std::uint64_t covered = committed_;
    flushing_ = true;
    lock.unlock();
    const int result = ::fdatasync(file_);
    const int error = errno;
    lock.lock();
    flushing_ = false;
    if (result == 0) {
        flushed_ = covered;
    } else {
        failure_ = error;
    }
    done_.notify_all();
}

}  // namespace hvagent
