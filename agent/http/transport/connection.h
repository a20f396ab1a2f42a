// One accepted connection: its socket, what was read and what is still to be written.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "agent/http/transport/request_parser.h"
#include "agent/http/transport/tls.h"
#include "hvagent/clock.h"

namespace hvagent::http {

// What waits to be sent on a connection whose answer goes on; filled from any thread, emptied by the poller.
struct StreamBuffer {
    std::mutex mutex;
    std::string pending;
    std::size_t unsent = 0;  // pending, and what the poller has taken but not got rid of
    bool is_closing = false;
    bool is_gone = false;
    bool is_queued = false;            // the poller has been told
    std::function<void()> when_below;  // called by the poller once fewer than `mark` bytes are unsent
    std::size_t mark = 0;

    // What is to be called now; under the lock.
    std::function<void()> take_call() {
        return when_below && (is_gone || unsent < mark) ? std::exchange(when_below, {}) : std::function<void()>();
    }
};

// Used by one thread at a time: the poller's, or the worker's that answers the request being served.
class Connection {
public:
    enum class State {
        handshake,
        reading,  // between requests, or in the middle of one
        serving,  // a worker has it; not watched
        writing,
        streaming,  // the answer goes on; what is to be sent comes through `stream`
        draining,   // the last answer is out; what still comes is thrown away so that it arrives
        broken,     // the peer is gone
    };

    Connection(int socket, std::string peer, std::unique_ptr<TlsSession> tls, RequestLimits limits);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    int socket() const { return socket_; }
    const std::string& peer() const { return peer_; }
    TlsSession* tls() const { return tls_.get(); }

    // One read through `scratch` to the end of `input`.
    IoResult read_some(std::span<char> scratch);
    // Writes `output` as far as it goes.
    IoResult flush();
    // Bytes of a next request are here already.
    bool has_input() const { return !input.empty() || (tls_ && tls_->has_pending()); }
    // No more is written; the peer may still send.
    void finish_writing();

    // The poller looks at the deadline of connections that a worker has, hence the atomic.
    void set_deadline(Moment moment) { deadline_.store(moment.time_since_epoch().count(), std::memory_order_release); }
    Moment deadline() const { return Moment(Moment::duration(deadline_.load(std::memory_order_acquire))); }

    State state = State::reading;
    RequestParser parser;
    std::string input;
    std::string output;
    std::size_t written = 0;
    std::shared_ptr<StreamBuffer> stream;
    std::size_t counted = 0;  // bytes the server counts as held by this connection
    bool close_after_write = false;
    bool is_ending = false;  // the stream was closed, and what is unsent has its last deadline
    bool drain_before_close = false;

private:
    const int socket_;
    const std::string peer_;
    const std::unique_ptr<TlsSession> tls_;
    std::atomic<Moment::rep> deadline_{0};
};

}  // namespace hvagent::http
