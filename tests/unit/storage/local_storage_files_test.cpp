#include "drivers/storage/local_storage_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

unsigned mode_of(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : 0;
}

class LocalStorage : public testing::Test {
protected:
    LocalStorage() { files_.prepare(root_); }
    std::string path(const std::string& name) const { return root_ + "/" + name; }
    void copy(const std::string& from, const std::string& to) { files_.copy(path(from), path(to), {}, cancel_); }

    TempDirectory directory_;
    const std::string root_ = directory_.file("root");
    LocalStorageFiles files_;
    Cancellation cancel_;
};

TEST_F(LocalStorage, IsReachableForQemuWhateverTheUmask) {
    const mode_t before = ::umask(0077);
    files_.prepare(directory_.file("other/root"));
    files_.make_directories(path("x/y"));
    write_file(path("a"), "a");
    copy("a", "b");
    files_.publish(path("a"), path("x/y/c"));
    ::umask(before);
    for (const std::string& directory : {directory_.file("other"), directory_.file("other/root"), path("x"), path("x/y")}) {
        EXPECT_EQ(mode_of(directory), 0711U) << directory;
    }
    EXPECT_EQ(mode_of(path("b")), 0644U);
    EXPECT_EQ(mode_of(path("x/y/c")), 0644U);
}

TEST_F(LocalStorage, LeavesTheModeOfADirectoryThatWasThere) {
    ASSERT_EQ(::mkdir(directory_.file("given").c_str(), 0755), 0);
    files_.prepare(directory_.file("given"));
    EXPECT_EQ(mode_of(directory_.file("given")), 0755U);
    EXPECT_THAT(files_.list(directory_.file("given")), ElementsAre());
}

TEST_F(LocalStorage, ATrialOfWritingSeesThatTheRootIsGone) {
    std::filesystem::remove_all(root_);
    const StorageTrial trial = files_.try_write(root_);
    EXPECT_EQ(trial.outcome, StorageTrial::Outcome::gone);
    EXPECT_THAT(trial.why, HasSubstr(root_));
}

TEST_F(LocalStorage, RefusesARootThatIsAFile) {
    write_file(directory_.file("file"), "");
    EXPECT_EQ(thrown_error([&] { files_.prepare(directory_.file("file")); }).code(), Code::io_failed);
    EXPECT_EQ(thrown_error([&] { files_.prepare(directory_.file("file/below")); }).code(), Code::io_failed);
    EXPECT_EQ(thrown_error([&] { files_.exists(directory_.file("file")); }).code(), Code::invalid_argument);
}

TEST_F(LocalStorage, FollowsNoSymbolicLinkBelowTheRoot) {
    std::filesystem::create_directory(directory_.file("outside"));
    write_file(directory_.file("outside/secret"), "secret");
    std::filesystem::create_directory_symlink(directory_.file("outside"), path("link"));
    std::filesystem::create_symlink(directory_.file("outside/secret"), path("file"));
    write_file(path("a"), "a");

    EXPECT_EQ(thrown_error([&] { files_.exists(path("link/secret")); }).code(), Code::invalid_argument);
    EXPECT_EQ(thrown_error([&] { copy("a", "link/b"); }).code(), Code::invalid_argument);
    EXPECT_EQ(thrown_error([&] { files_.remove_file(path("link/secret")); }).code(), Code::invalid_argument);
    EXPECT_EQ(thrown_error([&] { files_.publish(path("a"), path("link/b")); }).code(), Code::invalid_argument);
    EXPECT_FALSE(files_.exists(path("file")));
    EXPECT_EQ(thrown_error([&] { files_.md5(path("file"), cancel_); }).code(), Code::io_failed);
    EXPECT_EQ(thrown_error([&] { copy("file", "b"); }).code(), Code::io_failed);
    files_.remove_file(path("file"));  // the link itself
    EXPECT_EQ(read_file(directory_.file("outside/secret")), "secret");
}

TEST_F(LocalStorage, AllowsARootBehindASymbolicLink) {
    std::filesystem::create_directory(directory_.file("real"));
    std::filesystem::create_directory_symlink(directory_.file("real"), directory_.file("alias"));
    files_.prepare(directory_.file("alias"));
    write_file(directory_.file("real/a"), "a");
    EXPECT_TRUE(files_.exists(directory_.file("alias/a")));
}

