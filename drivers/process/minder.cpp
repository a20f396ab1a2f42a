// The other half of lasting_commands.h: a process that runs one command, with or without a daemon.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "drivers/process/lasting_commands.h"
#include "drivers/process/lasting_files.h"

namespace hvagent {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds look_for_daemon_every{2000};
constexpr int cannot_run = 127;  // as a shell's

sigset_t end_signal() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTERM);
    return set;
}

// Ends the command when it is asked to, and when no daemon has been there for too long. A thread of its own.
class Guard {
public:
    Guard(const LastingFiles& files, seconds patience, Cancellation& cancel)
        : files_(files), patience_(patience), cancel_(cancel), thread_([this] { watch(); }) {}
    ~Guard() {
        over_ = true;
        ::pthread_kill(thread_.native_handle(), SIGTERM);
        thread_.join();
    }

private:
    void watch() {
        const sigset_t awaited = end_signal();
        const timespec pause{std::chrono::duration_cast<seconds>(look_for_daemon_every).count(), 0};
        auto seen = steady_clock::now();
        while (true) {
            const int signal = ::sigtimedwait(&awaited, nullptr, &pause);
            if (over_) return;
            if (signal > 0) return cancel_.request();
            if (files_.has_daemon()) seen = steady_clock::now();
            if (steady_clock::now() - seen < patience_) continue;
            return cancel_.request(CancelReason::timeout);
        }
    }

    const LastingFiles& files_;
    const seconds patience_;
    Cancellation& cancel_;
    std::atomic<bool> over_{false};
    std::thread thread_;
};

void leave_terminal() {
    ::setsid();
    const int nothing = ::open("/dev/null", O_RDWR);
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) ::dup2(nothing, stream);
    if (nothing > STDERR_FILENO) ::close(nothing);
}

void run_to_end(const LastingFiles& files, StoredCommand stored) {
    Cancellation cancel;
    const FileHandle progress(::open(files.progress().c_str(), O_WRONLY | O_CLOEXEC));
    stored.command.on_line = [&](std::string_view line) {
        std::string text(line);
        text += '\n';
        [[maybe_unused]] const bool written = ::pwrite(progress.get(), text.data(), text.size(), 0) > 0;  // only for show
    };
    const Guard guard(files, stored.patience, cancel);
    try {
        files.store(run(stored.command, cancel));
    } catch (const Error& error) {
        if (!stored.which.part.empty()) ::unlink(stored.which.part.c_str());
        // Who ended it knows, and without a result a new daemon begins anew.
        if (cancel.wanted()) return;
        CommandResult failed;
        failed.exit_code = cannot_run;
        failed.errors = error.details();
        files.store(failed);
    }
}

}  // namespace

int mind(const std::string& directory, const std::function<void()>& settle) try {
    const LastingFiles files(directory);
    const FileHandle alive = files.lock_as_minder();
    if (!alive) throw Error(Code::operation_failed, directory + " is minded already");
    const auto stored = files.command();
    if (!stored) throw Error(Code::invalid_argument, directory + " holds no command");
    if (const FileHandle made(::open(files.progress().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)); !made)
        throw file_error("cannot write " + files.progress(), errno);
    const sigset_t blocked = end_signal();
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    const pid_t minder = ::fork();
    if (minder < 0) throw file_error("cannot make a process", errno);
    if (minder > 0) {
        if (files.store_pid(alive, minder)) return 0;
        ::kill(minder, SIGKILL);
        throw file_error("cannot write to " + directory, errno);
    }
    leave_terminal();
    if (settle) settle();
    run_to_end(files, *stored);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}

}  // namespace hvagent
