// A client on a bare socket: tests send exactly the bytes they mean.
#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace hvagent::http {

struct Reply {
    int status = 0;  // 0: the connection ended without an answer
    std::map<std::string, std::string> headers;
    std::string body;
    nlohmann::json json() const { return nlohmann::json::parse(body); }
};

class RawClient {
public:
    explicit RawClient(int port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        const timeval limit{10, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~RawClient() {
        if (socket_ >= 0) close(socket_);
    }
    RawClient(RawClient&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_), buffer_(std::move(other.buffer_)) {}
    RawClient& operator=(RawClient&&) = delete;

    bool connected() const { return connected_; }
    int socket() const { return socket_; }
    // False when the server does not take it.
    bool send(const std::string& bytes) {
        for (std::size_t at = 0; at < bytes.size();) {
            const ssize_t sent = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
            if (sent <= 0) return false;
            at += static_cast<std::size_t>(sent);
        }
        return true;
    }
    Reply receive() {
        Reply reply;
        while (buffer_.find("\r\n\r\n") == std::string::npos)
            if (!read_more()) return reply;
        const auto end = buffer_.find("\r\n\r\n");
        std::string head = buffer_.substr(0, end);
        buffer_.erase(0, end + 4);
        reply.status = std::stoi(head.substr(9, 3));
        for (auto line = head.find("\r\n"); line != std::string::npos; line = head.find("\r\n", line + 2)) {
            const auto next = std::min(head.find("\r\n", line + 2), head.size());
            const std::string text = head.substr(line + 2, next - line - 2);
            const auto colon = text.find(": ");
            reply.headers[text.substr(0, colon)] = text.substr(colon + 2);
        }
        const std::size_t length =
            reply.headers.contains("Content-Length") ? std::stoul(reply.headers["Content-Length"]) : 0;
        while (buffer_.size() < length)
            if (!read_more()) return {};
        reply.body = buffer_.substr(0, length);
        buffer_.erase(0, length);
        return reply;
    }
    // True when the server closes within the time limit and sends nothing more.
    bool is_closed() { return buffer_.empty() && !read_more() && ended_; }

private:
    bool read_more() {
        char bytes[65536];
        const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
        if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
        ended_ = got == 0 || (got < 0 && errno == ECONNRESET);
        return got > 0;
    }

    int socket_;
    bool connected_ = false;
    bool ended_ = false;
    std::string buffer_;
};

}  // namespace hvagent::http
