#include "drivers/http_client/local_file.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace hvagent {
namespace {

constexpr std::string_view all_below = "/**";

// The same pattern with its directory as the kernel names it: /var/run/x is /run/x.
std::string with_real_directory(const std::string& pattern) {
    const std::filesystem::path path(pattern);
    std::error_code missing;
    const auto directory = std::filesystem::canonical(path.parent_path(), missing);
    return missing ? pattern : (directory / path.filename()).string();
}

bool matches(const std::string& pattern, const std::string& path) {
    if (pattern.ends_with(all_below)) {
        return path.starts_with(pattern.substr(0, pattern.size() - all_below.size() + 1));
    }
    return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

[[noreturn]] void refuse(const Url& url, const std::string& why) {
    throw Error(Code::http_failed, url.shown + ": " + why);
}

std::string path_of(int fd) {
    char path[PATH_MAX];
    const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
    if (length <= 0) throw file_error("cannot resolve a file name", errno);
    return {path, static_cast<std::size_t>(length)};
}

}  // namespace

FileHandle open_local_file(const Url& url, const std::vector<std::string>& blocked_paths) {
    if (!url.host.empty() && url.host != "localhost") refuse(url, "names another host; expected file:///path");
    if (!url.path.starts_with('/')) refuse(url, "is not an absolute path");
    // O_PATH has no effect on devices and pipes; what was judged is then what is read, whatever happens to the name.
    const FileHandle found(::open(url.path.c_str(), O_PATH | O_CLOEXEC));
    if (!found) refuse(url, std::generic_category().message(errno));
    const std::string real_path = path_of(found.get());
    const auto blocks = [&](const std::string& pattern) {
        return matches(with_real_directory(pattern), real_path) || matches(pattern, real_path);
    };
    if (std::any_of(blocked_paths.begin(), blocked_paths.end(), blocks)) refuse(url, "is not allowed as an image");
    struct stat status {};
    if (::fstat(found.get(), &status) != 0) refuse(url, std::generic_category().message(errno));
    if (!S_ISREG(status.st_mode)) refuse(url, "is not a regular file");
    FileHandle readable(::open(("/proc/self/fd/" + std::to_string(found.get())).c_str(), O_RDONLY | O_CLOEXEC));
    if (!readable) refuse(url, std::generic_category().message(errno));
    return readable;
}

}  // namespace hvagent
