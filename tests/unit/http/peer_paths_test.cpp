// What other agents come for: their requests, and files.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>

#include "agent/http/file_streams.h"
#include "drivers/http_client/curl_client.h"
#include "tests/fakes/temp_directory.h"
#include "tests/fakes/thrown_error.h"
#include "tests/unit/http/server_fixture.h"

namespace hvagent::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string content_of(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 7 + i / 251) % 251);
    return text;
}

class PeerPaths : public HttpServerTest {
protected:
    ~PeerPaths() override { server.reset(); }
    void start() {
        settings.listen = "127.0.0.1:0";
        jobs.start();
        HttpParts parts{catalog, shapes, every_vm, jobs, identity, clock, [this] { return not_ready; }, "1.2.3"};
        parts.peer_request = [](const std::string& authorization, const std::string& address, const std::string& verb,
                                const json& body) {
            if (authorization != "Peer a b") throw Error(Code::authentication_failed, "who are you");
            return json{{"verb", verb}, {"from", address}, {"body", body}};
        };
        parts.offered_file = [this](const std::string& ticket) -> std::optional<std::string> {
            if (ticket == "right") return path;
            if (ticket == "gone") return path + "-gone";
            if (ticket == "directory") return directory.path();
            return std::nullopt;
        };
        server = std::make_unique<HttpServer>(settings, parts);
        server->start();
    }
    void write(const std::string& content) { std::ofstream(path, std::ios::binary) << content; }
    Reply get(const std::string& ticket, const std::string& headers = "") {
        return ask("GET", "/hvagent/v1/peer-files?ticket=" + ticket, "", headers);
    }
    // The answer's first byte is here; within the client's time limit.
    static bool has_begun(RawClient& client) {
        char byte = 0;
        return recv(client.socket(), &byte, 1, MSG_PEEK) == 1;
    }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(server->port()) + "/hvagent/v1/peer-files?ticket=right";
    }

    TempDirectory directory;
    const std::string path = directory.path() + "/file";
};

TEST_F(PeerPaths, RequestsGoToTheDeskWithTheirTokenAndNoSession) {
    start();
    const Reply reply = ask("POST", "/hvagent/v1/peer/facts", R"({"x":1})", "Authorization: Peer a b\r\n");
    ASSERT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.json()["verb"], "facts");
    EXPECT_EQ(reply.json()["from"], "127.0.0.1");
    EXPECT_EQ(reply.json()["body"]["x"], 1);
    EXPECT_EQ(ask("POST", "/hvagent/v1/peer/facts", "{}").json()["error"]["code"], "ID.1000");
    EXPECT_EQ(ask("GET", "/hvagent/v1/peer/facts", "").status, 405);
    EXPECT_EQ(ask("POST", "/hvagent/v1/peer", "{}").status, 404);
}

TEST_F(PeerPaths, AFileComesWholeWithItsMarks) {
    write(content_of(3'000'000));
    start();
    const Reply reply = get("right");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("Content-Length"), "3000000");
    EXPECT_EQ(reply.headers.at("Accept-Ranges"), "bytes");
    EXPECT_FALSE(reply.headers.at("ETag").empty());
    EXPECT_THAT(reply.headers.at("Last-Modified"), HasSubstr("GMT"));
    EXPECT_TRUE(reply.body == content_of(3'000'000));
}

TEST_F(PeerPaths, AnEmptyFileIsAFile) {
    write("");
    start();
    const Reply reply = get("right");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers.at("Content-Length"), "0");
}

