// A directory that holds what a storage holds: its space, and how files come into it whole.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "hvagent/cancel.h"
#include "hvagent/drivers/disk_images.h"
#include "hvagent/units.h"

namespace hvagent {

struct StorageSpace {
    Bytes total = 0;      // of the file system
    Bytes available = 0;  // to an unprivileged writer
};

// How a small write to a storage ended.
struct StorageTrial {
    enum class Outcome { works, no_room, read_only, failed, gone };
    Outcome outcome = Outcome::works;
    std::string why;     // empty when it works
    StorageSpace space;  // as far as it could be seen
};

// Thread-safe. `path` arguments are absolute and must lie below a root this object was given; anything else
// is Error(invalid_argument), and so is a way over a symbolic link. No room: Error(storage_allocate). A target that exists
// already: Error(operation_failed). Other failures: Error(io_failed).
class StorageFiles {
public:
    virtual ~StorageFiles() = default;
    // Makes the directory and its parents (mode 0711: QEMU reaches what it knows the name of) and checks that it can be
    // written.
    virtual void prepare(const std::string& root) = 0;
    virtual StorageSpace space(const std::string& root) = 0;
    // Writes, flushes and removes a small file. Does not throw; a file system that does not answer holds the caller.
    virtual StorageTrial try_write(const std::string& root) noexcept = 0;
    virtual bool exists(const std::string& path) = 0;
    virtual Bytes allocated(const std::string& path) = 0;  // bytes on disk
    // Copies `source` to `target` (reflink where possible); the target appears whole or not at all.
    virtual void copy(const std::string& source, const std::string& target, const ProgressPercent& progress,
                      Cancellation& cancel) = 0;
    // Gives a finished temporary file its final name (fsync of file and directory).
    virtual void publish(const std::string& temporary, const std::string& final_path) = 0;
    virtual void make_directories(const std::string& path) = 0;
    virtual void remove_file(const std::string& path) = 0;  // not there is a success
    virtual void remove_empty_directories(const std::string& path, const std::string& up_to) = 0;
    virtual std::vector<std::string> list(const std::string& directory) = 0;         // names; empty when there is none
    virtual std::vector<std::string> files_below(const std::string& directory) = 0;  // paths of all, sorted; links too
    // A file of at most 64 KiB; nullopt when it is not there.
    virtual std::optional<std::string> read_text(const std::string& path) = 0;
    // Replaces the file or makes it: readers, on other hosts too, see the old text or the new one.
    virtual void write_text(const std::string& path, const std::string& text) = 0;
    virtual std::string md5(const std::string& path, Cancellation& cancel) = 0;     // lower-case hex
    virtual std::string sha256(const std::string& path, Cancellation& cancel) = 0;  // lower-case hex
};

}  // namespace hvagent
