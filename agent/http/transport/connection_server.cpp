#include "agent/http/transport/connection_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::http {
namespace {

using Status = IoResult::Status;
using State = Connection::State;

constexpr milliseconds check_interval{500};
constexpr milliseconds drain_time{2000};
constexpr milliseconds handshake_time{10000};
constexpr milliseconds accept_pause{100};
constexpr int slow_reader_factor = 5;         // an answer may take so many times the time of a request
constexpr std::size_t turned_away_most = 64;  // connections above the limit that still get a 503
constexpr std::size_t scratch_size = 64 * 1024;
constexpr std::size_t held_bodies = 64;         // unfinished requests of all connections may fill so many whole bodies
constexpr std::size_t always_held = 16 * 1024;  // but each connection this much

RequestLimits limits_of(const HttpSettings& settings) {
    RequestLimits limits;
    limits.body = static_cast<std::size_t>(settings.max_body);
    return limits;
}

}  // namespace

class ConnectionServer::LiveExchange final : public Exchange {
public:
    LiveExchange(ConnectionServer& server, Shared connection, Request received)
        : Exchange(std::move(received)),
          server_(server),
          connection_(std::move(connection)),
          begun_(server.clock_.moment()) {}
    ~LiveExchange() override {
        if (answered_) return;
        // At a stop: a client that hears nothing sends again, while any answer to a poll would be taken for the job's.
        if (server_.draining_)
            server_.leave(connection_);
        else
            respond(server_.callbacks_.refuse(500, "the request was not answered"));
    }
    void respond(Response response) override {
        if (answered_.exchange(true)) return;
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(server_.clock_.moment() - begun_);
        if (server_.callbacks_.answered) server_.callbacks_.answered(request, response, took);
        server_.answer(connection_, response, request.keep_alive, request.method == "HEAD");
    }
    std::shared_ptr<AnswerStream> stream(const Response& head) override {
        if (answered_.exchange(true)) throw Error(Code::internal, "the request was answered already");
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(server_.clock_.moment() - begun_);
        if (server_.callbacks_.answered) server_.callbacks_.answered(request, head, took);
        return server_.begin_stream(connection_, head);
    }

private:
    ConnectionServer& server_;
    const Shared connection_;
    const Moment begun_;
    std::atomic<bool> answered_{false};
};

ConnectionServer::ConnectionServer(const HttpSettings& settings, const Clock& clock, const TlsContext* tls,
                                   WorkerPool& workers, Callbacks callbacks)
    : settings_(settings),
      clock_(clock),
      tls_(tls),
      workers_(workers),
      callbacks_(std::move(callbacks)),
      listener_(std::make_unique<Listener>(parse_listen_address(settings.listen))),
      port_(listener_->port()),
      scratch_(scratch_size) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (epoll_ < 0 || wake_ < 0) throw Error(Code::io_failed, "no file descriptors left for the HTTP server");
    for (int fd : {wake_, listener_->socket()}) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
}

void ConnectionServer::start() {
    thread_ = std::thread([this] { poll(); });
}

void ConnectionServer::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

void ConnectionServer::drain(milliseconds longest) {
    draining_ = true;
    wake();
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, longest, [this] { return being_served_ == 0 && streams_ == 0; });
}

void ConnectionServer::stop() {
    stopping_ = true;
    if (wake_ >= 0) wake();
    if (thread_.joinable()) thread_.join();
    for (const auto& [socket, connection] : connections_) forget_stream(*connection);
    connections_.clear();
    listener_.reset();
    for (int* fd : {&wake_, &epoll_})
        if (*fd >= 0) close(std::exchange(*fd, -1));
}

void ConnectionServer::poll() {
    std::array<epoll_event, 256> events{};
    while (!stopping_) {
        const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), poll_timeout_ms());
        for (int i = 0; i < count; ++i) {
            if (listener_ && events[i].data.fd == listener_->socket())
                accept_waiting();
            else if (events[i].data.fd != wake_)
                on_event(events[i].data.fd);
        }
        take_back_returned();
        if (draining_ && listener_) listener_.reset();
        enforce_deadlines();
    }
}

int ConnectionServer::poll_timeout_ms() const {
    if (accept_again_ != Moment::max()) return static_cast<int>(accept_pause.count());
    return connections_.empty() ? -1 : static_cast<int>(check_interval.count());
}

void ConnectionServer::on_event(int socket) {
    const auto found = connections_.find(socket);
    if (found == connections_.end()) return;
    const Shared connection = found->second;
    switch (connection->state) {
        case State::handshake: return shake_hands(connection);
        case State::reading: return read(connection);
        case State::writing: return write(connection);
        case State::streaming: return on_stream_event(connection);
        case State::draining: return throw_away_input(connection);
        case State::broken: return drop(connection);
        case State::serving: return;
    }
}

