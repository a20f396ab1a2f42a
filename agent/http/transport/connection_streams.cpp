// The part of the connection server that serves answers without end.
#include <sys/epoll.h>

#include "agent/http/transport/connection_server.h"

namespace hvagent::http {
namespace {

using Status = IoResult::Status;

constexpr milliseconds closing_time{2000};  // for what is unsent when a stream is closed
constexpr milliseconds stall_time{60000};   // a client that takes nothing for so long is cut

}  // namespace

// Shares the buffer, not the connection: what is done to the connection is the poller's business.
class ConnectionServer::LiveStream final : public AnswerStream {
public:
    LiveStream(ConnectionServer& server, const Shared& connection)
        : server_(server), connection_(connection), buffer_(connection->stream) {}
    ~LiveStream() override { close(""); }

    bool send(std::string_view bytes) override { return put(bytes, false); }
    void close(std::string_view last) override { put(last, true); }
    std::size_t unsent() const override {
        const std::lock_guard lock(buffer_->mutex);
        return buffer_->unsent;
    }
    bool wait_below(std::size_t mark, std::function<void()> then) override {
        const std::lock_guard lock(buffer_->mutex);
        if (buffer_->is_closing || buffer_->is_gone || buffer_->unsent < mark) return false;
        buffer_->mark = mark;
        buffer_->when_below = std::move(then);
        return true;
    }
    bool is_open() const override {
        const std::lock_guard lock(buffer_->mutex);
        return !buffer_->is_closing && !buffer_->is_gone;
    }

private:
    bool put(std::string_view bytes, bool is_last) {
        {
            const std::lock_guard lock(buffer_->mutex);
            if (buffer_->is_closing || buffer_->is_gone) return false;
            buffer_->pending.append(bytes);
            buffer_->unsent += bytes.size();
            buffer_->is_closing = is_last;
            if (std::exchange(buffer_->is_queued, true)) return true;
        }
        if (const Shared connection = connection_.lock()) server_.give_back(connection);
        return true;
    }

    ConnectionServer& server_;
    const std::weak_ptr<Connection> connection_;
    const std::shared_ptr<StreamBuffer> buffer_;
};

std::shared_ptr<AnswerStream> ConnectionServer::begin_stream(const Shared& connection, const Response& head) {
    connection->stream = std::make_shared<StreamBuffer>();
    connection->stream->is_queued = true;
    connection->output += stream_head(head);
    connection->close_after_write = true;
    connection->drain_before_close = true;
    connection->state = Connection::State::streaming;
    auto stream = std::make_shared<LiveStream>(*this, connection);
    {
        const std::lock_guard lock(mutex_);
        ++streams_;
        --being_served_;
    }
    give_back(connection);
    return stream;
}

// Moves what is to be sent to the socket, as far as the client takes it.
void ConnectionServer::pump(const Shared& connection) {
    if (connection->state != Connection::State::streaming || !connections_.contains(connection->socket())) return;
    const std::shared_ptr<StreamBuffer> shared = connection->stream;
    StreamBuffer& buffer = *shared;
    bool is_closing = false;
    connection->output.erase(0, std::exchange(connection->written, 0));
    {
        const std::lock_guard lock(buffer.mutex);
        buffer.is_queued = false;
        connection->output += std::exchange(buffer.pending, {});
        is_closing = buffer.is_closing;
    }
    const IoResult result = connection->flush();
    if (result.status == Status::closed) return drop(connection);
    std::function<void()> call;
    {
        const std::lock_guard lock(buffer.mutex);
        buffer.unsent = buffer.pending.size() + connection->output.size() - connection->written;
        call = buffer.take_call();
    }
    if (call) call();
    const bool has_taken = result.status == Status::done || connection->written > 0;
    if (is_closing && !std::exchange(connection->is_ending, true))
        connection->set_deadline(clock_.moment() + closing_time);
    else if (!is_closing && result.status == Status::done)
        connection->set_deadline(Moment::max());
    else if (!is_closing && (has_taken || connection->deadline() == Moment::max()))
        connection->set_deadline(clock_.moment() + stall_time);
    if (result.status != Status::done) return watch(connection, result.status);
    if (!is_closing) return watch(connection, Status::wants_read);  // to hear of its end
    forget_stream(*connection);
    after_write(connection);
}

// The client has nothing more to say: what it sends is read for the end of the connection only.
void ConnectionServer::on_stream_event(const Shared& connection) {
    const IoResult result = connection->read_some(scratch_);
    connection->input.clear();
    if (result.status == Status::closed) return drop(connection);
    pump(connection);
}

void ConnectionServer::forget_stream(Connection& connection) {
    const std::shared_ptr<StreamBuffer> buffer = std::exchange(connection.stream, nullptr);
    if (!buffer) return;
    std::function<void()> call;
    {
        const std::lock_guard lock(buffer->mutex);
        buffer->is_gone = true;
        call = buffer->take_call();
    }
    if (call) call();
    const std::lock_guard lock(mutex_);
    --streams_;
    if (streams_ == 0 && being_served_ == 0) idle_.notify_all();
}

}  // namespace hvagent::http
