#include "drivers/files/new_file.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>

namespace hvagent {
namespace {

std::string part_prefix_of(const std::string& final_path) {
    char host[HOST_NAME_MAX + 1] = "";
    ::gethostname(host, sizeof host - 1);
    return final_path + ".part-" + host + "-";
}

std::string random_text() {
    std::random_device source;
    char text[20];
    ::snprintf(text, sizeof text, "%08x%08x", source(), source());
    return text;
}

void remove_leftovers(const std::string& prefix) {
    std::error_code gone;
    const auto directory = std::filesystem::path(prefix).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(directory, gone)) {
        if (entry.path().string().starts_with(prefix)) ::unlink(entry.path().c_str());
    }
}

Error already_there(const std::string& path) {
    return Error(Code::operation_failed, path + " exists already");
}

bool exists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

void rename_unless_there(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
    if (errno == EEXIST) throw already_there(to);
    if (errno != EINVAL && errno != ENOSYS) throw file_error("cannot rename " + from + " to " + to, errno);
    // NFS knows no such flag, but it has hard links, which never replace either.
    if (::link(from.c_str(), to.c_str()) != 0) {
        throw errno == EEXIST ? already_there(to) : file_error("cannot rename " + from + " to " + to, errno);
    }
    ::unlink(from.c_str());
}

}  // namespace

void publish_file(const FileHandle& file, const std::string& temporary, const std::string& final_path) {
    // Not left to the umask.
    if (::fchmod(file.get(), image_file_mode) != 0) throw file_error("cannot set the mode of " + temporary, errno);
    flush_to_disk(file, temporary);
    rename_unless_there(temporary, final_path);
    flush_directory(std::filesystem::path(final_path).parent_path());
}

NewFile::NewFile(std::string final_path) : final_path_(std::move(final_path)) {
    if (exists(final_path_)) throw already_there(final_path_);
    const std::string prefix = part_prefix_of(final_path_);
    remove_leftovers(prefix);
    temporary_ = prefix + random_text();
    file_ = FileHandle(::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, image_file_mode));
    if (!file_) throw file_error("cannot create " + temporary_, errno);
}

NewFile::NewFile(std::string final_path, std::string temporary)
    : final_path_(std::move(final_path)), temporary_(std::move(temporary)) {
    if (exists(final_path_)) throw already_there(final_path_);
    file_ = FileHandle(::open(temporary_.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!file_) throw file_error("cannot open " + temporary_, errno);
}

NewFile::~NewFile() {
    if (temporary_is_ours_) ::unlink(temporary_.c_str());
}

void NewFile::publish() {
    publish_file(file_, temporary_, final_path_);
    temporary_is_ours_ = false;
}

}  // namespace hvagent