TEST_F(PeerPaths, PartsAreServedWhileTheFileIsTheSame) {
    const std::string content = content_of(1'000'000);
    write(content);
    start();
    const std::string etag = get("right").headers.at("ETag");
    const Reply part = get("right", "Range: bytes=999000-\r\nIf-Range: " + etag + "\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.headers.at("Content-Range"), "bytes 999000-999999/1000000");
    EXPECT_TRUE(part.body == content.substr(999'000));
    EXPECT_TRUE(get("right", "Range: bytes=10-19\r\n").body == content.substr(10, 10));
    EXPECT_EQ(get("right", "Range: bytes=10-\r\nIf-Range: \"other\"\r\n").status, 200);
    const Reply beyond = get("right", "Range: bytes=1000000-\r\n");
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.headers.at("Content-Range"), "bytes */1000000");
}

TEST_F(PeerPaths, WithoutATicketThereIsNothing) {
    write("secret");
    start();
    for (const char* ticket : {"", "wrong", "RIGHT"}) EXPECT_EQ(get(ticket).status, 404) << ticket;
    EXPECT_EQ(ask("GET", "/hvagent/v1/peer-files", "").status, 404);
    EXPECT_EQ(ask("POST", "/hvagent/v1/peer-files?ticket=right", "{}").status, 405);
    EXPECT_EQ(get("gone").status, 503);
    EXPECT_EQ(get("directory").status, 503);
}

TEST_F(PeerPaths, OurOwnClientFetchesAndTakesUp) {
    const std::string content = content_of(5'000'000);
    write(content);
    start();
    std::signal(SIGPIPE, SIG_IGN);
    hvagent::HttpSettings client_settings;
    client_settings.checkpoint_every = milliseconds(0);
    CurlClient client(client_settings);
    const std::string target = directory.path() + "/target";
    {
        Cancellation cancel;
        const Error stopped = thrown_error([&] {
            client.download(
                url(), target, GiB,
                [&](Bytes done, Bytes) {
                    if (done > 1'000'000) cancel.request(CancelReason::stopping);
                },
                cancel);
        });
        EXPECT_THAT(stopped.details(), Not(HasSubstr("right")));
    }
    Bytes first = 0;
    Cancellation cancel;
    client.download(
        url(), target, GiB,
        [&](Bytes done, Bytes) {
            if (first == 0) first = done;
        },
        cancel);
    EXPECT_GT(first, 1'000'000);  // not from the beginning
    std::ifstream file(target, std::ios::binary);
    EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(file), {}) == content);
}

TEST_F(PeerPaths, SlowReadersCostNoThreadAndLittleMemory) {
    settings.file_streams.most_threads = 1;
    write(content_of(8'000'000));
    start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 5; ++i) {
        slow.emplace_back(server->port(), 4096);
        ASSERT_TRUE(slow.back().send(request_text("GET", "/hvagent/v1/peer-files?ticket=right", "", "")));
    }
    EXPECT_TRUE(get("right").body == content_of(8'000'000));  // with the one thread, while five do not read
    for (RawClient& client : slow) EXPECT_TRUE(client.receive().body == content_of(8'000'000));
}

TEST_F(PeerPaths, TooManyFilesAtOnceAreRefused) {
    settings.file_streams.most = 1;
    write(content_of(8'000'000));
    start();
    RawClient slow(server->port(), 4096);
    ASSERT_TRUE(slow.send(request_text("GET", "/hvagent/v1/peer-files?ticket=right", "", "")));
    ASSERT_TRUE(has_begun(slow));
    EXPECT_EQ(get("right").status, 503);
    EXPECT_TRUE(slow.receive().body.size() == 8'000'000);
}

TEST_F(PeerPaths, AFileThatIsOnItsWayDoesNotHoldUpTheEnd) {
    write(content_of(8'000'000));
    start();
    RawClient slow(server->port(), 4096);
    ASSERT_TRUE(slow.send(request_text("GET", "/hvagent/v1/peer-files?ticket=right", "", "")));
    ASSERT_TRUE(has_begun(slow));
    server->stop();
    EXPECT_EQ(slow.receive().status, 0);  // cut: the client knows that there is more
}

TEST(Ranges, AreReadAsTheStandardSays) {
    using Kind = FileRange::Kind;
    const auto part = [](const char* header) {
        const FileRange range = parse_range(header, 100);
        return range.kind == Kind::part ? std::to_string(range.begin) + ".." + std::to_string(range.end)
                                        : (range.kind == Kind::whole ? "whole" : "none");
    };
    EXPECT_EQ(part("bytes=0-9"), "0..10");
    EXPECT_EQ(part("bytes=90-"), "90..100");
    EXPECT_EQ(part("bytes=90-500"), "90..100");
    EXPECT_EQ(part("bytes=-10"), "90..100");
    EXPECT_EQ(part("bytes=-500"), "0..100");
    EXPECT_EQ(part("bytes=100-"), "none");
    EXPECT_EQ(part("bytes=-0"), "none");
    for (const char* header :
         {"", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=5", "bytes=99999999999999999999-"})
        EXPECT_EQ(part(header), "whole") << header;
}

}  // namespace
}  // namespace hvagent::http
