#include "drivers/files/file_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

namespace hvagent {
namespace {

// Small enough to notice a cancel and to report progress soon, also on a slow disk.
constexpr Bytes piece = 8 * MiB;
constexpr std::size_t buffer_size = 1 << 20;

struct Range {
    Bytes begin = 0;
    Bytes end = 0;
};

// The calling thread's I/O class, idle for a while.
class IdleIo {
public:
    explicit IdleIo(bool wanted) {
        if (!wanted) return;
        before_ = ::syscall(SYS_ioprio_get, of_thread, 0);
        ::syscall(SYS_ioprio_set, of_thread, 0, idle_class);
    }
    ~IdleIo() {
        if (before_ >= 0) ::syscall(SYS_ioprio_set, of_thread, 0, before_);
    }
    IdleIo(const IdleIo&) = delete;
    IdleIo& operator=(const IdleIo&) = delete;

private:
    // linux/ioprio.h, which old headers lack.
    static constexpr int of_thread = 1;
    static constexpr int idle_class = 3 << 13;
    long before_ = -1;
};

class Copy {
public:
    Copy(const CopyJob& job, const CopyProgress& progress, Cancellation& cancel, Bytes size)
        : job_(job), progress_(progress), cancel_(cancel), size_(size) {}

    void run() {
        if (::ftruncate(job_.target.get(), size_) != 0) throw file_error("cannot size " + job_.target_name, errno);
        report(0);
        for (Bytes at = 0; at < size_;) {
            const Range data = next_data(at);
            for (Bytes done = data.begin; done < data.end;) {
                cancel_.check();
                const Bytes copied = copy_piece(done, std::min(piece, data.end - done));
                // Keeps the amount of unwritten data small, so that the flush at the end is short.
                ::sync_file_range(job_.target.get(), done, copied, SYNC_FILE_RANGE_WRITE);
                done += copied;
                report(done);
                keep_rate(copied);
            }
            at = data.end;
        }
        report(size_);
    }

private:
    void report(Bytes done) {
        if (progress_) progress_(done, size_);
    }

    void keep_rate(Bytes copied) {
        if (job_.policy.rate <= 0) return;
        copied_ += copied;
        const auto due = began_ + std::chrono::milliseconds(copied_ * 1000 / job_.policy.rate);
        while (std::chrono::steady_clock::now() < due) {
            cancel_.check();
            std::this_thread::sleep_until(std::min(due, std::chrono::steady_clock::now() + std::chrono::milliseconds(200)));
        }
    }

    Range next_data(Bytes from) {
        const Bytes begin = ::lseek(job_.source.get(), from, SEEK_DATA);
        if (begin < 0 && errno == ENXIO) return {size_, size_};  // a hole up to the end
        if (begin < 0) return {from, size_};                     // a file system that does not know holes
        const Bytes end = ::lseek(job_.source.get(), begin, SEEK_HOLE);
        return {begin, std::min(end < 0 ? size_ : end, size_)};
    }

    Bytes copy_piece(Bytes at, Bytes count) {
        if (kernel_copies_) {
            off64_t in = at;
            off64_t out = at;
            const ssize_t copied =
                ::copy_file_range(job_.source.get(), &in, job_.target.get(), &out, static_cast<std::size_t>(count), 0);
            if (copied > 0) return copied;
            if (copied < 0 && means_disk_full(errno)) throw file_error("cannot write " + job_.target_name, errno);
            // Other file systems, special files and old kernels refuse in several ways, or "copy" nothing.
            kernel_copies_ = false;
        }
        return copy_through_memory(at, count);
    }

    Bytes copy_through_memory(Bytes at, Bytes count) {
        if (!buffer_) buffer_ = std::make_unique<std::array<char, buffer_size>>();
        const std::size_t wanted = std::min(static_cast<std::size_t>(count), buffer_size);
        const ssize_t got = ::pread(job_.source.get(), buffer_->data(), wanted, at);
        if (got < 0) throw file_error("cannot read " + job_.source_name, errno);
        if (got == 0) throw Error(Code::io_failed, job_.source_name + " became shorter while it was copied");
        for (ssize_t written = 0; written < got;) {
            const ssize_t result = ::pwrite(job_.target.get(), buffer_->data() + written,
                                            static_cast<std::size_t>(got - written), at + written);
            if (result < 0 && errno == EINTR) continue;
            if (result < 0) throw file_error("cannot write " + job_.target_name, errno);
            written += result;
        }
        return got;
    }

    const CopyJob& job_;
    const CopyProgress& progress_;
    Cancellation& cancel_;
    const Bytes size_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    Bytes copied_ = 0;
    bool kernel_copies_ = true;
    std::unique_ptr<std::array<char, buffer_size>> buffer_;
};

}  // namespace

void copy_content(const CopyJob& job, const CopyProgress& progress, Cancellation& cancel) {
    cancel.check();
    struct stat found {};
    if (::fstat(job.source.get(), &found) != 0) throw file_error("cannot look at " + job.source_name, errno);
    const Bytes size = found.st_size;
    if (job.limit > 0 && size > job.limit) {
        throw Error(Code::storage_allocate, job.source_name + " has " + human_size(size) + ", more than the " +
                                                human_size(job.limit) + " that may be stored");
    }
    if (size > 0 && ::ioctl(job.target.get(), FICLONE, job.source.get()) == 0) {
        if (progress) progress(size, size);
        return;
    }
    const IdleIo idle(job.policy.idle);
    Copy(job, progress, cancel, size).run();
}

}  // namespace hvagent
