#include "drivers/process/command.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "drivers/process/child.h"
#include "drivers/process/output.h"

namespace hvagent {
namespace {

using std::chrono::steady_clock;

// How often to look whether the child has ended where the kernel has no pidfd.
constexpr int look_every_ms = 10;
constexpr int longest_wait_ms = 60'000;

// One child from its start to its end.
class Run {
public:
    Run(const Command& command, Cancellation& cancel)
        : command_(command),
          cancel_(cancel),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          started_(steady_clock::now()),
          child_(command),
          output_(child_.output(), command.most_output, command.on_line),
          errors_(child_.errors(), command.most_output, no_callback_) {
        if (!wake_) throw file_error("cannot run " + command.argv.front(), errno);
    }

    CommandResult to_end() {
        const Cancellation::Subscription waker(cancel_, [&] {
            const std::uint64_t one = 1;
            // Fails only when the counter is full: then it is awake already.
            [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
        });
        while (!child_.has_ended()) {
            wait();
            output_.read_available();
            errors_.read_available();
            stop_if_unwanted();
        }
        // Grandchildren may keep the pipes open; what the child itself wrote is there by now.
        output_.read_available();
        errors_.read_available();
        output_.finish();
        return result();
    }

private:
    void wait() {
        std::array<pollfd, 4> files{};
        nfds_t count = 0;
        const auto watch = [&](int fd) { files[count++] = {fd, POLLIN, 0}; };
        if (output_.is_open()) watch(output_.pipe().get());
        if (errors_.is_open()) watch(errors_.pipe().get());
        if (child_.ended()) watch(child_.ended().get());
        // Once heard, it stays readable and would keep us from sleeping.
        if (!stopping()) watch(wake_.get());
        ::poll(files.data(), count, wait_ms());
    }

    int wait_ms() const {
        if (!child_.ended()) return look_every_ms;
        const auto next = stopping() ? kill_at_ : deadline();
        if (next == steady_clock::time_point::max()) return longest_wait_ms;
        const auto left = std::chrono::ceil<milliseconds>(next - steady_clock::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest_wait_ms));
    }

    bool stopping() const { return kill_at_ != steady_clock::time_point::max() || killed_; }
    bool too_late() const { return steady_clock::now() >= deadline(); }
    steady_clock::time_point deadline() const {
        return command_.time_limit.count() > 0 ? started_ + command_.time_limit : steady_clock::time_point::max();
    }

    void stop_if_unwanted() {
        if (!stopping() && (cancel_.wanted() || too_late())) {
            late_ = !cancel_.wanted();
            child_.signal(SIGTERM);
            kill_at_ = steady_clock::now() + command_.term_grace;
        } else if (steady_clock::now() >= kill_at_) {
            child_.signal(SIGKILL);
            killed_ = true;
            kill_at_ = steady_clock::time_point::max();
        }
    }

    CommandResult result() {
        // Even when it succeeded meanwhile: its caller undoes what is cancelled.
        cancel_.check();
        const std::string& name = command_.argv.front();
        if (late_) {
            throw Error(Code::timeout,
                        name + " did not finish within " + std::to_string(command_.time_limit.count()) + " ms");
        }
        const int status = child_.wait_status();
        CommandResult result;
        result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        result.output_cut = output_.was_cut() || errors_.was_cut();
        result.output = output_.take();
        result.errors = errors_.take();
        return result;
    }

    const Command& command_;
    Cancellation& cancel_;
    const OutputReader::OnLine no_callback_;
    const FileHandle wake_;
    const steady_clock::time_point started_;
    Child child_;
    OutputReader output_;
    OutputReader errors_;
    steady_clock::time_point kill_at_ = steady_clock::time_point::max();  // set from SIGTERM to SIGKILL
    bool killed_ = false;
    bool late_ = false;
};

std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const std::size_t end = text.find_last_of('\n');
    return end == std::string::npos ? text : text.substr(end + 1);
}

}  // namespace

std::string CommandResult::failure() const {
    const std::string said = last_line(errors);
    const std::string how = signal != 0 ? "killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")"
                                        : "exit code " + std::to_string(exit_code);
    return said.empty() ? how : how + ": " + said;
}

CommandResult run(const Command& command, Cancellation& cancel) {
    cancel.check();
    return Run(command, cancel).to_end();
}

CommandResult run(const Command& command) {
    Cancellation never;
    return run(command, never);
}

}  // namespace hvagent
