#include "drivers/process/lasting_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <thread>

#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* key = "/storage/volume.qcow2";

bool comes_true(const std::function<bool()>& condition, milliseconds patience = seconds(20)) {
    for (const auto begin = steady_clock::now(); steady_clock::now() - begin < patience;) {
        if (condition()) return true;
        std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
}

// What each life of the daemon has of its own.
class Life {
public:
    explicit Life(const std::string& directory, seconds patience = seconds(300), const std::string& job = "job-1")
        : commands_(LastingSettings{directory, {HVAGENT_TEST_MINDER}, patience}), cancel_(job) {}
    ~Life() { stop(); }

    LastingCommands& commands() { return commands_; }
    const LastingCommands& commands() const { return commands_; }
    Cancellation& cancel() { return cancel_; }

    void begin(const std::string& script, const std::string& part = "", const std::string& origin = "") {
        thread_ = std::thread([this, script, part, origin] {
            Command command;
            command.argv = {"/bin/sh", "-c", script};
            command.on_line = [this](std::string_view line) {
                const std::lock_guard lock(mutex_);
                last_line_ = line;
            };
            try {
                result_ = commands_.run({key, origin, part, cancel_.work()}, command, cancel_);
            } catch (const Error& error) {
                error_ = error;
            }
        });
    }
    void stop(CancelReason reason = CancelReason::stopping) {
        if (!thread_.joinable()) return;
        cancel_.request(reason);
        thread_.join();
    }
    void wait() { thread_.join(); }
    std::string last_line() {
        const std::lock_guard lock(mutex_);
        return last_line_;
    }
    const std::optional<CommandResult>& result() const { return result_; }
    const std::optional<Error>& error() const { return error_; }

private:
    LastingCommands commands_;
    Cancellation cancel_;
    std::mutex mutex_;
    std::string last_line_;
    std::optional<CommandResult> result_;
    std::optional<Error> error_;
    std::thread thread_;
};

class CommandThatLasts : public testing::Test {
protected:
    ~CommandThatLasts() override {
        Life last(copies());
        last.commands().end(key);
    }
    std::string copies() const { return directory_.path() + "/copies"; }
    std::string file(const std::string& name) const { return directory_.path() + "/" + name; }
    // Notes its number, then goes on until it is let go.
    std::string waiting() const {
        return "echo $$ >" + file("pid") + "; echo half; while [ ! -e " + file("go") +
               " ]; do sleep 0.02; done; echo whole; exit 3";
    }
    pid_t pid() const {
        pid_t number = 0;
        std::ifstream(file("pid")) >> number;
        return number;
    }
    bool runs() const { return pid() > 0 && ::kill(pid(), 0) == 0; }
    void let_go() const { std::ofstream(file("go")) << "go"; }

    const TempDirectory directory_;
};

TEST_F(CommandThatLasts, EndsAsAnyOther) {
    Life life(copies());
    life.begin("echo 1; echo 2 >&2; exit 4");
    life.wait();
    ASSERT_TRUE(life.result()) << life.error()->details();
    EXPECT_EQ(life.result()->output, "1\n");
    EXPECT_EQ(life.result()->failure(), "exit code 4: 2");
    EXPECT_EQ(life.last_line(), "1");
    EXPECT_TRUE(fs::is_empty(copies())) << "nothing stays";
}

TEST_F(CommandThatLasts, GoesOnWhileTheDaemonIsAwayAndIsTakenUp) {
    {
        Life first(copies());
        first.begin(waiting());
        EXPECT_TRUE(comes_true([&] { return first.last_line() == "half"; }));
        first.stop();
        ASSERT_TRUE(first.error());
        EXPECT_EQ(first.error()->code(), Code::job_cancelled);
    }
    const pid_t before = pid();
    EXPECT_TRUE(runs());
    Life second(copies());
    ASSERT_TRUE(second.commands().left(key));
    EXPECT_THAT(second.commands().left(key)->argv, ElementsAre("/bin/sh", "-c", waiting()));
    second.begin(waiting());
    EXPECT_TRUE(comes_true([&] { return second.last_line() == "half"; })) << "its progress is known at once";
    let_go();
    second.wait();
    ASSERT_TRUE(second.result()) << second.error()->details();
    EXPECT_EQ(second.result()->output, "half\nwhole\n");
    EXPECT_EQ(second.result()->exit_code, 3);
    EXPECT_EQ(pid(), before) << "the same process";
    EXPECT_FALSE(second.commands().left(key));
}

TEST_F(CommandThatLasts, ThatEndedMeanwhileTellsHow) {
    {
        Life first(copies());
        first.begin(waiting());
        EXPECT_TRUE(comes_true([&] { return runs(); }));
    }
    let_go();
    EXPECT_TRUE(comes_true([&] { return !runs(); }));
    Life second(copies());
    EXPECT_TRUE(comes_true([&] { return fs::exists(copies() + "/!storage!volume.qcow2/result.json"); }));
    second.begin(waiting());
    second.wait();
    ASSERT_TRUE(second.result()) << second.error()->details();
    EXPECT_EQ(second.result()->exit_code, 3);
}

TEST_F(CommandThatLasts, IsEndedWhenItIsCancelled) {
    Life life(copies());
    life.begin(waiting());
    EXPECT_TRUE(comes_true([&] { return runs(); }));
    life.stop(CancelReason::asked);
    ASSERT_TRUE(life.error());
    EXPECT_EQ(life.error()->code(), Code::job_cancelled);
    EXPECT_FALSE(runs());
    EXPECT_TRUE(fs::is_empty(copies()));
}

TEST_F(CommandThatLasts, IsEndedWhenAnotherTakesItsPlace) {
    {
        Life first(copies());
        first.begin(waiting());
        EXPECT_TRUE(comes_true([&] { return runs(); }));
    }
    Life second(copies());
    second.begin("echo other");
    second.wait();
    ASSERT_TRUE(second.result()) << second.error()->details();
    EXPECT_EQ(second.result()->output, "other\n");
    EXPECT_FALSE(runs());
}

TEST_F(CommandThatLasts, IsNotTakenUpWhenWhatItBeganWithHasChanged) {
    {
        Life first(copies());
        first.begin(waiting(), "", "as it was");
        EXPECT_TRUE(comes_true([&] { return runs(); }));
    }
    const pid_t before = pid();
    Life second(copies());
    second.begin(waiting(), "", "as it is now");
    EXPECT_TRUE(comes_true([&] { return runs() && pid() != before; }));
    EXPECT_NE(::kill(before, 0), 0);
    let_go();
    second.wait();
    EXPECT_TRUE(second.result());
}

TEST_F(CommandThatLasts, IsTheBusinessOfNoOtherWork) {
    {
        Life first(copies());
        first.begin(waiting());
        EXPECT_TRUE(comes_true([&] { return runs(); }));
    }
    let_go();
    Life other(copies(), seconds(300), "job-2");
    EXPECT_TRUE(comes_true([&] { return fs::exists(copies() + "/!storage!volume.qcow2/result.json"); }));
    const pid_t before = pid();
    other.begin(waiting());
    other.wait();
    ASSERT_TRUE(other.result()) << other.error()->details();
    EXPECT_NE(pid(), before) << "it ran again";
}

TEST_F(CommandThatLasts, EndsWithItsPartWhenTheWorkIsOver) {
    std::ofstream(file("part")) << "half of it";
    {
        Life first(copies());
        first.begin(waiting(), file("part"));
        EXPECT_TRUE(comes_true([&] { return runs(); }));
    }
    const Life second(copies());
    second.commands().end_of("job-2");
    EXPECT_TRUE(runs());
    second.commands().end_of("job-1");
    EXPECT_TRUE(comes_true([&] { return !runs() && !fs::exists(file("part")); }));
}

TEST_F(CommandThatLasts, LeavesNothingWhenItEndedBeforeItsWork) {
    std::ofstream(file("part")) << "all of it";
    {
        Life first(copies());
        first.begin(waiting(), file("part"));
        EXPECT_TRUE(comes_true([&] { return runs(); }));
    }
    let_go();
    const Life second(copies());
    EXPECT_TRUE(comes_true([&] {
        second.commands().end_of("job-1");
        return fs::is_empty(copies());
    }));
    EXPECT_FALSE(fs::exists(file("part")));
}

TEST_F(CommandThatLasts, WithoutADaemonEndsWithItsPart) {
    std::ofstream(file("part")) << "half of it";
    {
        Life first(copies(), seconds(1));
        first.begin(waiting(), file("part"));
        EXPECT_TRUE(comes_true([&] { return runs(); }));
        std::this_thread::sleep_for(seconds(4));
        EXPECT_TRUE(runs()) << "the daemon is there";
    }
    EXPECT_TRUE(comes_true([&] { return !runs(); }));
    EXPECT_TRUE(comes_true([&] { return !fs::exists(file("part")); }));
    Life second(copies());
    EXPECT_TRUE(comes_true([&] { return !second.commands().left(key); }));
}

TEST_F(CommandThatLasts, EndsWithTheDaemonWhenTheHostGoesDown) {
    std::ofstream(file("part")) << "half of it";
    Life life(copies());
    life.begin(waiting(), file("part"));
    EXPECT_TRUE(comes_true([&] { return runs(); }));
    life.commands().end_with_daemon();
    life.stop();
    EXPECT_FALSE(runs());
    EXPECT_FALSE(fs::exists(file("part")));
    Life next(copies());
    EXPECT_FALSE(next.commands().left(key)) << "it begins anew after the boot";
}

TEST_F(CommandThatLasts, WhoseMinderIsKilledFailsWithTheReason) {
    Life life(copies());
    life.begin(waiting());
    EXPECT_TRUE(comes_true([&] { return runs(); }));
    pid_t minder = 0;
    std::ifstream(copies() + "/!storage!volume.qcow2/minder") >> minder;
    ASSERT_GT(minder, 0);
    ::kill(minder, SIGKILL);
    life.wait();
    ASSERT_TRUE(life.error());
    EXPECT_THAT(life.error()->details(), HasSubstr("what minded it was killed"));
    EXPECT_TRUE(comes_true([&] { return !runs(); })) << "no command without a minder";
}

TEST_F(CommandThatLasts, WhoseProgramIsMissingSaysSo) {
    LastingCommands commands(LastingSettings{copies(), {HVAGENT_TEST_MINDER}, seconds(300)});
    Command command;
    command.argv = {"/nowhere/qemu-img", "convert"};
    Cancellation cancel;
    const CommandResult result = commands.run({key, "", "", ""}, command, cancel);
    EXPECT_EQ(result.exit_code, 127);
    EXPECT_THAT(result.failure(), HasSubstr("/nowhere/qemu-img"));
}

TEST_F(CommandThatLasts, WhoseMinderCannotBeStartedIsAnError) {
    LastingCommands commands(LastingSettings{copies(), {"/nowhere/minder"}, seconds(300)});
    Command command;
    command.argv = {"true"};
    Cancellation cancel;
    EXPECT_EQ(thrown_error([&] { commands.run({key, "", "", ""}, command, cancel); }).code(), Code::no_capability);
    EXPECT_FALSE(commands.left(key));
}

}  // namespace
}  // namespace hvagent
