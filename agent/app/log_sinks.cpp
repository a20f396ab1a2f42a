#include "agent/app/log_sinks.h"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "hvagent/clock.h"
#include "hvagent/error.h"

namespace hvagent::app {
namespace {

constexpr const char* level_names[] = {"debug", "info", "warning", "error"};
constexpr int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};

std::string quoted(const std::string& value) {
    if (!value.empty() && value.find_first_of(" \"=\n\t\\") == std::string::npos) return value;
    std::string text = "\"";
    for (char c : value) {
        if (c == '"' || c == '\\') text += '\\';
        if (c == '\n')
            text += "\\n";
        else if (static_cast<unsigned char>(c) >= 0x20)
            text += c;
    }
    return text + "\"";
}

// Values keep the bytes that are UTF-8; a name given twice keeps its first value.
std::string json_line(log::Level level, std::string_view sentence, const std::vector<log::Field>& fields) {
    nlohmann::ordered_json line{{"time", iso_time(std::chrono::system_clock::now())},
                                {"level", level_names[static_cast<int>(level)]},
                                {"message", std::string(sentence)}};
    for (const log::Field& field : fields) line.emplace(field.name, field.value);
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// What one searches for stands by itself (journalctl JOB=...); the rest must not meet fields of others.
std::string journal_name(const std::string& name) {
    const bool is_searched = name == "job" || name == "operation" || name == "vm" || name == "request";
    std::string text = is_searched ? "" : "HVAGENT_";
    for (unsigned char c : name) text += static_cast<char>(std::isalnum(c) ? std::toupper(c) : '_');
    return text;
}

}  // namespace

void StderrSink::write(log::Level level, std::string_view sentence, const std::vector<log::Field>& fields) {
    const std::string line = json_line(level, sentence, fields) + "\n";
    std::lock_guard lock(mutex_);
    for (std::size_t done = 0; done < line.size();) {
        const ssize_t written = ::write(STDERR_FILENO, line.data() + done, line.size() - done);
        if (written <= 0) return;
        done += static_cast<std::size_t>(written);
    }
}

void JournalSink::write(log::Level level, std::string_view sentence, const std::vector<log::Field>& fields) {
    std::vector<std::string> entries;
    std::string message(sentence);
    for (const log::Field& field : fields) {
        message += " " + field.name + "=" + quoted(field.value);
        entries.push_back(journal_name(field.name) + "=" + field.value);
    }
    entries.push_back("MESSAGE=" + message);
    entries.push_back("PRIORITY=" + std::to_string(priorities[static_cast<int>(level)]));
    std::vector<iovec> parts;
    for (std::string& entry : entries) parts.push_back({entry.data(), entry.size()});
    sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

std::unique_ptr<log::Sink> make_sink(const std::string& target) {
    if (target == "journal" || (target == "auto" && std::getenv("JOURNAL_STREAM"))) return std::make_unique<JournalSink>();
    if (target == "stderr" || target == "auto") return std::make_unique<StderrSink>();
    throw Error(Code::invalid_argument, "[log] target must be journal, stderr or auto, but is \"" + target + "\"");
}

log::Level parse_level(const std::string& level) {
    for (int i = 0; i < 4; ++i)
        if (level == level_names[i]) return static_cast<log::Level>(i);
    throw Error(Code::invalid_argument, "[log] level must be debug, info, warning or error, but is \"" + level + "\"");
}

}  // namespace hvagent::app
