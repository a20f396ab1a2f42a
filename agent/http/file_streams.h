// Answers that are files: read piece by piece as the client takes them, so that a slow one costs no thread and little
// memory.
#pragma once
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "agent/http/settings.h"
#include "agent/http/transport/message.h"
#include "agent/http/transport/worker_pool.h"

namespace hvagent::http {

// Thread-safe. Files are opened and read on threads of its own: a storage that hangs holds up only other files.
class FileStreams {
public:
    explicit FileStreams(FileStreamSettings settings) : settings_(settings), readers_(settings.most_threads) {}
    ~FileStreams() { stop(); }

    // Answers with the regular file at `path`, or the part of it that Range asks for. Error(not_ready): there are too many
    // already, or the agent is stopping.
    void open(std::shared_ptr<Exchange> exchange, const std::string& path);
    // Cuts those that are on their way: a client sees by the length that there is more, and comes again. Safe to call twice.
    void stop();

private:
    class Reading;

    void begin(Exchange& exchange, const std::string& path);
    // Reads until the client is behind; then it waits without a thread.
    void go_on(const std::shared_ptr<Reading>& reading);
    void enter();
    void leave();

    const FileStreamSettings settings_;
    WorkerPool readers_;
    std::mutex mutex_;
    std::list<std::weak_ptr<AnswerStream>> streams_;
    std::size_t count_ = 0;
    bool stopping_ = false;
};

// What of a file of `size` bytes a Range header asks for.
struct FileRange {
    enum class Kind { whole, part, none_of_it } kind = Kind::whole;
    std::int64_t begin = 0;
    std::int64_t end = 0;  // behind the last byte
};
// Several ranges at once, and what is no range of bytes, are the whole file.
FileRange parse_range(const std::string& header, std::int64_t size);

}  // namespace hvagent::http