void ConnectionServer::take_back_returned() {
    std::uint64_t wakes = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_, &wakes, sizeof wakes);
    std::vector<Shared> returned;
    {
        const std::lock_guard lock(mutex_);
        returned.swap(returned_);
    }
    for (const Shared& connection : returned) {
        if (connection->state == State::broken)
            drop(connection);
        else if (connection->state == State::streaming)
            pump(connection);
        else
            after_write(connection);
    }
}

void ConnectionServer::accept_waiting() {
    for (int round = 0; round < 256; ++round) {
        Listener::Accepted accepted;
        switch (listener_->accept(accepted)) {
            case Listener::Outcome::none_waiting: return;
            case Listener::Outcome::accepted: admit(std::move(accepted)); break;
            case Listener::Outcome::out_of_resources: {
                log::warning("no file descriptors left for a new connection; accepting pauses",
                             {{"connections", connections_.size()}});
                epoll_event none{};
                none.data.fd = listener_->socket();
                epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_->socket(), &none);
                accept_again_ = clock_.moment() + accept_pause;
                return;
            }
        }
    }
}

void ConnectionServer::admit(Listener::Accepted accepted) {
    const bool is_too_many = connections_.size() >= settings_.max_connections;
    if (is_too_many && (tls_ || connections_.size() >= settings_.max_connections + turned_away_most)) {
        close(accepted.socket);
        return;
    }
    std::unique_ptr<TlsSession> session;
    try {
        if (tls_) session = tls_->accept(accepted.socket);
    } catch (const Error& error) {
        log::warning("connection refused", {{"client", accepted.peer}, {"because", error.details()}});
        close(accepted.socket);
        return;
    }
    const auto connection =
        std::make_shared<Connection>(accepted.socket, std::move(accepted.peer), std::move(session), limits_of(settings_));
    epoll_event event{};
    event.data.fd = accepted.socket;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, accepted.socket, &event);
    connections_[accepted.socket] = connection;
    if (is_too_many) return turn_away(connection);
    connection->set_deadline(clock_.moment() + (tls_ ? handshake_time : settings_.idle_timeout));
    watch(connection, Status::wants_read);
}

void ConnectionServer::turn_away(const Shared& connection) {
    refuse(connection, 503, "there are " + std::to_string(settings_.max_connections) + " connections already");
}

void ConnectionServer::watch(const Shared& connection, Status wish) {
    epoll_event event{};
    event.events = EPOLLONESHOT | (wish == Status::wants_write ? EPOLLOUT : EPOLLIN);
    event.data.fd = connection->socket();
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection->socket(), &event);
}

void ConnectionServer::drop(const Shared& connection) {
    held_ -= std::exchange(connection->counted, 0);
    forget_stream(*connection);
    epoll_ctl(epoll_, EPOLL_CTL_DEL, connection->socket(), nullptr);
    connections_.erase(connection->socket());
}

void ConnectionServer::shake_hands(const Shared& connection) {
    const IoResult result = connection->tls()->handshake();
    if (result.status == Status::closed) return drop(connection);
    if (result.status != Status::done) return watch(connection, result.status);
    connection->state = State::reading;
    connection->set_deadline(clock_.moment() + settings_.idle_timeout);
    read(connection);
}

void ConnectionServer::read(const Shared& connection) {
    const IoResult result = connection->read_some(scratch_);
    if (result.status == Status::closed) return drop(connection);
    if (result.status != Status::done) return watch(connection, result.status);
    advance(connection);
}

void ConnectionServer::advance(const Shared& connection) {
    const bool had_begun = connection->parser.has_begun();
    switch (connection->parser.feed(connection->input)) {
        case RequestParser::Progress::complete: return serve(connection);
        case RequestParser::Progress::refused:
            return refuse(connection, connection->parser.refused_status(), connection->parser.refused_because());
        case RequestParser::Progress::need_more: break;
    }
    if (!may_hold(connection)) return refuse(connection, 503, "too many large requests at once");
    if (!had_begun && connection->parser.has_begun()) connection->set_deadline(clock_.moment() + settings_.request_timeout);
    if (connection->parser.take_expects_continue()) {
        connection->output += "HTTP/1.1 100 Continue\r\n\r\n";
        connection->flush();  // what does not fit now goes out in front of the answer
    }
    if (connection->tls() && connection->tls()->has_pending()) return read(connection);
    watch(connection, Status::wants_read);
}

