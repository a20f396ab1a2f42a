// Structured log: a fixed sentence and named values. The sink (journal or stderr) is chosen at start.
//
//   log::info("vm started", {{"vm", id.str()}, {"took_ms", took}});
//
// A log::Scope adds fields to every line of its thread while it lives.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace hvagent::log {

enum class Level { debug, info, warning, error };

struct Field {
    Field(std::string_view key, std::string_view text) : name(key), value(text) {}
    Field(std::string_view key, const std::string& text) : name(key), value(text) {}
    Field(std::string_view key, const char* text) : name(key), value(text) {}
    template <class Number>
    requires std::is_arithmetic_v<Number> Field(std::string_view key, Number number)
        : name(key), value(std::to_string(number)) {}

    std::string name;
    std::string value;
};
using Fields = std::initializer_list<Field>;

void debug(std::string_view sentence, Fields fields = {});
void info(std::string_view sentence, Fields fields = {});
void warning(std::string_view sentence, Fields fields = {});
void error(std::string_view sentence, Fields fields = {});

class Scope {
public:
    explicit Scope(Fields fields);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

private:
    std::size_t added_;
};

// Receives finished lines; must be callable from any thread.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void write(Level level, std::string_view sentence, const std::vector<Field>& fields) = 0;
};

// Called once in main, before the first thread; `sink` must outlive all logging.
void set_sink(Sink& sink, Level lowest);

}  // namespace hvagent::log
