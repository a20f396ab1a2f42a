#include "drivers/storage/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "hvagent/log.h"

namespace hvagent {
namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

void warn_if_not_reachable(const std::string& directory) {
    struct stat found {};
    if (::stat(directory.c_str(), &found) == 0 && (found.st_mode & S_IXOTH) == 0) {
        log::warning("QEMU may not reach the images: a directory on the way is closed to others",
                     {{"directory", directory}});
    }
}

}  // namespace

void make_directory(const Place& place) {
    if (::mkdirat(place.directory.get(), place.name.c_str(), storage_directory_mode) == 0) {
        // Not left to the umask.
        if (::fchmodat(place.directory.get(), place.name.c_str(), storage_directory_mode, 0) != 0)
            throw file_error("cannot open the directory " + place.path + " to QEMU's user", errno);
        return;
    }
    const int error = errno;
    struct stat found {};
    const bool is_there = ::fstatat(place.directory.get(), place.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
    if (error != EEXIST || !is_there) throw file_error("cannot make the directory " + place.path, error);
    if (!S_ISDIR(found.st_mode)) throw Error(Code::io_failed, place.path + " is in the way: it is not a directory");
}

void make_root(const std::string& root) {
    std::filesystem::path path("/");
    for (const auto& name : std::filesystem::path(root).relative_path()) {
        if (name.empty()) continue;
        path /= name;
        if (::mkdir(path.c_str(), storage_directory_mode) == 0) {
            ::chmod(path.c_str(), storage_directory_mode);
        } else if (errno != EEXIST && errno != EISDIR) {
            throw file_error("cannot make the directory " + path.string(), errno);
        }
        warn_if_not_reachable(path);
    }
}

std::vector<std::string> list_directory(const Place& place) {
    if (!place.directory) return {};
    const int fd = ::openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return {};
    if (fd < 0) throw file_error("cannot list " + place.path, errno);
    const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(fd));
    if (!directory) throw file_error("cannot list " + place.path, errno);
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (!entry && errno != 0) throw file_error("cannot list " + place.path, errno);
        if (!entry) break;
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool is_directory(const Place& place) {
    struct stat status;
    return place.directory && ::fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

bool remove_empty_directory(const Place& place) {
    if (!place.directory) return false;
    if (::unlinkat(place.directory.get(), place.name.c_str(), AT_REMOVEDIR) == 0) return true;
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT) return false;
    // A read-only file system says so before it looks whether there is anything to remove.
    struct stat unused;
    if (errno == EROFS && ::fstatat(place.directory.get(), place.name.c_str(), &unused, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    throw file_error("cannot remove the directory " + place.path, errno);
}

}  // namespace hvagent
