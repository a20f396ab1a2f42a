#include "agent/http/transport/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "hvagent/error.h"

namespace hvagent::http {
namespace {

constexpr int backlog = 1024;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const ListenAddress& address) {
    addrinfo wish{};
    wish.ai_family = AF_UNSPEC;
    wish.ai_socktype = SOCK_STREAM;
    wish.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failure = getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                    std::to_string(address.port).c_str(), &wish, &found);
    if (failure != 0) throw Error(Code::io_failed, "cannot listen on \"" + address.host + "\": " + gai_strerror(failure));
    return {found, freeaddrinfo};
}

std::string to_text(const sockaddr_storage& address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
        return text;
    }
    const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&six))
        inet_ntop(AF_INET, six.s6_addr + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, &six, text, sizeof text);
    return text;
}

int port_of(int socket) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
    return ntohs(bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                            : reinterpret_cast<sockaddr_in6&>(bound).sin6_port);
}

}  // namespace

ListenAddress parse_listen_address(const std::string& text) {
    const auto refuse = [&text]() -> Error {
        return Error(Code::invalid_argument, "the address to listen on must be <host>:<port>, but is \"" + text + "\"");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string::npos) throw refuse();
    ListenAddress address;
    address.host = text.substr(0, colon);
    if (address.host.starts_with('[') && address.host.ends_with(']'))
        address.host = address.host.substr(1, address.host.size() - 2);
    else if (address.host.find(':') != std::string::npos)
        throw refuse();
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + colon + 1, end, address.port);
    if (failure != std::errc() || stop != end || address.port < 0 || address.port > 65535) throw refuse();
    return address;
}

bool is_loopback(const ListenAddress& address) {
    if (address.host.empty()) return false;
    const Addresses addresses = resolve(address);
    for (const addrinfo* one = addresses.get(); one; one = one->ai_next) {
        if (one->ai_family == AF_INET) {
            const auto host = ntohl(reinterpret_cast<const sockaddr_in*>(one->ai_addr)->sin_addr.s_addr);
            if (host >> 24 != 127) return false;
        } else if (one->ai_family == AF_INET6) {
            if (!IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(one->ai_addr)->sin6_addr)) return false;
        }
    }
    return true;
}

Listener::Listener(const ListenAddress& address) {
    const Addresses addresses = resolve(address);
    int reason = EADDRNOTAVAIL;
    // All addresses at once is what an IPv6 socket gives; where there is no IPv6 the next one is tried.
    for (int family : {AF_INET6, AF_INET})
        for (const addrinfo* one = addresses.get(); one && socket_ < 0; one = one->ai_next) {
            if (one->ai_family != family) continue;
            const int made = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            const int on = 1, off = 0;
            if (made >= 0) setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
            if (made >= 0 && family == AF_INET6) setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
            if (made >= 0 && bind(made, one->ai_addr, one->ai_addrlen) == 0 && listen(made, backlog) == 0) {
                socket_ = made;
                continue;
            }
            reason = errno;
            if (made >= 0) close(made);
        }
    if (socket_ < 0)
        throw Error(Code::io_failed,
                    "cannot listen on " + address.host + ":" + std::to_string(address.port) + ": " + std::strerror(reason));
    port_ = port_of(socket_);
}

Listener::~Listener() {
    close(socket_);
}

Listener::Outcome Listener::accept(Accepted& accepted) {
    while (true) {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        accepted.socket = accept4(socket_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted.socket >= 0) {
            const int on = 1;
            setsockopt(accepted.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            accepted.peer = to_text(peer);
            return Outcome::accepted;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return Outcome::none_waiting;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return Outcome::out_of_resources;
        // Anything else is the fate of that one connection (accept(2)): on to the next.
        if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) return Outcome::none_waiting;
    }
}

}  // namespace hvagent::http
