// The transport under load and abuse: many connections, slow ones, garbage, limits, stopping.
#include <poll.h>

#include <fstream>
#include <thread>

#include "tests/unit/http/server_fixture.h"

namespace hvagent::http {
namespace {

const std::string health = "GET /hvagent/v1/health HTTP/1.1\r\nHost: h\r\n\r\n";

int count_threads() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
    return 0;
}

TEST_F(HttpServerTest, AThousandConnectionsAreAllAnsweredByFewThreads) {
    start();
    session = log_in();
    const std::string query = request_text("GET", "/zstack/v1/zones", "Authorization: OAuth " + session + "\r\n", "");
    std::vector<RawClient> clients;
    for (int i = 0; i < 1000; ++i) {
        clients.emplace_back(server->port());
        ASSERT_TRUE(clients.back().connected()) << i;
    }
    for (int round = 0; round < 3; ++round) {
        for (RawClient& client : clients) ASSERT_TRUE(client.send(query));
        for (RawClient& client : clients) ASSERT_EQ(client.receive().status, 200);
    }
    EXPECT_LT(count_threads(), 60);
}

TEST_F(HttpServerTest, IdleAndSlowConnectionsHoldUpNobody) {
    start();
    std::vector<RawClient> slow;
    for (int i = 0; i < 100; ++i) {
        slow.emplace_back(server->port());
        ASSERT_TRUE(slow.back().send("POST /zstack/v1/accounts/login HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"));
    }
    EXPECT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
}

TEST_F(HttpServerTest, OperationsThatWaitDoNotKeepQueriesWaiting) {
    settings.max_slow_threads = 4;
    start();
    std::vector<RawClient> waiting;
    for (int i = 0; i < 20; ++i) {
        waiting.emplace_back(server->port());
        ASSERT_TRUE(waiting.back().send("GET /v1/gate HTTP/1.1\r\n\r\n"));
    }
    ASSERT_TRUE(gate.wait_for(4));
    EXPECT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
    gate.open();
    for (RawClient& client : waiting) EXPECT_EQ(client.receive().status, 200);
}

TEST_F(HttpServerTest, AConnectionServesManyRequestsInOrderAlsoWhenTheyArriveTogether) {
    start();
    RawClient client(server->port());
    std::string batch;
    for (int i = 0; i < 200; ++i) batch += health;
    ASSERT_TRUE(client.send(batch));
    for (int i = 0; i < 200; ++i) ASSERT_EQ(client.receive().status, 200) << i;
    ASSERT_TRUE(client.send(health));
    EXPECT_EQ(client.receive().headers["Connection"], "keep-alive");
}

TEST_F(HttpServerTest, ClosesWhenTheClientWantsIt) {
    start();
    RawClient client(server->port());
    ASSERT_TRUE(client.send("GET /hvagent/v1/health HTTP/1.1\r\nConnection: close\r\n\r\n"));
    EXPECT_EQ(client.receive().headers["Connection"], "close");
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, ConnectingAndLeavingUpsetsNothing) {
    start();
    for (int i = 0; i < 50; ++i) RawClient client(server->port());
    for (int i = 0; i < 50; ++i) RawClient(server->port()).send(health);
    EXPECT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
}

TEST_F(HttpServerTest, GarbageIsAnsweredAndTheConnectionClosed) {
    start();
    for (const std::string& garbage : {std::string("\x16\x03\x01\x02\x00\x01\n\n", 8), std::string("hello\r\n\r\n"),
                                       std::string("GET / HTTP/9.9\r\n\r\n"), health + "}}}} not http\r\n\r\n"}) {
        RawClient client(server->port());
        ASSERT_TRUE(client.send(garbage));
        Reply reply = client.receive();
        if (reply.status == 200) reply = client.receive();
        EXPECT_GE(reply.status, 400) << garbage;
        EXPECT_TRUE(reply.json().contains("error")) << reply.body;
        EXPECT_TRUE(client.is_closed());
    }
}

TEST_F(HttpServerTest, ABodyThatIsTooLargeIsRefusedInJsonEvenWhenTheClientKeepsSending) {
    settings.max_body = 1000;
    start();
    RawClient client(server->port());
    client.send("POST /v1/zones HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + std::string(300000, ' '));
    const Reply reply = client.receive();
    EXPECT_EQ(reply.status, 413);
    EXPECT_NE(reply.json()["error"]["details"].get<std::string>().find("1000 bytes"), std::string::npos);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, AClientThatAsksBeforeItSendsIsToldToGoOn) {
    start();
    RawClient client(server->port());
    ASSERT_TRUE(
        client.send("PUT /v1/management-nodes/actions HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 17\r\n\r\n"));
    EXPECT_EQ(client.receive().status, 100);
    ASSERT_TRUE(client.send(R"({"getVersion":{}})"));
    EXPECT_EQ(client.receive().status, 200);
}

TEST_F(HttpServerTest, UnfinishedBodiesOfAllConnectionsTogetherAreBounded) {
    settings.max_body = 100000;
    start();
    std::vector<RawClient> clients;
    for (int i = 0; i < 100; ++i) {
        clients.emplace_back(server->port());
        clients.back().send("POST /v1/zones HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + std::string(99999, ' '));
    }
    // 64 bodies fit, so some client is turned away while it waits to send its last byte.
    std::vector<pollfd> sockets;
    for (const RawClient& client : clients) sockets.push_back({client.socket(), POLLIN, 0});
    ASSERT_GT(poll(sockets.data(), sockets.size(), 10000), 0);
    EXPECT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
    int refused = 0, complete = 0;
    for (RawClient& client : clients) {
        client.send("x");
        const int status = client.receive().status;
        refused += status == 503;
        complete += status == 400;
    }
    EXPECT_GT(refused, 0);
    EXPECT_GT(complete, 30);
    EXPECT_EQ(refused + complete, 100);
}

TEST_F(HttpServerTest, AnUnfinishedRequestIsGivenUpAfterItsTimeHoweverItTrickles) {
    start();
    RawClient client(server->port());
    ASSERT_TRUE(client.send("GET /hvagent/v1/health HTTP/1.1\r\nX: "));
    // An answer on another connection proves that the server has read the first bytes of this one.
    ASSERT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
    clock.move(settings.request_timeout - seconds(5));
    ASSERT_TRUE(client.send("a"));
    ASSERT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
    clock.move(seconds(10));
    EXPECT_EQ(client.receive().status, 408);
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosedAfterItsTime) {
    start();
    RawClient client(server->port());
    // An answer on a later connection proves that this one was accepted.
    ASSERT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
    clock.move(settings.idle_timeout + seconds(1));
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, TooManyConnectionsAreToldSo) {
    settings.max_connections = 3;
    start();
    std::vector<RawClient> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(server->port());
        ASSERT_TRUE(clients.back().send(health));
        ASSERT_EQ(clients.back().receive().status, 200);
    }
    RawClient fourth(server->port());
    EXPECT_EQ(fourth.receive().status, 503);
    EXPECT_TRUE(fourth.is_closed());
    ASSERT_TRUE(clients.front().send(health));
    EXPECT_EQ(clients.front().receive().status, 200);
}

TEST_F(HttpServerTest, AReaderThatIsSlowGetsTheWholeAnswer) {
    start();
    const std::size_t length = ask("GET", "/hvagent/v1/openapi.json").body.size();
    RawClient client(server->port(), 2048);
    std::string batch;
    for (int i = 0; i < 50; ++i) batch += "GET /hvagent/v1/openapi.json HTTP/1.1\r\n\r\n";
    ASSERT_TRUE(client.send(batch));
    ASSERT_EQ(ask("GET", "/hvagent/v1/health").status, 200);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(client.receive().body.size(), length) << i;
}

TEST_F(HttpServerTest, StoppingFinishesWhatIsBeingAnswered) {
    start();
    RawClient waiting(server->port());
    ASSERT_TRUE(waiting.send("GET /v1/gate HTTP/1.1\r\n\r\n"));
    ASSERT_TRUE(gate.wait_for(1));
    const int port = server->port();
    std::thread stopper([this] { server->stop(); });
    gate.open();
    const Reply reply = waiting.receive();
    stopper.join();
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(RawClient(port).connected());
    server->stop();
}

TEST_F(HttpServerTest, APortThatIsTakenIsNamed) {
    start();
    HttpSettings same;
    same.listen = "127.0.0.1:" + std::to_string(server->port());
    HttpServer second(same, HttpParts{catalog, shapes, every_vm, jobs, identity, clock, [this] { return not_ready; }, "1"});
    try {
        second.start();
        FAIL() << "two servers on one port";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::io_failed);
        EXPECT_NE(error.details().find(same.listen), std::string::npos) << error.details();
    }
}

TEST_F(HttpServerTest, PlainHttpOnThePublicSideMustBeAskedFor) {
    const auto make = [this](HttpSettings wanted) {
        HttpServer server_of(wanted,
                             HttpParts{catalog, shapes, every_vm, jobs, identity, clock, [this] { return not_ready; }, "1"});
    };
    HttpSettings open;
    for (const char* listen : {"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"}) {
        open.listen = listen;
        EXPECT_THROW(make(open), Error) << listen;
    }
    open.insecure = true;
    EXPECT_NO_THROW(make(open));
    open = {};
    for (const char* listen : {"127.0.0.1:0", "[::1]:0", "localhost:0", "127.1.2.3:0"}) {
        open.listen = listen;
        EXPECT_NO_THROW(make(open)) << listen;
    }
    for (const char* listen : {"127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", "::1:80", ""}) {
        open.listen = listen;
        EXPECT_THROW(make(open), Error) << listen;
    }
    open = {};
    open.tls_cert = "/tmp/c";
    EXPECT_THROW(make(open), Error);
}

}  // namespace
}  // namespace hvagent::http
