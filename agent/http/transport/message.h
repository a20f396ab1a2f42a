// One HTTP request and its answer, as the endpoints see them.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hvagent::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;          // as sent: "GET"
    std::string target;          // as sent, path and query, not decoded
    Headers headers;             // names in lower case, in order of arrival
    std::string body;            // whole, chunks joined
    std::string client_address;  // "127.0.0.1"
    bool over_tls = false;
    bool keep_alive = true;

    // The first header of this (lower case) name; null when there is none.
    const std::string* find_header(std::string_view name) const;
    std::string header(std::string_view name) const;  // "" when absent
};

struct Response {
    int status = 200;
    std::string body;
    std::string content_type = "application/json; charset=utf-8";
    Headers headers;
    bool close = false;  // the connection ends with this answer
};

// The head of an answer whose body ends with its connection; its length, if it is known, is among the headers.
std::string stream_head(const Response& head);
// The bytes of the answer. `head_only`: the answer to a HEAD request.
std::string to_wire(const Response& response, bool keep_alive, bool head_only);

// An answer that goes on until somebody ends it. Thread-safe; no call waits for the client.
class AnswerStream {
public:
    virtual ~AnswerStream() = default;
    // False: the client is gone, or close() was called.
    virtual bool send(std::string_view bytes) = 0;
    // Bytes that the kernel has not taken yet. Who sends must see to it that they do not grow.
    virtual std::size_t unsent() const = 0;
    // False when fewer than `mark` bytes are unsent, or the stream has ended. Else `then` is called once as soon as that is
    // so; it must not block. One caller at a time.
    virtual bool wait_below(std::size_t mark, std::function<void()> then) = 0;
    // What is unsent, and `last`, still goes out for a moment; then the connection ends.
    virtual void close(std::string_view last) = 0;
    virtual bool is_open() const = 0;
};

// A request waiting for its answer. Whoever handles it calls respond() once, from any thread; an exchange that is let go
// without an answer gets a 500.
class Exchange {
public:
    explicit Exchange(Request received) : request(std::move(received)) {}
    virtual ~Exchange() = default;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    virtual void respond(Response response) = 0;
    // Instead of respond(): sends the head of this answer and leaves the body open.
    virtual std::shared_ptr<AnswerStream> stream(const Response& head) = 0;

    const Request request;
};

}  // namespace hvagent::http
