#include "agent/http/transport/connection.h"

#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>

namespace hvagent::http {
namespace {

IoResult result_of(ssize_t returned, IoResult::Status when_full) {
    using Status = IoResult::Status;
    if (returned > 0) return {Status::done, static_cast<std::size_t>(returned)};
    if (returned < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return {when_full, 0};
    return {Status::closed, 0};
}

}  // namespace

Connection::Connection(int socket, std::string peer, std::unique_ptr<TlsSession> tls, RequestLimits limits)
    : state(tls ? State::handshake : State::reading),
      parser(limits),
      socket_(socket),
      peer_(std::move(peer)),
      tls_(std::move(tls)) {}

Connection::~Connection() {
    close(socket_);
}

IoResult Connection::read_some(std::span<char> scratch) {
    const IoResult result = tls_ ? tls_->read(scratch)
                                 : result_of(recv(socket_, scratch.data(), scratch.size(), 0), IoResult::Status::wants_read);
    input.append(scratch.data(), result.bytes);
    return result;
}

IoResult Connection::flush() {
    while (written < output.size()) {
        const std::span<const char> rest(output.data() + written, output.size() - written);
        const IoResult result =
            tls_ ? tls_->write(rest)
                 : result_of(send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL), IoResult::Status::wants_write);
        if (result.status != IoResult::Status::done) return result;
        written += result.bytes;
    }
    output.clear();
    output.shrink_to_fit();
    written = 0;
    return {};
}

void Connection::finish_writing() {
    if (tls_) tls_->say_goodbye();
    shutdown(socket_, SHUT_WR);
}

}  // namespace hvagent::http
