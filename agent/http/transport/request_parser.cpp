#include "agent/http/transport/request_parser.h"

#include <strings.h>
#include <algorithm>
#include <charconv>

namespace hvagent::http {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string_view without_line_end(std::string_view line) {
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

bool is_token_character(unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(static_cast<char>(c)) == std::string_view::npos;
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

bool contains_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const std::string_view one = trimmed(list.substr(0, comma));
        if (one.size() == word.size() && strncasecmp(one.data(), word.data(), word.size()) == 0) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

// The position after the empty line that ends the head; npos while it has not arrived. A bare LF ends a line too.
std::size_t find_head_end(std::string_view input, std::size_t from) {
    for (std::size_t at = input.find('\n', from); at != std::string_view::npos; at = input.find('\n', at + 1)) {
        std::size_t next = at + 1;
        if (next < input.size() && input[next] == '\r') ++next;
        if (next < input.size() && input[next] == '\n') return next + 1;
    }
    return std::string_view::npos;
}

}  // namespace

RequestParser::Progress RequestParser::feed(std::string& input) {
    if (refused_status_ != 0) return Progress::refused;
    try {
        return advance(input);
    } catch (const Refusal& refusal) {
        refused_status_ = refusal.status;
        refused_because_ = refusal.because;
        return Progress::refused;
    }
}

RequestParser::Progress RequestParser::advance(std::string& input) {
    while (!done_) {
        bool moved = false;
        switch (part_) {
            case Part::head: moved = take_head(input); break;
            case Part::body_of_length: moved = take_body(input); break;
            case Part::chunk_size: moved = take_chunk_size(input); break;
            case Part::chunk_data: moved = take_chunk_data(input); break;
            case Part::chunk_end:
                if (const auto line = take_line(input, 2)) {
                    if (!line->empty()) throw Refusal{400, "a chunk of the body is longer than it says"};
                    part_ = Part::chunk_size;
                    moved = true;
                }
                break;
            case Part::trailer: moved = take_trailer(input); break;
        }
        if (!moved) return Progress::need_more;
    }
    return Progress::complete;
}

Request RequestParser::take() {
    Request taken = std::move(request_);
    *this = RequestParser(limits_);
    return taken;
}

bool RequestParser::take_expects_continue() {
    return std::exchange(expects_continue_, false);
}

bool RequestParser::take_head(std::string& input) {
    if (!begun_) {  // empty lines before a request are forgiven (RFC 9112, 2.2)
        input.erase(0, std::min(input.find_first_not_of("\r\n"), input.size()));
        begun_ = !input.empty();
    }
    const std::size_t end = find_head_end(input, scanned_);
    if (std::min(end, input.size()) > limits_.head)
        throw Refusal{431, "the head of the request is larger than " + std::to_string(limits_.head) + " bytes"};
    const std::size_t line_end = input.find('\n');
    if (std::min(line_end, input.size()) > limits_.line)
        throw Refusal{414, "the request line is longer than " + std::to_string(limits_.line) + " bytes"};
    if (end == std::string::npos) {
        scanned_ = input.size() > 2 ? input.size() - 2 : 0;
        return false;
    }
    std::string_view head(input.data(), end);
    read_request_line(without_line_end(head.substr(0, line_end + 1)));
    head.remove_prefix(line_end + 1);
    while (!head.empty()) {
        const std::size_t length = head.find('\n') + 1;
        const std::string_view line = without_line_end(head.substr(0, length));
        if (!line.empty()) read_header(line);
        head.remove_prefix(length);
    }
    input.erase(0, end);
    choose_framing();
    return true;
}

void RequestParser::read_request_line(std::string_view line) {
    // The version is the last word and the method the first: the Python SDK sends raw blanks between them.
    const std::size_t method_end = line.find(' ');
    const std::size_t version_at = line.rfind(' ');
    if (method_end == std::string_view::npos || method_end == version_at || has_control_character(line))
        throw Refusal{400, "the request line is not '<method> <target> HTTP/1.1'"};
    const std::string_view method = line.substr(0, method_end);
    const std::string_view version = line.substr(version_at + 1);
    if (!std::all_of(method.begin(), method.end(), is_token_character)) throw Refusal{400, "the method is not a word"};
    if (!version.starts_with("HTTP/")) throw Refusal{400, "the request line does not end with 'HTTP/1.1'"};
    if (version != "HTTP/1.1" && version != "HTTP/1.0") throw Refusal{505, "the version must be HTTP/1.1 or HTTP/1.0"};
    is_http_1_0_ = version == "HTTP/1.0";
    std::string_view target = line.substr(method_end + 1, version_at - method_end - 1);
    while (!target.empty() && target.front() == ' ') target.remove_prefix(1);
    if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos)
        target.remove_prefix(std::min(target.find('/', scheme + 3), target.size()));  // the form proxies use
    if (!target.starts_with('/') && target != "*") throw Refusal{400, "the target of the request does not begin with '/'"};
    request_.method = std::string(method);
    request_.target = std::string(target);
}

void RequestParser::read_header(std::string_view line) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, std::min(colon, line.size()));
    if (colon == std::string_view::npos || name.empty() || !std::all_of(name.begin(), name.end(), is_token_character))
        throw Refusal{400, "a header line is not '<name>: <value>'"};
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (has_control_character(value)) throw Refusal{400, "a header has a control character in its value"};
    std::string lower(name);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    request_.headers.emplace_back(std::move(lower), std::string(value));
}

