// The directories that storages live in, and the way from one of them to a file without leaving it.
#pragma once
#include <shared_mutex>
#include <string>
#include <vector>

#include "drivers/files/file_handle.h"

namespace hvagent {

// A file named by its directory, which was reached step by step without following a symbolic link below the root.
struct Place {
    FileHandle directory;
    std::string name;  // "." for the root itself
    std::string path;  // for messages
};

// Thread-safe.
class Roots {
public:
    void add(const std::string& root);
    // Error(invalid_argument) when it is not below a root.
    void require_inside(const std::string& path) const;
    // Error(invalid_argument) as above and when the way leads over a symbolic link; a handle that is not open when a
    // directory on the way is missing.
    Place find(const std::string& path) const;
    // As find(), but a missing directory is Error(io_failed).
    Place get(const std::string& path) const;

private:
    std::string root_of(const std::string& path) const;

    mutable std::shared_mutex mutex_;
    std::vector<std::string> roots_;
};

}  // namespace hvagent
