#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>

#include "drivers/http_client/curl_client.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"
#include "tests/unit/http_client/loopback_server.h"

namespace hvagent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class DownloadImage : public testing::Test {
protected:
    DownloadImage() {
        settings_.stall_timeout = seconds(1);
        settings_.first_retry_delay = milliseconds(1);
        settings_.longest_retry_delay = milliseconds(2);
        settings_.most_fruitless_attempts = 2;
    }

    void download(const std::string& url, Bytes limit = GiB) {
        CurlClient(settings_).download(
            url, target_, limit,
            [&](Bytes done, Bytes total) {
                done_ = done;
                total_ = total;
                if (on_progress_) on_progress_();
            },
            cancel_);
    }
    // Sends this much and then nothing more until the test ends.
    void serve_and_stall(const std::string& path, std::size_t first) {
        server_.routes().Get(path, [this, first](const httplib::Request&, httplib::Response& reply) {
            reply.set_content_provider(10'000'000, "application/octet-stream",
                                       [this, first](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                           if (offset > 0) {
                                               stalled_.store(true);
                                               released_.wait();
                                               return false;
                                           }
                                           const std::string data(first, 's');
                                           return sink.write(data.data(), data.size());
                                       });
        });
    }
    void TearDown() override { release_.set_value(); }

    std::promise<void> release_;
    std::shared_future<void> released_{release_.get_future().share()};
    std::atomic<bool> stalled_ = false;
    LoopbackServer server_;
    HttpSettings settings_;
    TempDirectory directory_;
    const std::string target_ = directory_.file("image");
    Cancellation cancel_;
    std::function<void()> on_progress_;
    std::atomic<Bytes> done_ = 0;
    std::atomic<Bytes> total_ = 0;
};

TEST_F(DownloadImage, TellsHowMuchOfTheWholeIsThere) {
    server_.routes().Get("/image", [](const httplib::Request&, httplib::Response& reply) {
        reply.set_content(std::string(3'000'000, 'i'), "application/octet-stream");
    });
    server_.start();
    download(server_.url("/image"));
    EXPECT_EQ(done_, 3'000'000);
    EXPECT_EQ(total_, 3'000'000);
    EXPECT_EQ(std::filesystem::file_size(target_), 3'000'000U);
}

TEST_F(DownloadImage, FollowsARedirectToHttp) {
    server_.routes().Get("/old", [](const httplib::Request&, httplib::Response& reply) { reply.set_redirect("/new"); });
    server_.routes().Get("/new",
                         [](const httplib::Request&, httplib::Response& reply) { reply.set_content("i", "text/plain"); });
    server_.start();
    download(server_.url("/old"));
    EXPECT_EQ(read_file(target_), "i");
}

TEST_F(DownloadImage, FollowsNoRedirectToAFileOrInCircles) {
    write_file(directory_.file("secret"), "secret");
    server_.routes().Get("/trap", [&](const httplib::Request&, httplib::Response& reply) {
        reply.set_redirect("file://" + directory_.file("secret"));
    });
    server_.routes().Get("/circle",
                         [](const httplib::Request&, httplib::Response& reply) { reply.set_redirect("/circle"); });
    server_.start();
    for (const char* path : {"/trap", "/circle"}) {
        EXPECT_EQ(thrown_error([&] { download(server_.url(path)); }).code(), Code::http_failed);
        EXPECT_FALSE(std::filesystem::exists(target_));
    }
}

TEST_F(DownloadImage, StopsAtTheLimitWhenTheServerDoesNotTellTheSize) {
    server_.routes().Get("/endless", [](const httplib::Request&, httplib::Response& reply) {
        reply.set_chunked_content_provider("application/octet-stream", [](std::size_t, httplib::DataSink& sink) {
            const std::string data(65536, 'e');
            return sink.write(data.data(), data.size());
        });
    });
    server_.start();
    const Error error = thrown_error([&] { download(server_.url("/endless"), 5 * MiB); });
    EXPECT_EQ(error.code(), Code::image_storage_allocate);
    EXPECT_THAT(error.details(), HasSubstr("5.0 MiB"));
    EXPECT_FALSE(std::filesystem::exists(target_));
}

