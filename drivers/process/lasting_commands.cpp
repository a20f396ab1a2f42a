#include "drivers/process/lasting_commands.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include "drivers/process/lasting_files.h"
#include "hvagent/log.h"

namespace hvagent {
namespace {

using std::chrono::steady_clock;

constexpr seconds launch_limit{20};
constexpr milliseconds last_grace{3000};  // for what a minder does after its command's own grace
constexpr int look_every_ms = 100;        // where the kernel has no pidfd
constexpr int longest_wait_ms = 60'000;
constexpr std::chrono::hours forgotten_after{24};

// A name for a file, from any text: readable enough for who looks into the directory, and one to one.
std::string file_name(std::string key) {
    std::replace(key.begin(), key.end(), '/', '!');
    constexpr std::size_t longest = 160;
    if (key.size() <= longest) return key;
    const std::size_t number = std::hash<std::string>()(key);
    key.erase(0, key.size() - longest);
    return key.append("-").append(std::to_string(number));
}

bool goes_on_or_ended(const LastingFiles& files) {
    return files.has_minder() || files.result();
}

FileHandle handle_of(pid_t pid) {
    return FileHandle(pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1);
}

void wait_for_end(const LastingFiles& files, const FileHandle& process, milliseconds patience) {
    const auto deadline = steady_clock::now() + patience;
    while (files.has_minder() && steady_clock::now() < deadline) {
        pollfd ended{process.get(), POLLIN, 0};  // a negative one only lets time pass
        ::poll(&ended, 1, look_every_ms);
    }
}

void end_minder(const LastingFiles& files, milliseconds grace) {
    const pid_t pid = files.pid();
    const FileHandle process = handle_of(pid);
    if (!files.has_minder()) return;
    // The lock is held, so the number is still its own. Its command dies with it.
    if (pid > 0) ::kill(pid, SIGTERM);
    wait_for_end(files, process, grace + last_grace);
    if (pid > 0 && files.has_minder()) ::kill(pid, SIGKILL);
    wait_for_end(files, process, last_grace);
    if (files.has_minder()) throw Error(Code::timeout, "a command of " + files.directory().string() + " cannot be ended");
}

// One command, from the start of its minder or from where it was left, to its end or that of the daemon.
class Watch {
public:
    Watch(const LastingFiles& files, const Command& command, Cancellation& cancel)
        : files_(files),
          command_(command),
          cancel_(cancel),
          wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          changes_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
          minder_(handle_of(files.pid())) {
        if (!wake_ || !changes_) throw file_error("cannot watch " + files.directory().string(), errno);
        ::inotify_add_watch(changes_.get(), files.progress().c_str(), IN_MODIFY);  // without it: no progress, no more
    }

    // False: the daemon stops, and the command goes on.
    bool to_end() {
        const Cancellation::Subscription waker(cancel_, [&] {
            const std::uint64_t one = 1;
            [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
        });
        tell_progress();
        while (files_.has_minder()) {
            wait();
            tell_progress();
            if (cancel_.reason() == CancelReason::stopping) return false;
            if (cancel_.wanted()) end_minder(files_, command_.term_grace);
        }
        return true;
    }

private:
    void wait() {
        std::array<pollfd, 3> files{pollfd{wake_.get(), POLLIN, 0}, pollfd{changes_.get(), POLLIN, 0},
                                    pollfd{minder_.get(), POLLIN, 0}};
        ::poll(files.data(), files.size(), minder_ ? longest_wait_ms : look_every_ms);
        std::array<char, 4096> events;
        while (::read(changes_.get(), events.data(), events.size()) > 0) {}
    }

    void tell_progress() {
        std::string line;
        std::getline(std::ifstream(files_.progress()), line);
        if (line.empty() || line == told_ || !command_.on_line) return;
        told_ = line;
        command_.on_line(line);
    }

    const LastingFiles& files_;
    const Command& command_;
    Cancellation& cancel_;
    const FileHandle wake_;
    const FileHandle changes_;
    const FileHandle minder_;
    std::string told_;
};

// What nobody will take up. Its minder has ended.
void drop(const LastingFiles& files) {
    std::error_code ignored;
    if (const auto stored = files.command(); stored && !stored->which.part.empty()) ::unlink(stored->which.part.c_str());
    std::filesystem::remove_all(files.directory(), ignored);
}

}  // namespace

// What ended and was not asked for within a day.
void LastingCommands::remove_forgotten() const {
    std::error_code ignored;
    const auto now = std::filesystem::file_time_type::clock::now();
    for (const auto& entry : std::filesystem::directory_iterator(settings_.directory, ignored)) {
        const LastingFiles files(entry.path());
        const bool is_young = now - entry.last_write_time(ignored) < forgotten_after;
        if (!files.has_minder() && !(is_young && files.result())) drop(files);
    }
}

std::string LastingCommands::directory_of(const std::string& key) const {
    return settings_.directory + "/" + file_name(key);
}

std::optional<LastingCommands::Left> LastingCommands::left(const std::string& key) const {
    const LastingFiles files(directory_of(key));
    const auto stored = files.command();
    if (!stored || !goes_on_or_ended(files)) return std::nullopt;
    return Left{stored->command.argv, stored->which};
}

CommandResult LastingCommands::run(const LastingCommand& which, const Command& command, Cancellation& cancel) {
    cancel.check();
    std::call_once(swept_, [this] { remove_forgotten(); });
    const LastingFiles files(directory_of(which.key));
    std::filesystem::create_directories(files.directory());
    const FileHandle attendance = files.lock_as_daemon();
    if (!attendance) throw Error(Code::internal, "two at once run the command of " + files.directory().string());
    if (const auto before = left(which.key); before && before->argv == command.argv && before->which == which) {
        log::info("a command of an earlier life of the daemon is taken up", {{"directory", files.directory().string()}});
    } else {
        end_minder(files, command.term_grace);
        files.clear();
        files.store(StoredCommand{command, which, settings_.patience});
        Command launcher;
        launcher.argv = settings_.minder;
        launcher.argv.push_back(files.directory());
        launcher.time_limit = launch_limit;
        const CommandResult launched = hvagent::run(launcher);
        if (!launched.succeeded())
            throw Error(Code::io_failed, "cannot start " + command.argv.front() + ": " + launched.failure());
    }
    try {
        if (!Watch(files, command, cancel).to_end()) cancel.check();
    } catch (...) {
        if (cancel.reason() != CancelReason::stopping || ends_with_daemon_) end_minder(files, command.term_grace);
        throw;
    }
    const auto result = files.result();
    std::filesystem::remove_all(files.directory());
    cancel.check();
    if (!result)
        throw Error(Code::io_failed, command.argv.front() + " ended and nobody knows how: what minded it was killed");
    return *result;
}

void LastingCommands::end_of(const std::string& work) const {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(settings_.directory, ignored)) {
        const LastingFiles files(entry.path());
        const auto stored = files.command();
        if (!stored || stored->which.work != work) continue;
        if (const pid_t pid = files.pid(); !files.has_minder())
            drop(files);
        else if (pid > 0)
            ::kill(pid, SIGTERM);
    }
}

void LastingCommands::end(const std::string& key) {
    const LastingFiles files(directory_of(key));
    if (!std::filesystem::exists(files.directory())) return;
    end_minder(files, Command().term_grace);
    std::filesystem::remove_all(files.directory());
}

}  // namespace hvagent
