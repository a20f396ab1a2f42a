#include "hvagent/log.h"

#include <atomic>

namespace hvagent::log {
namespace {

std::atomic<Sink*> sink_in_use{nullptr};
std::atomic<Level> lowest_level{Level::info};
thread_local std::vector<Field> scope_fields;

void write(Level level, std::string_view sentence, Fields fields) {
    Sink* sink = sink_in_use.load(std::memory_order_acquire);
    if (!sink || level < lowest_level.load(std::memory_order_relaxed)) return;
    std::vector<Field> all(fields);
    all.insert(all.end(), scope_fields.begin(), scope_fields.end());
    sink->write(level, sentence, all);
}

}  // namespace

void debug(std::string_view sentence, Fields fields) {
    write(Level::debug, sentence, fields);
}
void info(std::string_view sentence, Fields fields) {
    write(Level::info, sentence, fields);
}
void warning(std::string_view sentence, Fields fields) {
    write(Level::warning, sentence, fields);
}
void error(std::string_view sentence, Fields fields) {
    write(Level::error, sentence, fields);
}

Scope::Scope(Fields fields) : added_(fields.size()) {
    scope_fields.insert(scope_fields.end(), fields.begin(), fields.end());
}
Scope::~Scope() {
    scope_fields.resize(scope_fields.size() - added_, Field("", ""));
}

void set_sink(Sink& sink, Level lowest) {
    lowest_level.store(lowest, std::memory_order_relaxed);
    sink_in_use.store(&sink, std::memory_order_release);
}

}  // namespace hvagent::log
