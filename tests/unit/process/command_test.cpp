#include "drivers/process/command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

// A script is handy to make a child that misbehaves; the driver itself never uses a shell.
Command script(const std::string& text) {
    Command command;
    command.argv = {"/bin/sh", "-c", text};
    return command;
}

bool is_alive(pid_t pid) {
    return ::kill(pid, 0) == 0;
}

TEST(RunCommand, KeepsOutputErrorsAndExitCodeApart) {
    const CommandResult result = run(script("echo out; echo err >&2; exit 3"));
    EXPECT_EQ(result.output, "out\n");
    EXPECT_EQ(result.errors, "err\n");
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_FALSE(result.succeeded());
    EXPECT_EQ(result.failure(), "exit code 3: err");
}

TEST(RunCommand, PassesArgumentsAsTheyAre) {
    Command command;
    command.argv = {"printf", "%s|", "a b", "$(id)", "`id`", "'\"", "*", "", "\n;"};
    EXPECT_EQ(run(command).output, "a b|$(id)|`id`|'\"|*||\n;|");
}

TEST(RunCommand, GivesTheChildOnlyTheEnvironmentItNeeds) {
    ::setenv("HVAGENT_TEST_SECRET", "hush", 1);
    Command command;
    command.argv = {"env"};
    command.environment = {{"EXTRA", "1"}};
    EXPECT_EQ(run(command).output, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\nEXTRA=1\n");
    ::unsetenv("HVAGENT_TEST_SECRET");
}

TEST(RunCommand, RunsInItsWorkingDirectory) {
    const TempDirectory directory;
    Command command = script("pwd -P; cat");
    EXPECT_EQ(run(command).output, "/\n") << "and stdin is empty";
    command.working_directory = directory.path();
    EXPECT_EQ(run(command).output, std::filesystem::canonical(directory.path()).string() + "\n");
}

TEST(RunCommand, SaysWhenTheProgramIsMissing) {
    Command command;
    for (const char* name : {"no-such-program", "/no/such/program"}) {
        command.argv = {name};
        const Error error = thrown_error([&] { run(command); });
        EXPECT_EQ(error.code(), Code::no_capability);
        EXPECT_THAT(error.details(), HasSubstr(name));
    }
    command = script("true");
    command.working_directory = "/no/such/directory";
    EXPECT_THAT(thrown_error([&] { run(command); }).details(), HasSubstr("chdir"));
}

TEST(RunCommand, InheritsNoOpenFile) {
    const int leaky = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a careless library would
    ASSERT_GE(leaky, 0);
    Command command;
    command.argv = {"ls", "/proc/self/fd"};
    EXPECT_EQ(run(command).output, "0\n1\n2\n3\n") << "3 is the directory that ls reads";
    ::close(leaky);
}

TEST(RunCommand, GivesTheChildSignalsAsTheyAreByDefault) {
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    EXPECT_THAT(run(script("grep -E 'Sig(Blk|Ign)' /proc/self/status")).output,
                "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    std::signal(SIGPIPE, before);
}

TEST(RunCommand, HandsOnLinesAsTheyCome) {
    std::vector<std::string> lines;
    Command command = script("printf 'one\\ntwo\\rthree\\r\\n'; printf last");
    command.on_line = [&](std::string_view line) { lines.emplace_back(line); };
    const CommandResult result = run(command);
    EXPECT_THAT(lines, ElementsAre("one", "two", "three", "last"));
    EXPECT_EQ(result.output, "one\ntwo\rthree\r\nlast");
}

TEST(RunCommand, KeepsBoundedOutputOfAChildThatNeverStopsWriting) {
    Command command = script("head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2");
    command.most_output = 1000;
    const CommandResult result = run(command);
    EXPECT_TRUE(result.succeeded());
    EXPECT_EQ(result.output.size(), 1000U);
    EXPECT_EQ(result.errors.size(), 1000U);
    EXPECT_TRUE(result.output_cut);
}

TEST(RunCommand, EndsTheChildWhenTheLineCallbackThrows) {
    pid_t pid = 0;
    Command command = script("echo $$; exec sleep 100");
    command.on_line = [&](std::string_view line) {
        pid = std::stoi(std::string(line));
        throw Error(Code::job_interrupted, "from the callback");
    };
    EXPECT_EQ(thrown_error([&] { run(command); }).code(), Code::job_interrupted);
    ASSERT_GT(pid, 0);
    EXPECT_FALSE(is_alive(pid));
}

TEST(RunCommand, EndsTheChildAtItsTimeLimit) {
    Command command = script("exec sleep 100");
    command.time_limit = milliseconds(50);
    const auto begin = steady_clock::now();
    const Error error = thrown_error([&] { run(command); });
    EXPECT_EQ(error.code(), Code::timeout);
    EXPECT_THAT(error.details(), HasSubstr("50 ms"));
    EXPECT_LT(steady_clock::now() - begin, seconds(2));
}

TEST(RunCommand, KillsAChildThatIsDeafToSigterm) {
    pid_t grandchild = 0;
    Command command = script("trap '' TERM; sleep 100 & echo $!; while :; do sleep 1; done");
    command.time_limit = milliseconds(200);
    command.term_grace = milliseconds(50);
    command.on_line = [&](std::string_view line) { grandchild = std::stoi(std::string(line)); };
    EXPECT_EQ(thrown_error([&] { run(command); }).code(), Code::timeout);
    ASSERT_GT(grandchild, 0);
    // It is reaped by the first process of the system, soon.
    for (int i = 0; i < 1000 && is_alive(grandchild); ++i) std::this_thread::sleep_for(milliseconds(1));
    std::string state = "gone";
    if (is_alive(grandchild)) state = read_file("/proc/" + std::to_string(grandchild) + "/status");
    EXPECT_TRUE(state == "gone" || state.find("State:\tZ") != std::string::npos) << state;
}

TEST(RunCommand, IsCancelledAtOnce) {
    Cancellation cancel;
    std::atomic<steady_clock::time_point> cancelled_at{};
    std::jthread canceller;
    Command command = script("echo started; exec sleep 100");
    command.on_line = [&](std::string_view) {
        canceller = std::jthread([&] {
            cancelled_at = steady_clock::now();
            cancel.request();
        });
    };
    EXPECT_EQ(thrown_error([&] { run(command, cancel); }).code(), Code::job_cancelled);
    EXPECT_LT(steady_clock::now() - cancelled_at.load(), milliseconds(500));
}

TEST(RunCommand, DoesNotStartWhatIsCancelled) {
    const TempDirectory directory;
    Cancellation cancel;
    cancel.request();
    EXPECT_EQ(thrown_error([&] { run(script("touch " + directory.file("x")), cancel); }).code(), Code::job_cancelled);
    EXPECT_FALSE(std::filesystem::exists(directory.file("x")));
}

TEST(RunCommand, LimitsProcessorTime) {
    Command command = script("while :; do :; done");
    command.cpu_limit = seconds(1);
    command.time_limit = seconds(60);
    const CommandResult result = run(command);
    EXPECT_EQ(result.signal, SIGXCPU) << result.failure();
    EXPECT_THAT(result.failure(), HasSubstr("killed by signal"));
}

TEST(RunCommand, LimitsAddressSpace) {
    Command command = script("ulimit -v; ulimit -c");
    command.address_space_limit = 512 * MiB;
    EXPECT_EQ(run(command).output, "524288\n0\n");
}

TEST(RunCommand, NoticesItsTimeLimitThoughTheChildFloodsUs) {
    Command command;
    command.argv = {"yes"};
    command.time_limit = milliseconds(50);
    EXPECT_EQ(thrown_error([&] { run(command); }).code(), Code::timeout);
}

TEST(RunCommand, DoesNotWaitForGrandchildrenThatKeepThePipesOpen) {
    const auto begin = steady_clock::now();
    const CommandResult result = run(script("sleep 5 & echo done"));
    EXPECT_EQ(result.output, "done\n");
    EXPECT_LT(steady_clock::now() - begin, seconds(4));
}

TEST(RunCommand, ChildrenDieWithTheDaemon) {
    const TempDirectory directory;
    const std::string pid_file = directory.file("pid");
    ASSERT_EQ(::mkfifo(directory.file("ready").c_str(), 0600), 0);
    const pid_t daemon = ::fork();
    if (daemon == 0) {
        run(script("echo $$ > " + pid_file + "; echo > " + directory.file("ready") + "; exec sleep 100"));
        ::_exit(0);
    }
    read_file(directory.file("ready"));
    const pid_t child = std::stoi(read_file(pid_file));
    EXPECT_TRUE(is_alive(child));
    ::kill(daemon, SIGKILL);
    ::waitpid(daemon, nullptr, 0);
    for (int i = 0; i < 5000 && is_alive(child); ++i) {
        std::error_code gone;
        if (!std::filesystem::exists("/proc/" + std::to_string(child) + "/exe", gone)) break;  // a zombie has no program
        std::this_thread::sleep_for(milliseconds(1));
    }
    std::error_code gone;
    EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(child) + "/exe", gone));
}

TEST(RunCommand, ServesManyThreadsAndLeavesNothingBehind) {
    const auto open_files = [] {
        const std::filesystem::directory_iterator files("/proc/self/fd");
        return std::distance(begin(files), end(files));
    };
    const auto before = open_files();
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([t] {
                for (int i = 0; i < 20; ++i) {
                    const std::string text = std::to_string(t) + "-" + std::to_string(i);
                    Command command;
                    command.argv = {"echo", text};
                    EXPECT_EQ(run(command).output, text + "\n");
                }
            });
        }
    }
    EXPECT_EQ(open_files(), before);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not reaped";
}

}  // namespace
}  // namespace hvagent