// Slow senders of large bodies must not fill the memory.
bool ConnectionServer::may_hold(const Shared& connection) {
    const std::size_t held = connection->input.size() + connection->parser.held();
    held_ += held - std::exchange(connection->counted, held);
    return held <= always_held || held_ <= held_bodies * static_cast<std::size_t>(settings_.max_body);
}

void ConnectionServer::serve(const Shared& connection) {
    held_ -= std::exchange(connection->counted, 0);
    connection->state = State::serving;
    connection->set_deadline(Moment::max());
    Request request = connection->parser.take();
    request.client_address = connection->peer();
    request.over_tls = tls_ != nullptr;
    {
        const std::lock_guard lock(mutex_);
        ++being_served_;
    }
    auto exchange = std::make_shared<LiveExchange>(*this, connection, std::move(request));
    workers_.run([this, exchange = std::move(exchange)] { callbacks_.handle(exchange); });
}

void ConnectionServer::refuse(const Shared& connection, int status, const std::string& because) {
    log::debug("request refused", {{"client", connection->peer()}, {"status", status}, {"because", because}});
    connection->output += to_wire(callbacks_.refuse(status, because), false, false);
    connection->parser.take();  // what has arrived of it is of no more use
    held_ -= std::exchange(connection->counted, 0);
    connection->close_after_write = true;
    connection->drain_before_close = true;
    connection->state = State::writing;
    connection->set_deadline(clock_.moment() + drain_time);
    write(connection);
}

void ConnectionServer::write(const Shared& connection) {
    const IoResult result = connection->flush();
    if (result.status == Status::closed) return drop(connection);
    if (result.status != Status::done) return watch(connection, result.status);
    after_write(connection);
}

void ConnectionServer::after_write(const Shared& connection) {
    if (!connection->close_after_write && !draining_) {
        connection->state = State::reading;
        connection->set_deadline(clock_.moment() + settings_.idle_timeout);
        if (!connection->input.empty()) return advance(connection);
        if (connection->has_input()) return read(connection);
        return watch(connection, Status::wants_read);
    }
    connection->finish_writing();
    if (!connection->drain_before_close) return drop(connection);
    // Closing with unread bytes makes the kernel send a reset, which can destroy the answer on its way.
    connection->state = State::draining;
    connection->set_deadline(clock_.moment() + drain_time);
    throw_away_input(connection);
}

void ConnectionServer::throw_away_input(const Shared& connection) {
    connection->input.clear();
    const ssize_t got = recv(connection->socket(), scratch_.data(), scratch_.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return drop(connection);
    watch(connection, Status::wants_read);
}

void ConnectionServer::enforce_deadlines() {
    const Moment now = clock_.moment();
    if (listener_ && now >= accept_again_) {
        accept_again_ = Moment::max();
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = listener_->socket();
        epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_->socket(), &event);
    }
    if (now < next_check_) return;
    next_check_ = now + check_interval;
    std::vector<Shared> late;
    for (const auto& [socket, connection] : connections_)
        if (connection->deadline() <= now) late.push_back(connection);
    for (const Shared& connection : late) {
        if (connection->state == State::reading && connection->parser.has_begun())
            refuse(connection, 408,
                   "the request did not arrive within " + std::to_string(settings_.request_timeout.count()) + " ms");
        else
            drop(connection);
    }
}

void ConnectionServer::answer(const Shared& connection, const Response& response, bool keep_alive, bool head_only) {
    const bool keeps = keep_alive && !response.close && !draining_;
    connection->output += to_wire(response, keeps, head_only);
    connection->close_after_write = !keeps;
    connection->state = State::writing;
    const IoResult result = connection->flush();
    if (result.status == Status::closed) connection->state = State::broken;
    if (result.status == Status::wants_read || result.status == Status::wants_write) {
        connection->set_deadline(clock_.moment() + settings_.request_timeout * slow_reader_factor);
        watch(connection, result.status);
    } else if (result.status == Status::done && keeps && !connection->has_input()) {
        connection->state = State::reading;
        connection->set_deadline(clock_.moment() + settings_.idle_timeout);
        watch(connection, Status::wants_read);
    } else {
        give_back(connection);
    }
    const std::lock_guard lock(mutex_);
    if (--being_served_ == 0) idle_.notify_all();
}

void ConnectionServer::leave(const Shared& connection) {
    connection->state = State::broken;
    give_back(connection);
    const std::lock_guard lock(mutex_);
    if (--being_served_ == 0) idle_.notify_all();
}

void ConnectionServer::give_back(Shared connection) {
    {
        const std::lock_guard lock(mutex_);
        returned_.push_back(std::move(connection));
    }
    wake();
}

}  // namespace hvagent::http
