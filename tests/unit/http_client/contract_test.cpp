// What every HttpClient promises, asked of the real one and of the fake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "drivers/http_client/curl_client.h"
#include "tests/fakes/fake_http_client.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"
#include "tests/unit/http_client/loopback_server.h"

namespace hvagent {
namespace {

using testing::HasSubstr;

const std::string content(100'000, 'i');

class World {
public:
    virtual ~World() = default;
    virtual HttpClient& client() = 0;
    virtual std::string url(const std::string& path) = 0;  // "/image" has the content, "/teapot" answers 418 to posts
    virtual bool exists(const std::string& path) = 0;
    virtual std::string read(const std::string& path) = 0;
};

class RealWorld final : public World {
public:
    RealWorld() {
        server_.routes().Get("/image", [](const httplib::Request&, httplib::Response& reply) {
            reply.set_content(content, "application/octet-stream");
        });
        server_.routes().Post("/teapot", [](const httplib::Request& request, httplib::Response& reply) {
            reply.status = 418;
            reply.set_content(request.body + request.get_header_value("X-Job-UUID"), "text/plain");
        });
        server_.start();
    }
    HttpClient& client() override { return client_; }
    std::string url(const std::string& path) override { return server_.url(path); }
    bool exists(const std::string& path) override { return std::filesystem::exists(path); }
    std::string read(const std::string& path) override { return read_file(path); }

private:
    LoopbackServer server_;
    CurlClient client_{HttpSettings{}};
};

class FakeWorld final : public World {
public:
    FakeWorld() {
        client_.serve_content(url("/image"), content);
        client_.answer(url("/teapot"), {418, "body 1"});
    }
    HttpClient& client() override { return client_; }
    std::string url(const std::string& path) override { return "http://world" + path; }
    bool exists(const std::string& path) override { return files_.find(path).has_value(); }
    std::string read(const std::string& path) override { return files_.get(path).content; }

private:
    FakeFileSystem files_;
    FakeHttpClient client_{files_};
};

class HttpClientContract : public testing::TestWithParam<bool> {
protected:
    HttpClientContract() {
        if (GetParam()) {
            world_ = std::make_unique<RealWorld>();
        } else {
            world_ = std::make_unique<FakeWorld>();
        }
    }
    void download(const std::string& path, Bytes limit = GiB) {
        world_->client().download(
            world_->url(path), target_, limit, [&](Bytes done, Bytes) { done_ = done; }, cancel_);
    }

    std::unique_ptr<World> world_;
    TempDirectory directory_;
    const std::string target_ = directory_.file("image");
    Cancellation cancel_;
    Bytes done_ = 0;
};

TEST_P(HttpClientContract, AnswersOfAnyStatusAreReplies) {
    const HttpReply reply = world_->client().post(world_->url("/teapot"), {{"X-Job-UUID", " 1"}}, "body", seconds(5));
    EXPECT_EQ(reply.status, 418);
    EXPECT_THAT(reply.body, HasSubstr("body"));
}

TEST_P(HttpClientContract, DownloadsTheContent) {
    download("/image");
    EXPECT_EQ(world_->read(target_), content);
    EXPECT_EQ(done_, static_cast<Bytes>(content.size()));
}

TEST_P(HttpClientContract, ReplacesAnOlderFile) {
    download("/image");
    download("/image");
    EXPECT_EQ(world_->read(target_), content);
}

TEST_P(HttpClientContract, SaysThatTheServerHasNoSuchFile) {
    const Error error = thrown_error([&] { download("/missing"); });
    EXPECT_EQ(error.code(), Code::http_failed);
    EXPECT_THAT(error.details(), HasSubstr(world_->url("/missing")));
    EXPECT_THAT(error.details(), HasSubstr("404"));
    EXPECT_FALSE(world_->exists(target_));
}

TEST_P(HttpClientContract, StoresNoMoreThanTheLimit) {
    EXPECT_EQ(thrown_error([&] { download("/image", 99'999); }).code(), Code::image_storage_allocate);
    EXPECT_FALSE(world_->exists(target_));
    EXPECT_NO_THROW(download("/image", 100'000));
}

TEST_P(HttpClientContract, DoesNotBeginWhatIsCancelled) {
    cancel_.request();
    EXPECT_EQ(thrown_error([&] { download("/image"); }).code(), Code::job_cancelled);
    EXPECT_FALSE(world_->exists(target_));
}

INSTANTIATE_TEST_SUITE_P(Http, HttpClientContract, testing::Values(true, false),
                         [](const auto& param) { return std::string(param.param ? "Curl" : "Fake"); });

}  // namespace
}  // namespace hvagent
