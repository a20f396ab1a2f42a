#include "tests/unit/peers/peers_fixture.h"

#include "agent/peers/peer_url.h"

namespace hvagent::peers {
namespace {

class Client : public PeersTest {
protected:
    const std::string greet = "/hvagent/v1/peer/greet";
    Error failure(const std::string& verb = "greet") {
        return thrown_error([&] { client.ask(there, verb, json::object(), seconds(1)); });
    }

    PeerClient client{settings, inventory, http, here};
};

TEST_F(Client, ShowsItsTokenAndBringsTheAnswer) {
    know_there();
    http.answer(url_there + greet, {200, R"({"said":"hello"})"});
    EXPECT_EQ(client.ask(there, "greet", {{"text", "hi"}}, seconds(1))["said"], "hello");
    const auto posts = http.posts();
    ASSERT_EQ(posts.size(), 1u);
    EXPECT_EQ(posts[0].headers.at("Authorization"), "Peer " + here.str() + " " + token_out);
    EXPECT_EQ(json::parse(posts[0].body)["text"], "hi");
}

TEST_F(Client, ARefusalIsTheSameErrorWithTheHostsName) {
    know_there();
    http.answer(url_there + greet, {503, R"({"error":{"code":"VM.1001","description":"d","details":"the VM is deaf",
                         "cause":{"code":"SYS.1001","description":"d","details":"no answer"}}})"});
    const Error error = failure();
    EXPECT_EQ(error.code(), Code::vm_start);
    EXPECT_EQ(error.details(), "there: the VM is deaf");
    ASSERT_TRUE(error.cause());
    EXPECT_EQ(error.cause()->code(), Code::timeout);
    EXPECT_EQ(error.cause()->details(), "no answer");
}

TEST_F(Client, NoAnswerNamesHostAndPlaceAndNoToken) {
    know_there();
    http.faults.fail_next("post", Error(Code::http_failed, "connection refused"));
    const Error error = failure();
    EXPECT_EQ(error.code(), Code::host_connection);
    EXPECT_THAT(error.details(), HasSubstr("there does not answer at " + url_there));
    EXPECT_THAT(error.details(), HasSubstr("connection refused"));
    EXPECT_THAT(error.details(), Not(HasSubstr(token_out)));
}

TEST_F(Client, WhatIsNoAgentIsSaidToBeNone) {
    know_there();
    for (const HttpReply& reply : {HttpReply{200, "<html>"}, HttpReply{404, "{}"}, HttpReply{200, "{\"a\":", true}}) {
        http.answer(url_there + greet, reply);
        EXPECT_EQ(failure().code(), Code::host_connection) << reply.body;
    }
}

TEST_F(Client, AHostThatIsNoPeerIsNotFound) {
    EXPECT_EQ(failure().code(), Code::not_found);
    EXPECT_TRUE(http.posts().empty());
}

TEST_F(Client, NothingIsSentInTheClearUnlessItIsAllowed) {
    know_there("http://10.0.0.2:8080");
    EXPECT_THAT(failure().details(), HasSubstr("insecure"));
    Cancellation cancel;
    EXPECT_THAT(thrown_error([&] { client.fetch(there, "t", "/x", 0, {}, cancel); }).details(), HasSubstr("insecure"));
    EXPECT_THAT(thrown_error([&] {
                    client.introduce("http://10.0.0.2:8080", {"admin", "x"}, json::object());
                }).details(),
                HasSubstr("insecure"));
    EXPECT_TRUE(http.posts().empty());
    settings.http_insecure = true;
    http.answer("http://10.0.0.2:8080" + greet, {200, "{}"});
    EXPECT_NO_THROW(client.ask(there, "greet", json::object(), seconds(1)));
}

TEST_F(Client, ThisMachineIsReachedInTheClear) {
    know_there("http://127.0.0.1:8081");
    http.answer("http://127.0.0.1:8081" + greet, {200, "{}"});
    EXPECT_NO_THROW(client.ask(there, "greet", json::object(), seconds(1)));
}

TEST_F(Client, FetchesByTicketInTheQuery) {
    know_there();
    http.serve_content(url_there + "/hvagent/v1/peer-files?ticket=abc", "content");
    Cancellation cancel;
    client.fetch(there, "abc", "/target", 0, {}, cancel);
    EXPECT_TRUE(disk.find("/target"));
    const Error missing = thrown_error([&] { client.fetch(there, "secret-ticket", "/other", 0, {}, cancel); });
    EXPECT_THAT(missing.details(), Not(HasSubstr("secret-ticket")));
}

class Introductions : public Client {
protected:
    Introductions() {
        http.answer(url_there + "/zstack/v1/accounts/login", {200, R"({"inventory":{"uuid":"s1"}})"});
        http.answer(introduction, {200, R"({"token":"t","facts":{}})"});
    }
    const std::string introduction = url_there + "/hvagent/v1/peers-introduction";
    const std::string log_out = "DELETE " + url_there + "/zstack/v1/accounts/sessions/s1";
};

TEST_F(Introductions, LogInSpeakAndLogOut) {
    EXPECT_EQ(client.introduce(url_there, {"admin", "hash"}, {{"name", "here"}})["token"], "t");
    const auto posts = http.posts();
    ASSERT_EQ(posts.size(), 3u);
    EXPECT_EQ(json::parse(posts[0].body)["logInByAccount"]["password"], "hash");
    EXPECT_EQ(posts[1].headers.at("Authorization"), "OAuth s1");
    EXPECT_EQ(json::parse(posts[1].body)["name"], "here");
    EXPECT_EQ(posts[2].url, log_out);
}

TEST_F(Introductions, ThatAreRefusedLogOutToo) {
    http.answer(introduction, {503, R"({"error":{"code":"SYS.1006","description":"d","details":"we are one"}})"});
    const Error error = thrown_error([&] { client.introduce(url_there, {"admin", "hash"}, json::object()); });
    EXPECT_EQ(error.code(), Code::operation_failed);
    EXPECT_THAT(error.details(), HasSubstr("we are one"));
    EXPECT_EQ(http.posts().back().url, log_out);
}

TEST_F(Introductions, AnAgentOfAnOlderVersionIsSaidToBeOne) {
    http.answer(introduction, {404, R"({"error":{"code":"SYS.1009","description":"d","details":"nothing here"}})"});
    const Error error = thrown_error([&] { client.introduce(url_there, {"admin", "hash"}, json::object()); });
    EXPECT_EQ(error.code(), Code::no_capability);
    EXPECT_THAT(error.details(), HasSubstr("knows no other hosts"));
}

TEST(PeerUrls, AreMadeOfSchemeAddressAndPort) {
    EXPECT_EQ(peer_url("http", "10.0.0.2", 80), "http://10.0.0.2:80");
    EXPECT_EQ(peer_url("https", "fd00::2", 80), "https://[fd00::2]:80");
    EXPECT_EQ(with_address("https://[fd00::2]:8080", "10.0.0.3"), "https://10.0.0.3:8080");
    EXPECT_TRUE(is_loopback_url("http://[::1]:80"));
    EXPECT_FALSE(is_loopback_url("http://1127.0.0.1:80"));
    EXPECT_FALSE(is_loopback_url("http://localhost.example:80"));
}

}  // namespace
}  // namespace hvagent::peers
