#include "agent/http/transport/request_parser.h"

#include <gtest/gtest.h>

namespace hvagent::http {
namespace {

using Progress = RequestParser::Progress;

RequestLimits small_limits() {
    return {.line = 200, .head = 1000, .body = 100};
}

// The one request in `bytes`; fails the test when it is none.
Request parsed(std::string bytes) {
    RequestParser parser{small_limits()};
    EXPECT_EQ(parser.feed(bytes), Progress::complete) << parser.refused_because();
    EXPECT_EQ(bytes, "");
    return parser.take();
}

int refused_status(std::string bytes) {
    RequestParser parser{small_limits()};
    return parser.feed(bytes) == Progress::refused ? parser.refused_status() : 0;
}

TEST(RequestParser, ReadsARequestThatArrivesByteByByte) {
    const std::string bytes = "POST /v1/zones HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 5\r\n\r\nhello";
    RequestParser parser{small_limits()};
    std::string input;
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
        input += bytes[i];
        ASSERT_EQ(parser.feed(input), Progress::need_more) << "after " << i;
        EXPECT_TRUE(parser.has_begun());
    }
    input += bytes.back();
    ASSERT_EQ(parser.feed(input), Progress::complete);
    const Request request = parser.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/zones");
    EXPECT_EQ(request.header("host"), "h:8080");
    EXPECT_EQ(request.body, "hello");
    EXPECT_TRUE(request.keep_alive);
}

TEST(RequestParser, ReadsPipelinedRequestsOneAfterTheOther) {
    std::string input = "GET /a HTTP/1.1\r\n\r\nDELETE /b HTTP/1.1\r\nConnection: close\r\n\r\nGET /c HT";
    RequestParser parser{small_limits()};
    ASSERT_EQ(parser.feed(input), Progress::complete);
    EXPECT_EQ(parser.take().target, "/a");
    ASSERT_EQ(parser.feed(input), Progress::complete);
    const Request second = parser.take();
    EXPECT_EQ(second.method, "DELETE");
    EXPECT_FALSE(second.keep_alive);
    EXPECT_EQ(parser.feed(input), Progress::need_more);
}

TEST(RequestParser, ADeleteWithoutALengthHasNoBody) {
    EXPECT_EQ(parsed("DELETE /v1/zones/1 HTTP/1.1\r\nHost: h\r\n\r\n").body, "");
}

TEST(RequestParser, AGetMayBringABody) {
    EXPECT_EQ(parsed("GET /v1/zones HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}").body, "{}");
}

TEST(RequestParser, JoinsChunks) {
    EXPECT_EQ(parsed("PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: "
                     "t\r\n\r\n")
                  .body,
              "abc0123456789");
}

TEST(RequestParser, KeepsRawBlanksAndQuestionMarksOfTheTarget) {
    EXPECT_EQ(parsed("GET /v1/vm-instances?q=uuid?=a,b&q=hostUuid is null HTTP/1.1\r\n\r\n").target,
              "/v1/vm-instances?q=uuid?=a,b&q=hostUuid is null");
}

TEST(RequestParser, TakesTheAbsoluteFormAndBareLineFeeds) {
    EXPECT_EQ(parsed("GET http://host:80/v1/zones HTTP/1.1\nHost: host\n\n").target, "/v1/zones");
}

TEST(RequestParser, OldHttpClosesUnlessToldOtherwise) {
    EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(RequestParser, SaysOnceThatTheClientWaitsToSendItsBody) {
    std::string input = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    RequestParser parser{small_limits()};
    EXPECT_EQ(parser.feed(input), Progress::need_more);
    EXPECT_TRUE(parser.take_expects_continue());
    EXPECT_FALSE(parser.take_expects_continue());
    input = "abc";
    EXPECT_EQ(parser.feed(input), Progress::complete);
}

TEST(RequestParser, RefusesWhatIsTooLarge) {
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n"), 413);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"), 413);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"), 413);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n"), 413);
    EXPECT_EQ(refused_status("GET /" + std::string(300, 'a')), 414);
    EXPECT_EQ(refused_status("GET / HTTP/1.1\r\nA: " + std::string(1000, 'a')), 431);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(5000, '0')), 400);
}

TEST(RequestParser, RefusesWhatOthersMayReadDifferently) {
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"), 400);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n"), 400);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nContent-Length: 3 \r\nTransfer-Encoding: gzip\r\n\r\n"), 400);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n"), 415);
    EXPECT_EQ(refused_status("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), 400);
    EXPECT_EQ(refused_status("GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n"), 400);
    EXPECT_EQ(refused_status(std::string("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 26)), 400);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n"), 400);
    EXPECT_EQ(refused_status("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400);
}

TEST(RequestParser, RefusesWhatIsNoHttp) {
    EXPECT_EQ(refused_status("hello\r\n\r\n"), 400);
    EXPECT_EQ(refused_status("\x16\x03\x01\x02\n\n"), 400);
    EXPECT_EQ(refused_status("GET / FTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(refused_status("GET / HTTP/2.0\r\n\r\n"), 505);
    EXPECT_EQ(refused_status("GET zones HTTP/1.1\r\n\r\n"), 400);
}

TEST(RequestParser, StaysRefused) {
    std::string input = "nonsense\r\n\r\n";
    RequestParser parser{small_limits()};
    EXPECT_EQ(parser.feed(input), Progress::refused);
    input = "GET / HTTP/1.1\r\n\r\n";
    EXPECT_EQ(parser.feed(input), Progress::refused);
}

}  // namespace
}  // namespace hvagent::http
