// A file that appears under its name only when it is whole and on disk.
#pragma once
#include <string>

#include "drivers/files/file_handle.h"

namespace hvagent {

// Until publish() the content is in a file beside the final one, named "<name>.part-<host>-<random>"; it goes with this
// object. What a crash of the daemon on this host left for the same name is removed first; other hosts, which may see
// the same directory, do not disturb each other.
class NewFile {
public:
    // Error(operation_failed) when the final file exists already.
    explicit NewFile(std::string final_path);
    // With the content that somebody writes, or wrote, to the temporary file of an earlier one that was left.
    NewFile(std::string final_path, std::string temporary);
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    const FileHandle& handle() const { return file_; }      // writable, empty at first
    const std::string& path() const { return temporary_; }  // for programs that write it by name
    // Error(operation_failed) when somebody else made the final file meanwhile.
    void publish();
    // The temporary file stays: somebody goes on writing to it.
    void leave() { temporary_is_ours_ = false; }

private:
    const std::string final_path_;
    std::string temporary_;
    FileHandle file_;
    bool temporary_is_ours_ = true;
};

// Images are opened by QEMU's user, and by the daemon's after libvirt has given them to QEMU's.
inline constexpr unsigned image_file_mode = 0644;

// Renames and flushes; both in one directory or at least one file system. Error(operation_failed) when the target exists.
void publish_file(const FileHandle& file, const std::string& temporary, const std::string& final_path);

}  // namespace hvagent
