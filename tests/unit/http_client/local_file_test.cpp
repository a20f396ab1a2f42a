#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "drivers/http_client/curl_client.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"

namespace hvagent {
namespace {

using testing::HasSubstr;

class AddLocalFile : public testing::Test {
protected:
    void download(const std::string& url, Bytes limit = GiB) {
        CurlClient(settings_).download(
            url, target_, limit, [&](Bytes done, Bytes total) { done_ = done, total_ = total; }, cancel_);
    }
    void expect_refused(const std::string& url, const std::string& why) {
        const Error error = thrown_error([&] { download(url); });
        EXPECT_EQ(error.code(), Code::http_failed) << url;
        EXPECT_THAT(error.details(), HasSubstr(why));
        EXPECT_FALSE(std::filesystem::exists(target_));
    }

    HttpSettings settings_;
    TempDirectory directory_;
    const std::string target_ = directory_.file("target");
    Cancellation cancel_;
    Bytes done_ = -1;
    Bytes total_ = -1;
};

TEST_F(AddLocalFile, CopiesIt) {
    write_file(directory_.file("an image"), std::string(20'000'000, 'i'));
    download("file://" + directory_.path() + "/an%20image");
    EXPECT_EQ(read_file(target_), std::string(20'000'000, 'i'));
    EXPECT_EQ(done_, 20'000'000);
    EXPECT_EQ(total_, 20'000'000);
}

// Only that it is not faster than allowed is judged by the clock.
TEST_F(AddLocalFile, KeepsTheRateOfCopies) {
    write_file(directory_.file("image"), std::string(16 * MiB, 'i'));
    settings_.copies.rate = 32 * MiB;
    const auto began = std::chrono::steady_clock::now();
    download("file://" + directory_.file("image"));
    EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(450));
    EXPECT_EQ(done_, 16 * MiB);
}

TEST_F(AddLocalFile, KeepsHolesAsHoles) {
    write_file(directory_.file("sparse"), "begin");
    std::filesystem::resize_file(directory_.file("sparse"), 1 << 30);
    download("file://" + directory_.file("sparse"));
    struct stat found {};
    ASSERT_EQ(::stat(target_.c_str(), &found), 0);
    EXPECT_EQ(found.st_size, 1 << 30);
    EXPECT_LT(found.st_blocks * 512, 1 << 20);
}

TEST_F(AddLocalFile, CopiesAnEmptyOne) {
    write_file(directory_.file("empty"), "");
    download("file://" + directory_.file("empty"));
    EXPECT_EQ(read_file(target_), "");
}

TEST_F(AddLocalFile, RefusesWhatIsNoRegularFile) {
    ASSERT_EQ(::mkfifo(directory_.file("pipe").c_str(), 0600), 0);
    expect_refused("file://" + directory_.file("pipe"), "is not a regular file");
    expect_refused("file://" + directory_.path(), "is not a regular file");
    expect_refused("file://" + directory_.file("missing"), "No such file");
    settings_.blocked_local_paths.clear();
    expect_refused("file:///dev/zero", "is not a regular file");
}

TEST_F(AddLocalFile, RefusesForbiddenPathsHoweverTheyAreWritten) {
    std::filesystem::create_symlink("/etc/passwd", directory_.file("innocent"));
    std::filesystem::create_directory_symlink("/etc", directory_.file("directory"));
    for (const std::string& url :
         {std::string("file:///etc/passwd"), std::string("file:///usr/../etc/passwd"), std::string("file:///%65tc/passwd"),
          std::string("file:////etc//passwd"), "file://" + directory_.file("innocent"),
          "file://" + directory_.file("directory") + "/passwd", std::string("file:///proc/self/root/etc/passwd"),
          std::string("FILE:///etc/passwd"), std::string("file://localhost/etc/passwd")}) {
        expect_refused(url, "is not allowed");
    }
}

TEST_F(AddLocalFile, BlocksByPattern) {
    write_file(directory_.file("a.key"), "key");
    write_file(directory_.file("a.img"), "image");
    std::filesystem::create_directory(directory_.file("private"));
    write_file(directory_.file("private/b.img"), "image");
    write_file(directory_.file("private-not"), "image");
    const std::string real = std::filesystem::canonical(directory_.path());
    settings_.blocked_local_paths = {real + "/*.key", real + "/private/**"};
    expect_refused("file://" + directory_.file("a.key"), "is not allowed");
    expect_refused("file://" + directory_.file("private/b.img"), "is not allowed");
    EXPECT_NO_THROW(download("file://" + directory_.file("a.img")));
    EXPECT_NO_THROW(download("file://" + directory_.file("private-not")));
}

TEST_F(AddLocalFile, BlocksAlsoByANameThatIsASymbolicLink) {
    std::filesystem::create_directory(directory_.file("real"));
    std::filesystem::create_directory_symlink(directory_.file("real"), directory_.file("alias"));
    write_file(directory_.file("real/a"), "a");
    for (const char* pattern : {"alias/**", "alias/a*", "real/**"}) {
        settings_.blocked_local_paths = {directory_.file(pattern)};
        expect_refused("file://" + directory_.file("real/a"), "is not allowed");
        expect_refused("file://" + directory_.file("alias/a"), "is not allowed");
    }
}

TEST_F(AddLocalFile, RefusesAnotherHost) {
    expect_refused("file://elsewhere/tmp/image", "");
}

TEST_F(AddLocalFile, StoresNoMoreThanTheLimit) {
    write_file(directory_.file("large"), std::string(1000, 'l'));
    EXPECT_EQ(thrown_error([&] { download("file://" + directory_.file("large"), 999); }).code(),
              Code::image_storage_allocate);
    EXPECT_FALSE(std::filesystem::exists(target_));
}

TEST_F(AddLocalFile, SaysWhenItDoesNotFitOnTheDisk) {
    TempDirectory elsewhere;
    write_file(elsewhere.file("large"), std::string(3'000'000, 'l'));
    if (!directory_.become_small_disk("1m")) GTEST_SKIP() << "needs root to mount a small tmpfs: " << std::strerror(errno);
    const Error error = thrown_error([&] { download("file://" + elsewhere.file("large")); });
    EXPECT_EQ(error.code(), Code::image_storage_allocate);
    EXPECT_THAT(error.details(), HasSubstr("No space left on device"));
    EXPECT_FALSE(std::filesystem::exists(target_));
}

}  // namespace
}  // namespace hvagent
