#include "drivers/storage/local_storage_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <algorithm>

#include <cerrno>
#include <filesystem>

#include "drivers/files/file_copy.h"
#include "drivers/files/new_file.h"
#include "drivers/storage/checksum.h"
#include "drivers/storage/directory.h"
#include "hvagent/ids.h"

namespace hvagent {
namespace {

bool is_gone(int error_number) {
    return error_number == ENOENT || error_number == ENOTDIR;
}

std::string parent_of(const std::string& path) {
    return std::filesystem::path(path).parent_path().string();
}

StorageTrial failed_trial(const std::string& what, int error_number) {
    using Outcome = StorageTrial::Outcome;
    StorageTrial trial;
    trial.outcome = means_disk_full(error_number) ? Outcome::no_room
                    : error_number == EROFS       ? Outcome::read_only
                    : is_gone(error_number)       ? Outcome::gone
                                                  : Outcome::failed;
    trial.why = file_error(what, error_number).details();
    return trial;
}

constexpr std::size_t largest_text = 64 * 1024;

// As large as a block: what is left for less is no room.
StorageTrial write_small_file(int directory, const std::string& root) {
    const std::string name = ".hvagent-trial-" + make_uuid();  // several hosts may try at once
    const std::string content(4096, 'h');
    const FileHandle file(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed_trial("cannot write in " + root, errno);
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    int why = written < 0 ? errno : written < static_cast<ssize_t>(content.size()) ? ENOSPC : 0;
    if (why == 0 && ::fdatasync(file.get()) != 0) why = errno;
    if (::unlinkat(directory, name.c_str(), 0) != 0 && why == 0) why = errno;
    return why == 0 ? StorageTrial() : failed_trial("cannot write in " + root, why);
}

void check_that_it_can_be_written(const std::string& root) {
    const std::string probe = root + "/.hvagent-probe-" + make_uuid();
    const FileHandle file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) throw file_error("cannot write in the directory " + root, errno);
    ::unlink(probe.c_str());
}

}  // namespace

void LocalStorageFiles::prepare(const std::string& root) {
    Roots candidate;
    candidate.add(root);
    make_root(root);
    check_that_it_can_be_written(root);
    roots_.add(root);
}

StorageSpace LocalStorageFiles::space(const std::string& root) {
    const Place place = roots_.get(root);
    struct statvfs found {};
    if (::fstatvfs(place.directory.get(), &found) != 0) throw file_error("cannot look at " + root, errno);
    const auto block = static_cast<Bytes>(found.f_frsize);
    return {static_cast<Bytes>(found.f_blocks) * block, static_cast<Bytes>(found.f_bavail) * block};
}

StorageTrial LocalStorageFiles::try_write(const std::string& root) noexcept {
    StorageTrial trial;
    try {
        const Place place = roots_.get(root);
        struct statvfs found {};
        if (::fstatvfs(place.directory.get(), &found) != 0) return failed_trial("cannot look at " + root, errno);
        const auto block = static_cast<Bytes>(found.f_frsize);
        trial.space = {static_cast<Bytes>(found.f_blocks) * block, static_cast<Bytes>(found.f_bavail) * block};
        // Through the root's own entry: a root that is gone shows here.
        const FileHandle directory(::openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!directory) return failed_trial("cannot open " + root, errno);
        StorageTrial written = write_small_file(directory.get(), root);
        written.space = trial.space;
        return written;
    } catch (const std::exception& error) {
        trial.outcome = StorageTrial::Outcome::gone;
        trial.why = error.what();
    }
    return trial;
}

bool LocalStorageFiles::exists(const std::string& path) {
    const Place place = roots_.find(path);
    if (!place.directory) return false;
    struct stat found {};
    if (::fstatat(place.directory.get(), place.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
        if (is_gone(errno)) return false;
        throw file_error("cannot look at " + path, errno);
    }
    return S_ISREG(found.st_mode) || S_ISDIR(found.st_mode);
}

Bytes LocalStorageFiles::allocated(const std::string& path) {
    const Place place = roots_.get(path);
    struct stat found {};
    if (::fstatat(place.directory.get(), place.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
        throw file_error("cannot look at " + path, errno);
    }
    return found.st_blocks * 512;
}

FileHandle LocalStorageFiles::open_to_read(const std::string& path) const {
    const Place place = roots_.get(path);
    FileHandle file(::openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) throw file_error("cannot open " + path, errno);
    struct stat found {};
    if (::fstat(file.get(), &found) != 0) throw file_error("cannot look at " + path, errno);
    if (!S_ISREG(found.st_mode)) throw Error(Code::io_failed, path + " is not a regular file");
    return file;
}

void LocalStorageFiles::copy(const std::string& source, const std::string& target, const ProgressPercent& progress,
                             Cancellation& cancel) {
    const FileHandle from = open_to_read(source);
    (void)roots_.get(target);
    NewFile file(target);
    const auto report = [&](Bytes done, Bytes total) {
        if (progress && total > 0) progress(static_cast<int>(done * 100 / total));
    };
    copy_content({from, file.handle(), source, target, copies_}, report, cancel);
    cancel.check();
    file.publish();
}

void LocalStorageFiles::publish(const std::string& temporary, const std::string& final_path) {
    const FileHandle file = open_to_read(temporary);
    (void)roots_.get(final_path);
    publish_file(file, temporary, final_path);
}

void LocalStorageFiles::make_directories(const std::string& path) {
    const Place place = roots_.find(path);
    if (place.name == "." && place.directory) return;
    if (!place.directory) {
        make_directories(parent_of(path));
        return make_directory(roots_.get(path));
    }
    make_directory(place);
}

void LocalStorageFiles::remove_file(const std::string& path) {
    const Place place = roots_.find(path);
    if (!place.directory || ::unlinkat(place.directory.get(), place.name.c_str(), 0) == 0 || errno == ENOENT) return;
    const int why = errno;
    if (why == EROFS && !exists(path)) return;  // said before the kernel looks whether there is anything to remove
    throw file_error("cannot remove " + path, why);
}

void LocalStorageFiles::remove_empty_directories(const std::string& path, const std::string& up_to) {
    roots_.require_inside(up_to);
    for (std::string directory = path; directory.starts_with(up_to + "/"); directory = parent_of(directory)) {
        const Place place = roots_.find(directory);
        if (!remove_empty_directory(place) && exists(directory)) return;
    }
}

std::vector<std::string> LocalStorageFiles::list(const std::string& directory) {
    return list_directory(roots_.find(directory));
}

std::vector<std::string> LocalStorageFiles::files_below(const std::string& directory) {
    std::vector<std::string> files, directories{directory};
    while (!directories.empty()) {
        const std::string next = directories.back();
        directories.pop_back();
        for (const std::string& name : list(next)) {
            const std::string path = next + "/" + name;
            (is_directory(roots_.find(path)) ? directories : files).push_back(path);
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::optional<std::string> LocalStorageFiles::read_text(const std::string& path) {
    if (!exists(path)) return std::nullopt;
    const FileHandle file = open_to_read(path);
    std::string text(largest_text, '\0');
    std::size_t length = 0;
    while (length < text.size()) {
        const ssize_t got = ::read(file.get(), text.data() + length, text.size() - length);
        if (got < 0) throw file_error("cannot read " + path, errno);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    if (length == text.size()) throw Error(Code::io_failed, path + " is longer than 64 KiB");
    text.resize(length);
    return text;
}

void LocalStorageFiles::write_text(const std::string& path, const std::string& text) {
    const Place place = roots_.get(path);
    const std::string temporary = place.name + ".part-" + make_uuid();
    try {
        const FileHandle file(::openat(place.directory.get(), temporary.c_str(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, image_file_mode));
        if (!file) throw file_error("cannot create " + path, errno);
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written != static_cast<ssize_t>(text.size()))
            throw file_error("cannot write " + path, written < 0 ? errno : ENOSPC);
        flush_to_disk(file, path);
        if (::renameat(place.directory.get(), temporary.c_str(), place.directory.get(), place.name.c_str()) != 0)
            throw file_error("cannot rename the new " + path, errno);
    } catch (...) {
        ::unlinkat(place.directory.get(), temporary.c_str(), 0);
        throw;
    }
    flush_directory(parent_of(path));
}

std::string LocalStorageFiles::md5(const std::string& path, Cancellation& cancel) {
    return checksum_of(open_to_read(path), path, "MD5", cancel);
}

std::string LocalStorageFiles::sha256(const std::string& path, Cancellation& cancel) {
    return checksum_of(open_to_read(path), path, "SHA256", cancel);
}

}  // namespace hvagent
