#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "drivers/http_client/curl_client.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"
#include "tests/unit/http_client/loopback_server.h"

namespace hvagent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string make_content(std::size_t size, int seed) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>((i * 7 + i / 251 + static_cast<std::size_t>(seed)) % 251);
    return text;
}

// Serves one file, and breaks off as often as the test wants.
class ResumeDownload : public testing::Test {
protected:
    ResumeDownload() {
        settings_.first_retry_delay = milliseconds(1);
        settings_.longest_retry_delay = milliseconds(2);
        settings_.most_fruitless_attempts = 3;
        settings_.checkpoint_every = milliseconds(0);
        server_.routes().Get("/image", [this](const httplib::Request& request, httplib::Response& reply) {
            const std::lock_guard lock(mutex_);
            asked_.push_back(request.get_header_value("Range"));
            if (!etag_.empty()) reply.set_header("ETag", etag_);
            const bool breaks = breaks_-- > 0;
            const std::string content = content_;
            reply.set_content_provider(
                content.size(), "application/octet-stream",
                [this, breaks, content](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
                    if (breaks && offset >= break_at_) return false;
                    const std::size_t end = breaks ? break_at_ : content.size();
                    const std::size_t size = std::min({length, end - offset, std::size_t{50'000}});
                    return sink.write(content.data() + offset, size);
                });
        });
        server_.start();
    }
    void download(Bytes limit = GiB) {
        CurlClient(settings_).download(
            server_.url("/image"), target_, limit,
            [this](Bytes done, Bytes) {
                if (stop_after_ > 0 && done >= stop_after_) cancel_.request(CancelReason::stopping);
            },
            cancel_);
    }
    // As when the daemon stops and starts again.
    void stop_half_way() {
        stop_after_ = 300'000;
        breaks_ = 1;
        EXPECT_EQ(thrown_error([&] { download(); }).code(), Code::job_cancelled);
        ASSERT_TRUE(std::filesystem::exists(target_));
        stop_after_ = 0;
        breaks_ = 0;
        asked_.clear();
    }
    void next_life() {
        Cancellation fresh;
        CurlClient(settings_).download(server_.url("/image"), target_, GiB, {}, fresh);
    }
    void expect_whole() {
        EXPECT_EQ(read_file(target_), content_);
        EXPECT_FALSE(std::filesystem::exists(target_ + ".resume"));
    }

    LoopbackServer server_;
    HttpSettings settings_;
    TempDirectory directory_;
    const std::string target_ = directory_.file("image");
    Cancellation cancel_;
    std::mutex mutex_;
    std::string content_ = make_content(1'000'000, 1);
    std::string etag_ = "\"one\"";
    std::vector<std::string> asked_;
    std::atomic<int> breaks_ = 0;
    std::size_t break_at_ = 600'000;
    Bytes stop_after_ = 0;
};

TEST_F(ResumeDownload, GoesOnWhereTheConnectionBroke) {
    breaks_ = 1;
    download();
    expect_whole();
    EXPECT_THAT(asked_, ElementsAre("", "bytes=600000-"));
}

TEST_F(ResumeDownload, BeginsAfreshWhenTheServerDoesNotSayWhichFileItIs) {
    etag_.clear();
    breaks_ = 1;
    download();
    expect_whole();
    EXPECT_THAT(asked_, ElementsAre("", ""));
}

TEST_F(ResumeDownload, GivesUpWhenNothingNewComes) {
    breaks_ = 1000;
    const Error error = thrown_error([&] { download(); });
    EXPECT_EQ(error.code(), Code::http_failed);
    EXPECT_THAT(error.details(), HasSubstr("given up after 4 attempts"));
    EXPECT_EQ(asked_.size(), 4U);
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(ResumeDownload, GoesOnInTheNextLifeOfTheDaemon) {
    stop_half_way();
    next_life();
    expect_whole();
    ASSERT_EQ(asked_.size(), 1U);
    EXPECT_THAT(asked_[0], StartsWith("bytes="));
}

TEST_F(ResumeDownload, TrustsOnlyWhatWasOnDiskAtTheLastCheckpoint) {
    stop_half_way();
    std::ofstream(target_, std::ios::app) << std::string(100'000, '\0');  // what a power cut leaves
    next_life();
    expect_whole();
}

TEST_F(ResumeDownload, BeginsAfreshWhenTheFileOnTheServerHasChanged) {
    stop_half_way();
    content_ = make_content(1'000'000, 2);
    etag_ = "\"two\"";
    next_life();
    expect_whole();
    EXPECT_EQ(asked_.back(), "");
}

TEST_F(ResumeDownload, BeginsAfreshWhenTheFileOnTheServerIsShorterNow) {
    stop_half_way();
    content_ = "short";
    etag_ = "\"two\"";
    next_life();
    expect_whole();
}

TEST_F(ResumeDownload, AsksOnceMoreAboutAFileThatIsWholeAlready) {
    stop_half_way();
    std::ofstream(target_, std::ios::trunc) << content_;
    std::ofstream(target_ + ".resume") << R"({"source":")" << server_.url("/image")
                                       << R"(","etag":"\"one\"","modified":"","size":1000000,"stored":1000000})";
    next_life();
    expect_whole();
    EXPECT_THAT(asked_, ElementsAre("bytes=999999-"));
}

TEST_F(ResumeDownload, DoesNotBelieveFactsThatAreNonsense) {
    stop_half_way();
    for (const char* facts :
         {"", "{", "[]", R"({"source":1})", R"({"source":"http://other/","etag":"","modified":"","size":1,"stored":1})"}) {
        std::ofstream(target_ + ".resume", std::ios::trunc) << facts;
        next_life();
        expect_whole();
        EXPECT_EQ(asked_.back(), "");
    }
}

TEST_F(ResumeDownload, LeavesNothingWhenTheClientCancels) {
    breaks_ = 1000;
    settings_.first_retry_delay = settings_.longest_retry_delay = seconds(60);
    std::thread canceller([&] {
        while (!std::filesystem::exists(target_ + ".resume")) std::this_thread::yield();
        cancel_.request();
    });
    EXPECT_EQ(thrown_error([&] { download(); }).code(), Code::job_cancelled);
    canceller.join();
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(ResumeDownload, CountsWhatIsThereAgainstTheLimit) {
    breaks_ = 1;
    EXPECT_EQ(thrown_error([&] { download(999'999); }).code(), Code::image_storage_allocate);
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST(DownloadProtocol, IsRefusedByNameWhenThisLibcurlLacksIt) {
    TempDirectory directory;
    Cancellation cancel;
    const Error error =
        thrown_error([&] { CurlClient({}).download("nbd://host/disk", directory.file("image"), 0, {}, cancel); });
    EXPECT_EQ(error.code(), Code::no_capability);
    EXPECT_THAT(error.details(), HasSubstr("without nbd"));
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace hvagent
