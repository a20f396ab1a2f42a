// Where log lines go: the journal with one journal field per log field, or stderr as logfmt.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "hvagent/log.h"

namespace hvagent::app {

class StderrSink final : public log::Sink {
public:
    void write(log::Level level, std::string_view sentence, const std::vector<log::Field>& fields) override;

private:
    std::mutex mutex_;
};

class JournalSink final : public log::Sink {
public:
    void write(log::Level level, std::string_view sentence, const std::vector<log::Field>& fields) override;
};

// `target`: journal, stderr, or auto (the journal when stderr is connected to it). Error(invalid_argument) for another word.
std::unique_ptr<log::Sink> make_sink(const std::string& target);
log::Level parse_level(const std::string& level);

}  // namespace hvagent::app
