// Reads HTTP/1.x requests from bytes as they arrive.
//
// The operating system's cpp-httplib was tried for this and left: it holds a thread for every slow sender, waits for the end
// of the connection on a DELETE without Content-Length, and refuses the targets that real clients send (a second '?' in
// "q=uuid?=a,b", raw blanks of the Python SDK).
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/http/transport/message.h"

namespace hvagent::http {

struct RequestLimits {
    std::size_t line = 64 * 1024;  // queries of the Java SDK carry long lists of uuids
    std::size_t head = 96 * 1024;
    std::size_t body = 1024 * 1024;
};

class RequestParser {
public:
    enum class Progress { need_more, complete, refused };

    explicit RequestParser(RequestLimits limits) : limits_(limits) {}

    // Takes from the front of `input` what belongs to the request. After `complete`, take() gives the request and the parser
    // is ready for the next one; after `refused` the connection is of no more use.
    Progress feed(std::string& input);
    Request take();

    // Bytes of the body that are held.
    std::size_t held() const { return request_.body.size(); }
    // True between the first byte of a request and its end.
    bool has_begun() const { return begun_; }
    // True once per request, when the client waits for "100 Continue" before it sends the body.
    bool take_expects_continue();
    int refused_status() const { return refused_status_; }
    const std::string& refused_because() const { return refused_because_; }

private:
    enum class Part { head, body_of_length, chunk_size, chunk_data, chunk_end, trailer };
    struct Refusal {
        int status;
        std::string because;
    };

    Progress advance(std::string& input);
    bool take_head(std::string& input);
    bool take_body(std::string& input);
    bool take_chunk_size(std::string& input);
    bool take_chunk_data(std::string& input);
    bool take_trailer(std::string& input);
    std::optional<std::string> take_line(std::string& input, std::size_t limit);
    void read_request_line(std::string_view line);
    void read_header(std::string_view line);
    void choose_framing();
    void check_body_size(std::size_t size) const;

    RequestLimits limits_;
    Part part_ = Part::head;
    Request request_;
    bool begun_ = false;
    bool done_ = false;
    bool expects_continue_ = false;
    bool is_http_1_0_ = false;
    std::size_t scanned_ = 0;    // bytes of `input` known to hold no end of the head
    std::size_t remaining_ = 0;  // of the body or the chunk
    std::size_t trailer_bytes_ = 0;
    int refused_status_ = 0;
    std::string refused_because_;
};

}  // namespace hvagent::http