TEST_F(DownloadImage, GivesUpWhenNothingComesAnyMore) {
    serve_and_stall("/stall", 100);
    server_.start();
    const Error error = thrown_error([&] { download(server_.url("/stall")); });
    EXPECT_EQ(error.code(), Code::http_failed);
    EXPECT_THAT(error.details(), HasSubstr("too slow"));
    EXPECT_FALSE(std::filesystem::exists(target_));
}

TEST_F(DownloadImage, IsCancelledAtOnceWhileItWaitsForData) {
    settings_.stall_timeout = seconds(60);
    serve_and_stall("/stall", 100'000);
    server_.start();
    auto outcome =
        std::async(std::launch::async, [&] { return thrown_error([&] { download(server_.url("/stall")); }).code(); });
    while (!stalled_ && outcome.wait_for(milliseconds(1)) != std::future_status::ready) {}
    const auto begin = std::chrono::steady_clock::now();
    cancel_.request();
    EXPECT_EQ(outcome.get(), Code::job_cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(500));
    EXPECT_FALSE(std::filesystem::exists(target_));
}

TEST_F(DownloadImage, NoticesThatTheConnectionBrokeBeforeTheEnd) {
    server_.routes().Get("/broken", [](const httplib::Request&, httplib::Response& reply) {
        reply.set_content_provider(1'000'000, "application/octet-stream",
                                   [](std::size_t offset, std::size_t, httplib::DataSink& sink) {
                                       if (offset > 0) return false;
                                       return sink.write("half", 4);
                                   });
    });
    server_.start();
    EXPECT_EQ(thrown_error([&] { download(server_.url("/broken")); }).code(), Code::http_failed);
    EXPECT_FALSE(std::filesystem::exists(target_));
}

TEST_F(DownloadImage, HandsOnWhatTheProgressCallbackThrows) {
    server_.routes().Get("/image", [](const httplib::Request&, httplib::Response& reply) {
        reply.set_content(std::string(3'000'000, 'i'), "application/octet-stream");
    });
    server_.start();
    on_progress_ = [] { throw Error(Code::job_interrupted, "from the callback"); };
    EXPECT_EQ(thrown_error([&] { download(server_.url("/image")); }).code(), Code::job_interrupted);
}

TEST_F(DownloadImage, ShowsNoCredentials) {
    server_.start();
    const std::string url = "http://user:hush@127.0.0.1:" + std::to_string(server_.port()) + "/none?signature=hush";
    EXPECT_THAT(thrown_error([&] { download(url); }).details(),
                AllOf(HasSubstr("404"), HasSubstr("/none"), Not(HasSubstr("hush"))));
}

TEST_F(DownloadImage, SaysWhenTheImageDoesNotFitOnTheDisk) {
    if (!directory_.become_small_disk("1m")) GTEST_SKIP() << "needs root to mount a small tmpfs: " << std::strerror(errno);
    server_.routes().Get("/image", [](const httplib::Request&, httplib::Response& reply) {
        reply.set_content(std::string(3'000'000, 'i'), "application/octet-stream");
    });
    server_.start();
    const Error error = thrown_error([&] { download(server_.url("/image")); });
    EXPECT_EQ(error.code(), Code::image_storage_allocate);
    EXPECT_THAT(error.details(), HasSubstr("No space left on device"));
    EXPECT_FALSE(std::filesystem::exists(target_));
}

TEST_F(DownloadImage, RefusesToWriteThroughASymbolicLink) {
    write_file(directory_.file("precious"), "precious");
    std::filesystem::create_symlink(directory_.file("precious"), target_);
    server_.routes().Get("/image",
                         [](const httplib::Request&, httplib::Response& reply) { reply.set_content("i", "text/plain"); });
    server_.start();
    EXPECT_EQ(thrown_error([&] { download(server_.url("/image")); }).code(), Code::io_failed);
    EXPECT_EQ(read_file(directory_.file("precious")), "precious");
}

}  // namespace
}  // namespace hvagent
