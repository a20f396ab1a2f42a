// A program to run and what came of it. No shell is involved anywhere.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hvagent/cancel.h"
#include "hvagent/clock.h"
#include "hvagent/units.h"

namespace hvagent {

struct Command {
    std::vector<std::string> argv;                   // a name without '/' is looked up in the system's directories
    std::map<std::string, std::string> environment;  // besides PATH and LC_ALL=C, which is all the child gets
    std::string working_directory = "/";
    milliseconds time_limit{0};     // 0: none
    milliseconds term_grace{2000};  // between SIGTERM and SIGKILL
    std::optional<seconds> cpu_limit;
    std::optional<Bytes> address_space_limit;
    std::size_t most_output = 1 << 20;  // bytes kept of each stream; the rest is read and dropped
    // Called with each line of stdout as it comes; '\r' ends a line as well. What it throws ends the child.
    std::function<void(std::string_view line)> on_line;
};

struct CommandResult {
    int exit_code = 0;  // -1 when a signal ended it
    int signal = 0;
    std::string output;
    std::string errors;
    bool output_cut = false;  // there was more than most_output

    bool succeeded() const { return signal == 0 && exit_code == 0; }
    // "exit code 1: <last line of stderr>", "killed by signal 9 (Killed)".
    std::string failure() const;
};

// Runs it to its end. Error(timeout) past its time limit, Error(job_cancelled), Error(no_capability) when the program is
// not there; any exit code is a result. The child and its own children are ended by SIGTERM, then SIGKILL. It is also
// killed when the daemon, or the thread that runs it, ends.
CommandResult run(const Command& command, Cancellation& cancel);
CommandResult run(const Command& command);

}  // namespace hvagent
