// A real HTTP server on the loopback interface.
#pragma once
#include <httplib.h>

#include <string>
#include <thread>

namespace hvagent {

class LoopbackServer {
public:
    LoopbackServer() { port_ = server_.bind_to_any_port("127.0.0.1"); }
    ~LoopbackServer() {
        server_.stop();
        if (thread_.joinable()) thread_.join();
    }
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    httplib::Server& routes() { return server_; }
    // After the routes are set.
    void start() {
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) std::this_thread::yield();  // else stop() would not be heard
    }
    int port() const { return port_; }
    std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

private:
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};

}  // namespace hvagent
