#include "agent/http/file_streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <optional>

#include "agent/http/answers.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::http {
namespace {

// What shows to a client that takes up a download that the file is still the same.
std::string etag_of(const struct stat& facts) {
    return "\"" + std::to_string(facts.st_ino) + "-" + std::to_string(facts.st_size) + "-" +
           std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec) + "\"";
}

std::string date_of(const struct stat& facts) {
    std::tm parts{};
    gmtime_r(&facts.st_mtim.tv_sec, &parts);
    char text[64] = {};
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

}  // namespace

FileRange parse_range(const std::string& header, std::int64_t size) {
    const FileRange whole{FileRange::Kind::whole, 0, size};
    constexpr std::string_view unit = "bytes=";
    const auto dash = header.find('-');
    if (!header.starts_with(unit) || dash == std::string::npos || header.find(',') != std::string::npos) return whole;
    const std::string_view text(header);
    const auto first = parse_number(text.substr(unit.size(), dash - unit.size()));
    const auto last = parse_number(text.substr(dash + 1));
    const bool is_open = dash + 1 == header.size();
    if ((!first && dash != unit.size()) || (!last && !is_open) || (!first && !last)) return whole;
    if (first && last && *last < *first) return whole;
    const std::int64_t begin = first ? *first : std::max<std::int64_t>(0, size - *last);
    const std::int64_t end = first && last ? std::min(size, *last + 1) : size;
    if (begin >= size) return {FileRange::Kind::none_of_it, 0, 0};
    return {FileRange::Kind::part, begin, end};
}

class FileStreams::Reading {
public:
    Reading(FileStreams& owner, int file) : owner_(owner), file_(file) {}
    ~Reading() {
        close(file_);
        owner_.leave();
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    int file() const { return file_; }

    std::shared_ptr<AnswerStream> stream;
    std::int64_t at = 0;
    std::int64_t end = 0;

private:
    FileStreams& owner_;
    const int file_;
};

void FileStreams::enter() {
    const std::lock_guard lock(mutex_);
    if (stopping_) throw Error(Code::not_ready, "the agent is stopping");
    if (count_ >= settings_.most)
        throw Error(Code::not_ready, std::to_string(settings_.most) + " files are on their way already");
    ++count_;
}

void FileStreams::leave() {
    const std::lock_guard lock(mutex_);
    --count_;
    streams_.remove_if([](const auto& one) { return one.expired(); });
}

void FileStreams::open(std::shared_ptr<Exchange> exchange, const std::string& path) {
    const bool is_taken = readers_.run([this, exchange = std::move(exchange), path] {
        try {
            begin(*exchange, path);
        } catch (...) {
            exchange->respond(error_answer(current_error()));
        }
    });
    if (!is_taken) throw Error(Code::not_ready, "the agent is stopping");
}

void FileStreams::begin(Exchange& exchange, const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) throw Error(Code::io_failed, "the offered file cannot be opened: " + std::string(std::strerror(errno)));
    try {
        enter();
    } catch (...) {
        close(file);
        throw;
    }
    const auto reading = std::make_shared<Reading>(*this, file);
    struct stat facts {};
    if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode))
        throw Error(Code::io_failed, "what is offered is no regular file");
    const std::string etag = etag_of(facts), date = date_of(facts);
    const std::string condition = exchange.request.header("if-range");
    const bool is_same = condition.empty() || condition == etag || condition == date;
    const FileRange range = is_same ? parse_range(exchange.request.header("range"), facts.st_size)
                                    : FileRange{FileRange::Kind::whole, 0, facts.st_size};
    if (range.kind == FileRange::Kind::none_of_it) {
        Response refusal = refusal_answer(416, "the file has " + std::to_string(facts.st_size) + " bytes");
        refusal.headers.emplace_back("Content-Range", "bytes */" + std::to_string(facts.st_size));
        return exchange.respond(std::move(refusal));
    }
    Response head;
    head.content_type = "application/octet-stream";
    head.headers = {{"Content-Length", std::to_string(range.end - range.begin)},
                    {"Accept-Ranges", "bytes"},
                    {"ETag", etag},
                    {"Last-Modified", date}};
    if (range.kind == FileRange::Kind::part) {
        head.status = 206;
        head.headers.emplace_back("Content-Range", "bytes " + std::to_string(range.begin) + "-" +
                                                       std::to_string(range.end - 1) + "/" + std::to_string(facts.st_size));
    }
    reading->at = range.begin;
    reading->end = range.end;
    posix_fadvise(file, range.begin, range.end - range.begin, POSIX_FADV_SEQUENTIAL);
    reading->stream = exchange.stream(head);
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) reading->stream->close("");
        streams_.emplace_back(reading->stream);
    }
    go_on(reading);
}

void FileStreams::go_on(const std::shared_ptr<Reading>& reading) {
    std::string piece;
    while (reading->stream->is_open()) {
        const bool is_read = reading->at == reading->end;
        // At the end until all is out: close() would give the rest only a moment.
        const std::size_t mark = is_read ? 1 : settings_.most_unsent;
        const bool is_waiting =
            reading->stream->wait_below(mark, [this, reading] { readers_.run([this, reading] { go_on(reading); }); });
        if (is_waiting) return;
        if (is_read) return reading->stream->close("");
        piece.resize(static_cast<std::size_t>(
            std::min<std::int64_t>(static_cast<std::int64_t>(settings_.piece), reading->end - reading->at)));
        const ssize_t got = pread(reading->file(), piece.data(), piece.size(), reading->at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            log::warning("a file for a peer cannot be read to its end",
                         {{"at", reading->at}, {"error", got < 0 ? std::strerror(errno) : "it became shorter"}});
            return reading->stream->close("");  // shorter than was said: the client sees that
        }
        reading->at += got;
        reading->stream->send(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    }
}

void FileStreams::stop() {
    std::list<std::weak_ptr<AnswerStream>> streams;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        streams.swap(streams_);
    }
    for (const auto& one : streams)
        if (const auto stream = one.lock()) stream->close("");
    readers_.stop();
}

}  // namespace hvagent::http