void RequestParser::choose_framing() {
    const std::string connection = request_.header("connection");
    request_.keep_alive = is_http_1_0_ ? contains_word(connection, "keep-alive") : !contains_word(connection, "close");
    if (const std::string* encoding = request_.find_header("content-encoding"); encoding && *encoding != "identity")
        throw Refusal{415, "a compressed request body is not supported"};
    const std::string* length = nullptr;
    for (const auto& [name, value] : request_.headers) {
        if (name != "content-length") continue;
        if (length && *length != value) throw Refusal{400, "two different Content-Length headers"};
        length = &value;
    }
    const std::string* transfer = request_.find_header("transfer-encoding");
    if (transfer && length) throw Refusal{400, "both Content-Length and Transfer-Encoding"};
    if (transfer) {
        if (strcasecmp(transfer->c_str(), "chunked") != 0) throw Refusal{501, "a Transfer-Encoding other than chunked"};
        part_ = Part::chunk_size;
    } else if (length) {
        const char* end = length->data() + length->size();
        const auto [stop, failure] = std::from_chars(length->data(), end, remaining_);
        if (failure == std::errc::result_out_of_range)
            remaining_ = SIZE_MAX;
        else if (failure != std::errc() || stop != end)
            throw Refusal{400, "Content-Length is not a number"};
        check_body_size(remaining_);
        part_ = Part::body_of_length;
    }
    const bool has_body = transfer || remaining_ > 0;
    done_ = !has_body;
    expects_continue_ = has_body && contains_word(request_.header("expect"), "100-continue");
}

void RequestParser::check_body_size(std::size_t size) const {
    if (size > limits_.body) throw Refusal{413, "the body of a request may have " + std::to_string(limits_.body) + " bytes"};
}

bool RequestParser::take_body(std::string& input) {
    const std::size_t count = std::min(remaining_, input.size());
    request_.body.append(input, 0, count);
    input.erase(0, count);
    remaining_ -= count;
    done_ = remaining_ == 0;
    return done_;
}

bool RequestParser::take_chunk_size(std::string& input) {
    const auto line = take_line(input, 4096);
    if (!line) return false;
    const std::string_view digits = trimmed(std::string_view(*line).substr(0, line->find(';')));
    const auto [stop, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), remaining_, 16);
    if (failure == std::errc::result_out_of_range)
        remaining_ = SIZE_MAX - limits_.body;
    else if (failure != std::errc() || stop != digits.data() + digits.size())
        throw Refusal{400, "the size of a chunk is not a number"};
    check_body_size(request_.body.size() + remaining_);
    part_ = remaining_ == 0 ? Part::trailer : Part::chunk_data;
    return true;
}

bool RequestParser::take_chunk_data(std::string& input) {
    const std::size_t count = std::min(remaining_, input.size());
    request_.body.append(input, 0, count);
    input.erase(0, count);
    remaining_ -= count;
    if (remaining_ > 0) return false;
    part_ = Part::chunk_end;
    return true;
}

bool RequestParser::take_trailer(std::string& input) {
    const auto line = take_line(input, limits_.line);
    if (!line) return false;
    trailer_bytes_ += line->size();
    if (trailer_bytes_ > limits_.head) throw Refusal{431, "the trailer of the request is too large"};
    done_ = line->empty();
    return true;
}

std::optional<std::string> RequestParser::take_line(std::string& input, std::size_t limit) {
    const std::size_t end = input.find('\n');
    if (std::min(end, input.size()) > limit) throw Refusal{400, "the framing of a chunked body is broken"};
    if (end == std::string::npos) return std::nullopt;
    std::string line(without_line_end(std::string_view(input).substr(0, end + 1)));
    input.erase(0, end + 1);
    return line;
}

}  // namespace hvagent::http
