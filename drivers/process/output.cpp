#include "drivers/process/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace hvagent {
namespace {

constexpr std::size_t longest_line = 64 * 1024;  // longer ones come in pieces
// At once, as much as a pipe can hold: somebody who writes without end must not keep us here.
constexpr int most_reads = 64;

}  // namespace

void OutputReader::read_available() {
    std::array<char, 16384> buffer;
    for (int reads = 0; open_ && reads < most_reads; ++reads) {
        const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());
        if (got > 0) {
            const std::string_view data(buffer.data(), static_cast<std::size_t>(got));
            keep(data);
            if (on_line_) split(data);
        } else if (got < 0 && errno == EAGAIN) {
            break;
        } else if (got == 0 || errno != EINTR) {
            open_ = false;
        }
    }
}

void OutputReader::finish() {
    if (on_line_ && !line_.empty()) on_line_(line_);
    line_.clear();
}

void OutputReader::keep(std::string_view data) {
    const std::size_t room = most_kept_ - kept_.size();
    kept_.append(data.substr(0, room));
    cut_ |= data.size() > room;
}

void OutputReader::split(std::string_view data) {
    while (!data.empty()) {
        const std::size_t end = data.find_first_of("\r\n");
        line_.append(data.substr(0, end));
        if (end == std::string_view::npos && line_.size() < longest_line) return;
        data.remove_prefix(std::min(data.size(), end == std::string_view::npos ? data.size() : end + 1));
        if (!line_.empty()) on_line_(line_);
        line_.clear();
    }
}

}  // namespace hvagent
