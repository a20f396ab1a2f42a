// The listening socket and the address it is given as text.
#pragma once
#include <optional>
#include <string>

namespace hvagent::http {

struct ListenAddress {
    std::string host;
    int port = 0;
};

// "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080" (all addresses). Error(invalid_argument).
ListenAddress parse_listen_address(const std::string& text);
// Only this machine can reach it.
bool is_loopback(const ListenAddress& address);

class Listener {
public:
    // Error(io_failed) names the address and why it cannot be used.
    explicit Listener(const ListenAddress& address);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    int socket() const { return socket_; }
    int port() const { return port_; }

    struct Accepted {
        int socket = -1;   // does not block, TCP_NODELAY is on; the caller's to close
        std::string peer;  // "192.0.2.1"
    };
    enum class Outcome { accepted, none_waiting, out_of_resources };
    Outcome accept(Accepted& accepted);

private:
    int socket_ = -1;
    int port_ = 0;
};

}  // namespace hvagent::http
