// What every StorageFiles promises, asked of the real directories and of the fake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "drivers/storage/local_storage_files.h"
#include "tests/fakes/fake_storage_files.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

class World {
public:
    virtual ~World() = default;
    virtual StorageFiles& files() = 0;
    virtual void put(const std::string& path, const std::string& content) = 0;
    virtual std::string content(const std::string& path) = 0;
};

class RealWorld final : public World {
public:
    StorageFiles& files() override { return files_; }
    void put(const std::string& path, const std::string& content) override { write_file(path, content); }
    std::string content(const std::string& path) override { return read_file(path); }

private:
    LocalStorageFiles files_;
};

class FakeWorld final : public World {
public:
    StorageFiles& files() override { return files_; }
    void put(const std::string& path, const std::string& content) override { file_system_.put_content(path, content); }
    std::string content(const std::string& path) override { return file_system_.get(path).content; }

private:
    FakeFileSystem file_system_;
    FakeStorageFiles files_{file_system_};
};

class StorageFilesContract : public testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        if (GetParam()) {
            world_ = std::make_unique<RealWorld>();
        } else {
            world_ = std::make_unique<FakeWorld>();
        }
        files().prepare(root_);
    }
    StorageFiles& files() { return world_->files(); }
    std::string path(const std::string& name) const { return root_ + "/" + name; }

    std::unique_ptr<World> world_;
    TempDirectory directory_;
    const std::string root_ = directory_.file("storage/root");
    Cancellation cancel_;
};

TEST_P(StorageFilesContract, TellsItsSpace) {
    const StorageSpace space = files().space(root_);
    EXPECT_GT(space.total, 0);
    EXPECT_GT(space.available, 0);
    EXPECT_LE(space.available, space.total);
}

TEST_P(StorageFilesContract, ATrialOfWritingTellsAndLeavesNothing) {
    const StorageTrial trial = files().try_write(root_);
    EXPECT_EQ(trial.outcome, StorageTrial::Outcome::works) << trial.why;
    EXPECT_EQ(trial.why, "");
    EXPECT_GT(trial.space.available, 0);
    EXPECT_TRUE(files().list(root_).empty());
    const StorageTrial elsewhere = files().try_write("/nowhere/at/all");
    EXPECT_NE(elsewhere.outcome, StorageTrial::Outcome::works);
    EXPECT_NE(elsewhere.why, "");
}