TEST_F(LocalStorage, TakesSeveralSlashesForOne) {
    files_.prepare(directory_.path() + "//doubled/");
    write_file(directory_.file("doubled/a"), "a");
    EXPECT_TRUE(files_.exists(directory_.file("doubled/a")));
    EXPECT_TRUE(files_.exists(directory_.path() + "/doubled//a"));
}

TEST_F(LocalStorage, WaitsForNoPipe) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(thrown_error([&] { copy("pipe", "b"); }).code(), Code::io_failed);
    EXPECT_EQ(thrown_error([&] { files_.md5(path("pipe"), cancel_); }).code(), Code::io_failed);
}

TEST_F(LocalStorage, CopiesHolesAsHoles) {
    write_file(path("sparse"), "begin");
    std::filesystem::resize_file(path("sparse"), 64 << 20);
    {
        std::fstream file(path("sparse"), std::ios::in | std::ios::out);
        file.seekp(30 << 20);
        file << "middle";
    }
    copy("sparse", "copy");
    EXPECT_EQ(std::filesystem::file_size(path("copy")), 64U << 20);
    EXPECT_LT(files_.allocated(path("copy")), MiB);
    EXPECT_EQ(files_.md5(path("copy"), cancel_), files_.md5(path("sparse"), cancel_));
}

TEST_F(LocalStorage, ComputesTheRealSum) {
    write_file(path("a"), "The quick brown fox jumps over the lazy dog");
    EXPECT_EQ(files_.md5(path("a"), cancel_), "9e107d9d372bb6826bd81d3542a419d6");
    write_file(path("empty"), "");
    EXPECT_EQ(files_.md5(path("empty"), cancel_), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(files_.sha256(path("a"), cancel_), "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592");
}

TEST_F(LocalStorage, CopiesBetweenFileSystems) {
    TempDirectory other;
    if (!other.become_small_disk("64m")) GTEST_SKIP() << "needs root to mount a tmpfs: " << std::strerror(errno);
    files_.prepare(other.path());
    write_file(other.file("a"), std::string(20'000'000, 'x'));
    std::vector<int> percents;
    files_.copy(
        other.file("a"), path("b"), [&](int percent) { percents.push_back(percent); }, cancel_);
    EXPECT_EQ(read_file(path("b")), std::string(20'000'000, 'x'));
    EXPECT_EQ(percents.back(), 100);
    EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
}

TEST_F(LocalStorage, StopsACopyInTheMiddle) {
    TempDirectory other;  // another file system: a reflink would be done at once
    if (!other.become_small_disk("64m")) GTEST_SKIP() << "needs root to mount a tmpfs: " << std::strerror(errno);
    files_.prepare(other.path());
    write_file(other.file("a"), std::string(40'000'000, 'x'));
    EXPECT_EQ(thrown_error([&] {
                  files_.copy(
                      other.file("a"), path("b"),
                      [&](int percent) {
                          if (percent > 0) cancel_.request();
                      },
                      cancel_);
              }).code(),
              Code::job_cancelled);
    EXPECT_THAT(files_.list(root_), ElementsAre());
}

TEST_F(LocalStorage, SaysThatTheDiskIsFullAndLeavesNothing) {
    TempDirectory small;
    if (!small.become_small_disk("1m")) GTEST_SKIP() << "needs root to mount a small tmpfs: " << std::strerror(errno);
    files_.prepare(small.path());
    write_file(path("a"), std::string(3'000'000, 'x'));
    const Error error = thrown_error([&] { files_.copy(path("a"), small.file("a"), {}, cancel_); });
    EXPECT_EQ(error.code(), Code::storage_allocate);
    EXPECT_THAT(error.details(), HasSubstr("No space left on device"));
    EXPECT_THAT(files_.list(small.path()), ElementsAre());
}

TEST_F(LocalStorage, ClearsAwayWhatACrashLeftOfTheSameCopy) {
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    write_file(path("b.part-" + std::string(host) + "-0123"), "of a crash");
    write_file(path("b.part-another-host-0123"), "perhaps being written");
    write_file(path("a"), "a");
    copy("a", "b");
    EXPECT_THAT(files_.list(root_), ElementsAre("a", "b", "b.part-another-host-0123"));
}

}  // namespace
}  // namespace hvagent
