#include "drivers/storage/roots.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

namespace hvagent {
namespace {

std::vector<std::string> split(const std::string& path) {
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        if (end > begin) names.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

bool is_plain(const std::string& path) {
    if (!path.starts_with('/') || path.find('\0') != std::string::npos) return false;
    const auto names = split(path);
    return std::none_of(names.begin(), names.end(), [](const std::string& name) { return name == "." || name == ".."; });
}

// "/a//b/" and "/a/b" are one directory.
std::string tidied(const std::string& path) {
    std::string result;
    for (const std::string& name : split(path)) result += "/" + name;
    return result;
}

}  // namespace

void Roots::add(const std::string& root) {
    if (!is_plain(root) || tidied(root).empty()) {
        throw Error(Code::invalid_argument, "the directory of a storage must be an absolute path without '..', not " + root);
    }
    const std::unique_lock lock(mutex_);
    const std::string tidy = tidied(root);
    if (std::find(roots_.begin(), roots_.end(), tidy) == roots_.end()) roots_.push_back(tidy);
}

std::string Roots::root_of(const std::string& path) const {
    const std::string tidy = tidied(path);
    const std::shared_lock lock(mutex_);
    for (const std::string& root : roots_) {
        if (is_plain(path) && (tidy == root || tidy.starts_with(root + "/"))) return root;
    }
    throw Error(Code::invalid_argument, path + " is not in the directory of a storage");
}

void Roots::require_inside(const std::string& path) const {
    (void)root_of(path);
}

Place Roots::find(const std::string& path) const {
    const std::string root = root_of(path);
    std::vector<std::string> names = split(tidied(path).substr(root.size()));
    Place place{FileHandle(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), ".", path};
    if (!place.directory && errno != ENOENT) throw file_error("cannot open " + root, errno);
    if (names.empty() || !place.directory) return place;
    place.name = std::move(names.back());
    names.pop_back();
    for (const std::string& name : names) {
        FileHandle next(::openat(place.directory.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next && errno == ENOTDIR) {
            throw Error(Code::invalid_argument, path + ": " + name + " is not a directory of the storage itself");
        }
        if (!next && errno != ENOENT) throw file_error("cannot open " + path, errno);
        place.directory = std::move(next);
        if (!place.directory) break;
    }
    return place;
}

Place Roots::get(const std::string& path) const {
    Place place = find(path);
    if (!place.directory) throw file_error("cannot open " + path, ENOENT);
    return place;
}

}  // namespace hvagent
