// Accepts connections, reads requests and writes answers. One thread watches all connections through epoll and never waits
// for one of them; a complete request goes to a worker, so that slow senders and idle connections cost no thread.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "agent/http/settings.h"
#include "agent/http/transport/connection.h"
#include "agent/http/transport/listener.h"
#include "agent/http/transport/message.h"
#include "agent/http/transport/worker_pool.h"
#include "hvagent/clock.h"

namespace hvagent::http {

class ConnectionServer {
public:
    struct Callbacks {
        std::function<void(std::shared_ptr<Exchange>)> handle;  // on a worker
        // The answer to what is no request: too large, too slow, not HTTP...
        std::function<Response(int status, const std::string& because)> refuse;
        // After each answer of handle(); `took`: from the complete request to here.
        std::function<void(const Request&, const Response&, std::chrono::microseconds took)> answered;
    };

    // `tls` null: plain HTTP. Opens the socket: Error(io_failed).
    ConnectionServer(const HttpSettings& settings, const Clock& clock, const TlsContext* tls, WorkerPool& workers,
                     Callbacks callbacks);
    ~ConnectionServer() { stop(); }
    ConnectionServer(const ConnectionServer&) = delete;
    ConnectionServer& operator=(const ConnectionServer&) = delete;

    void start();
    int port() const { return port_; }
    // Accepts nothing more and waits until the requests being served are answered and streams have ended, at most `longest`.
    void drain(milliseconds longest);
    // Cuts what is left. No worker may be running a request of this server any more.
    void stop();

private:
    class LiveExchange;
    class LiveStream;
    using Shared = std::shared_ptr<Connection>;

    void poll();
    void on_event(int socket);
    void take_back_returned();
    void accept_waiting();
    void admit(Listener::Accepted accepted);
    void turn_away(const Shared& connection);
    void shake_hands(const Shared& connection);
    void read(const Shared& connection);
    void advance(const Shared& connection);
    bool may_hold(const Shared& connection);
    void serve(const Shared& connection);
    void refuse(const Shared& connection, int status, const std::string& because);
    void write(const Shared& connection);
    void after_write(const Shared& connection);
    void throw_away_input(const Shared& connection);
    void on_stream_event(const Shared& connection);
    void pump(const Shared& connection);
    void forget_stream(Connection& connection);
    void drop(const Shared& connection);
    void watch(const Shared& connection, IoResult::Status wish);
    void enforce_deadlines();
    int poll_timeout_ms() const;
    void wake();
    // From the worker that answers.
    void answer(const Shared& connection, const Response& response, bool keep_alive, bool head_only);
    std::shared_ptr<AnswerStream> begin_stream(const Shared& connection, const Response& head);
    void leave(const Shared& connection);  // closes it without an answer
    void give_back(Shared connection);

    const HttpSettings settings_;
    const Clock& clock_;
    const TlsContext* tls_;
    WorkerPool& workers_;
    const Callbacks callbacks_;
    std::unique_ptr<Listener> listener_;
    int port_ = 0;
    int epoll_ = -1;
    int wake_ = -1;
    std::thread thread_;
    std::atomic<bool> draining_{false};
    std::atomic<bool> stopping_{false};

    // Of the polling thread.
    std::unordered_map<int, Shared> connections_;
    std::vector<char> scratch_;
    std::size_t held_ = 0;  // bytes of unfinished requests, of all connections
    Moment next_check_{};
    Moment accept_again_{Moment::max()};  // set while accepting pauses for want of descriptors

    std::mutex mutex_;
    std::condition_variable idle_;
    std::vector<Shared> returned_;
    std::size_t being_served_ = 0;
    std::size_t streams_ = 0;
};

}  // namespace hvagent::http
