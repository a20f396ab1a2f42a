// Commands that outlive the daemon: a copy of hours goes on while the daemon is restarted, and its next life takes it up.
//
// Each has a process of its own that minds it (`hvagentd --mind DIRECTORY`): it runs the command, keeps what that says and
// how it ended, and ends it when no daemon has been there for a while. The two meet in a directory of files. Locks on these,
// which go with the processes that hold them, say who is alive.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drivers/process/command.h"

namespace hvagent {

struct LastingSettings {
    std::string directory;            // of this host's own state
    std::vector<std::string> minder;  // the program and its arguments, to which the directory is added
    seconds patience{300};            // how long a command goes on without a daemon
};

// Which command it is: one that was left is taken up when everything is the same.
struct LastingCommand {
    std::string key;     // what it makes or changes, one at a time
    std::string origin;  // what it began with, so that nothing is taken up whose origin has changed since
    std::string part;    // a file to be removed when the command is ended
    std::string work;    // whose it is (Cancellation::work): nobody else takes it up, and it ends with that

    bool operator==(const LastingCommand&) const = default;
};

// Thread-safe; one run() for each key at a time.
class LastingCommands {
public:
    explicit LastingCommands(LastingSettings settings) : settings_(std::move(settings)) {}

    // What an earlier run() left with the key: it goes on, or it ended and nobody heard how.
    struct Left {
        std::vector<std::string> argv;
        LastingCommand which;
    };
    std::optional<Left> left(const std::string& key) const;

    // As run(command, cancel); but when the daemon stops (then too Error(job_cancelled)) or dies, the command goes on, and a
    // run() of the same waits for that one. Anything else that was left with the key is ended first. Of the command's limits
    // those of time are the caller's.
    CommandResult run(const LastingCommand& which, const Command& command, Cancellation& cancel);

    // Ends what was left with the key, and waits until it has ended.
    void end(const std::string& key);
    // From now on what runs ends when the daemon stops: the host goes down, and its file systems with it.
    void end_with_daemon() { ends_with_daemon_ = true; }
    // Ends what the work, which is over, has left; waits for nothing.
    void end_of(const std::string& work) const;

private:
    std::string directory_of(const std::string& key) const;
    void remove_forgotten() const;

    const LastingSettings settings_;
    std::once_flag swept_;
    std::atomic<bool> ends_with_daemon_{false};
};

// The process that minds the command of `directory`. Returns its exit status at once, and goes on in a process of its own;
// there, when all is over. `settle` runs in that process before the command. To be called before any thread is made.
int mind(const std::string& directory, const std::function<void()>& settle = {});

}  // namespace hvagent
