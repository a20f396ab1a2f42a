// Puts committed transactions on disk: one flush of the write-ahead log serves every commit that was made before
// it began, so that many small jobs arriving together cost one disk flush and not one each.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

namespace hvagent {

// Thread-safe.
class WalFlusher {
public:
    // The log must exist and stay: it does while a connection that has written is open.
    explicit WalFlusher(const std::string& database_path);
    ~WalFlusher();
    WalFlusher(const WalFlusher&) = delete;
    WalFlusher& operator=(const WalFlusher&) = delete;

    // Called by the writer after each commit, before it lets the next writer in.
    std::uint64_t committed();
    // Returns when the commit with this number is on disk. Error(io_failed) when the disk refuses; then for ever, since
    // after a failed flush the kernel no longer knows which pages are missing on disk.
    void wait_until_flushed(std::uint64_t commit);

private:
    void flush(std::unique_lock<std::mutex>& lock);

    const std::string path_;
    int file_ = -1;
    std::mutex mutex_;
    std::condition_variable done_;
    std::uint64_t committed_ = 0;
    std::uint64_t flushed_ = 0;
    bool flushing_ = false;
    int failure_ = 0;  // errno of the first failed flush
};

}  // namespace hvagent