TEST_P(StorageFilesContract, CopiesAFile) {
    world_->put(path("a"), std::string(100'000, 'a'));
    int percent = -1;
    files().copy(
        path("a"), path("b"), [&](int now) { percent = now; }, cancel_);
    EXPECT_EQ(percent, 100);
    EXPECT_EQ(world_->content(path("b")), std::string(100'000, 'a'));
    EXPECT_GE(files().allocated(path("b")), 100'000);
    EXPECT_THAT(files().list(root_), ElementsAre("a", "b"));
}

TEST_P(StorageFilesContract, OverwritesNothing) {
    world_->put(path("a"), "a");
    world_->put(path("b"), "b");
    EXPECT_EQ(thrown_error([&] { files().copy(path("a"), path("b"), {}, cancel_); }).code(), Code::operation_failed);
    EXPECT_EQ(thrown_error([&] { files().publish(path("a"), path("b")); }).code(), Code::operation_failed);
    EXPECT_EQ(world_->content(path("b")), "b");
    EXPECT_THAT(files().list(root_), ElementsAre("a", "b"));
}

TEST_P(StorageFilesContract, CopiesNothingWhenCancelled) {
    world_->put(path("a"), "a");
    cancel_.request();
    EXPECT_EQ(thrown_error([&] { files().copy(path("a"), path("b"), {}, cancel_); }).code(), Code::job_cancelled);
    EXPECT_EQ(thrown_error([&] { files().md5(path("a"), cancel_); }).code(), Code::job_cancelled);
    EXPECT_THAT(files().list(root_), ElementsAre("a"));
}

TEST_P(StorageFilesContract, PublishesUnderTheFinalName) {
    files().make_directories(path("x/y"));
    world_->put(path("a.part"), "content");
    files().publish(path("a.part"), path("x/y/a"));
    EXPECT_FALSE(files().exists(path("a.part")));
    EXPECT_EQ(world_->content(path("x/y/a")), "content");
}

TEST_P(StorageFilesContract, SaysThatAFileIsMissing) {
    EXPECT_EQ(thrown_error([&] { files().copy(path("none"), path("b"), {}, cancel_); }).code(), Code::io_failed);
    EXPECT_EQ(thrown_error([&] { files().publish(path("none"), path("b")); }).code(), Code::io_failed);
    EXPECT_EQ(thrown_error([&] { files().allocated(path("none")); }).code(), Code::io_failed);
    EXPECT_EQ(thrown_error([&] { files().md5(path("none"), cancel_); }).code(), Code::io_failed);
    EXPECT_FALSE(files().exists(path("none")));
    EXPECT_FALSE(files().exists(path("none/below")));
    EXPECT_THAT(files().list(path("none")), IsEmpty());
    EXPECT_NO_THROW(files().remove_file(path("none")));
    EXPECT_NO_THROW(files().remove_file(path("none/below")));
}

TEST_P(StorageFilesContract, MakesDirectoriesAndRemovesThemWhenEmpty) {
    files().make_directories(path("x/y/z"));
    files().make_directories(path("x/y/z"));
    world_->put(path("x/kept"), "k");
    EXPECT_TRUE(files().exists(path("x/y/z")));
    files().remove_empty_directories(path("x/y/z"), root_);
    EXPECT_FALSE(files().exists(path("x/y")));
    EXPECT_TRUE(files().exists(path("x/kept")));
    files().remove_file(path("x/kept"));
    files().remove_empty_directories(path("x/y/z"), root_);
    EXPECT_FALSE(files().exists(path("x")));
    EXPECT_TRUE(files().exists(root_));
}

TEST_P(StorageFilesContract, RemovesNoDirectoryOutsideOfUpTo) {
    files().make_directories(path("x/y"));
    files().remove_empty_directories(path("x/y"), path("x"));
    EXPECT_TRUE(files().exists(path("x")));
    EXPECT_FALSE(files().exists(path("x/y")));
}

TEST_P(StorageFilesContract, TellsContentsApartByTheirSum) {
    world_->put(path("a"), "a");
    world_->put(path("a2"), "a");
    world_->put(path("b"), "b");
    EXPECT_THAT(files().md5(path("a"), cancel_), MatchesRegex("[0-9a-f]{32}"));
    EXPECT_EQ(files().md5(path("a"), cancel_), files().md5(path("a2"), cancel_));
    EXPECT_NE(files().md5(path("a"), cancel_), files().md5(path("b"), cancel_));
}

TEST_P(StorageFilesContract, ReplacesAText) {
    EXPECT_EQ(files().read_text(path("note")), std::nullopt);
    files().write_text(path("note"), "first\n");
    EXPECT_EQ(files().read_text(path("note")), "first\n");
    files().write_text(path("note"), "");
    EXPECT_EQ(files().read_text(path("note")), "");
    EXPECT_THAT(files().list(root_), ElementsAre("note"));
    EXPECT_EQ(files().read_text(path("none/below")), std::nullopt);
}

TEST_P(StorageFilesContract, LeavesItsRootsAloneAndNothingElse) {
    world_->put(path("a"), "a");
    const std::string outside = directory_.file("outside");
    for (const std::string& bad : {outside, root_ + "/../outside", root_ + "-not/a", root_ + "/./a", root_ + "/x/..",
                                   std::string("a"), std::string(""), std::string("/"), std::string("/etc/passwd")}) {
        const auto expect_refused = [&](const std::function<void()>& action) {
            EXPECT_EQ(thrown_error(action).code(), Code::invalid_argument) << bad;
        };
        expect_refused([&] { files().exists(bad); });
        expect_refused([&] { files().space(bad); });
        expect_refused([&] { files().allocated(bad); });
        expect_refused([&] { files().list(bad); });
        expect_refused([&] { files().md5(bad, cancel_); });
        expect_refused([&] { files().read_text(bad); });
        expect_refused([&] { files().write_text(bad, "x"); });
        expect_refused([&] { files().remove_file(bad); });
        expect_refused([&] { files().make_directories(bad); });
        expect_refused([&] { files().copy(path("a"), bad, {}, cancel_); });
        expect_refused([&] { files().copy(bad, path("c"), {}, cancel_); });
        expect_refused([&] { files().publish(path("a"), bad); });
        expect_refused([&] { files().publish(bad, path("c")); });
    }
    EXPECT_THAT(files().list(root_), ElementsAre("a"));
}

TEST_P(StorageFilesContract, WantsAnAbsoluteRoot) {
    for (const char* bad : {"relative", "", "/a/../b"}) {
        EXPECT_EQ(thrown_error([&] { files().prepare(bad); }).code(), Code::invalid_argument);
    }
}

INSTANTIATE_TEST_SUITE_P(Storage, StorageFilesContract, testing::Values(true, false),
                         [](const auto& param) { return std::string(param.param ? "Local" : "Fake"); });

}  // namespace
}  // namespace hvagent
