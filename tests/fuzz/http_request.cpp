// The request parser, fed in pieces, and what takes targets apart. One piece or many must make no difference.
#include "agent/http/transport/request_parser.h"
#include "agent/http/url.h"
#include "tests/fuzz/judge.h"

using namespace hvagent;
using namespace hvagent::http;
using Progress = RequestParser::Progress;

namespace {

constexpr RequestLimits limits{1024, 4096, 4096};

// The requests of the bytes, and how the last one ended.
std::string parse(const std::string& bytes, std::size_t piece) {
    RequestParser parser(limits);
    std::string input, seen;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        input += bytes.substr(at, piece);
        for (;;) {
            const Progress progress = parser.feed(input);
            if (progress == Progress::refused) return seen + "refused " + std::to_string(parser.refused_status());
            if (progress == Progress::need_more) break;
            const Request request = parser.take();
            seen += request.method + " " + request.target + "\n" + request.body + "\n";
            for (const auto& [name, value] : request.headers) seen += name + ": " + value + "\n";
        }
    }
    return seen;
}

void take_apart(const std::string& text) {
    const Target target = split_target(text);
    judge([&] { path_segments(target.path); });
    judge([&] { parse_query(target.query); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string bytes = text_of(data + 1, size - 1);
    if (parse(bytes, bytes.size() + 1) != parse(bytes, 1 + data[0] % 16)) std::abort();
    take_apart(bytes);
    return 0;
}
