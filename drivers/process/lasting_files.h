// What the daemon and a minder know of a lasting command, in the files of its directory.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "drivers/files/file_handle.h"
#include "drivers/process/lasting_commands.h"

namespace hvagent {

struct StoredCommand {
    Command command;  // without callbacks
    LastingCommand which;
    seconds patience{0};
};

class LastingFiles {
public:
    explicit LastingFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

    const std::filesystem::path& directory() const { return directory_; }
    std::string progress() const { return directory_ / "progress"; }  // the last line of its output

    void store(const StoredCommand& stored) const;
    std::optional<StoredCommand> command() const;
    void store(const CommandResult& result) const;
    std::optional<CommandResult> result() const;
    bool store_pid(const FileHandle& minder_lock, pid_t pid) const;  // false: errno says why
    pid_t pid() const;                                               // 0: none yet
    // Everything but the daemon's lock.
    void clear() const;

    // Empty when a process holds it already.
    FileHandle lock_as_minder() const { return lock("minder"); }
    FileHandle lock_as_daemon() const { return lock("daemon"); }
    bool has_minder() const { return is_held("minder"); }
    bool has_daemon() const { return is_held("daemon"); }

private:
    FileHandle lock(const char* name) const;
    bool is_held(const char* name) const;

    const std::filesystem::path directory_;
};

}  // namespace hvagent
