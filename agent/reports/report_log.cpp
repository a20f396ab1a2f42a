#include "agent/reports/report_log.h"

#include <ctime>

#include "hvagent/error.h"

namespace hvagent::reports {
namespace {

std::int64_t number(SqlSession& session, const std::string& sql, const SqlValues& values = {}) {
    std::int64_t found = 0;
    session.each(sql, values, [&](const SqlRow& row) { found = row.integer(0); });
    return found;
}

}  // namespace

ReportLog::ReportLog(Database& database, const Clock& clock, LogBounds bounds)
    : database_(database), clock_(clock), bounds_(bounds) {}

void ReportLog::open() {
    database_.write(Durability::lazy, [this](SqlSession& session) {
        session.run(
            "CREATE TABLE IF NOT EXISTS reports (position INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, "
            "kind TEXT NOT NULL, items TEXT NOT NULL, bytes INTEGER NOT NULL)");
        session.run("CREATE TABLE IF NOT EXISTS report_boots (base INTEGER NOT NULL, boot TEXT PRIMARY KEY)");
        session.run("CREATE TABLE IF NOT EXISTS report_size (bytes INTEGER NOT NULL)");
        session.run("DELETE FROM report_size");
        session.run("INSERT INTO report_size SELECT COALESCE(SUM(bytes), 0) FROM reports");
        base_ = newest(session);
        // A life that said nothing leaves no trace; of those without reports left only the last can be asked for.
        session.run("DELETE FROM report_boots WHERE base = ?", {base_});
        session.run("INSERT INTO report_boots (base, boot) VALUES (?, ?)", {base_, boot_});
        make_room(session);
    });
}

void ReportLog::append(SqlSession& session, std::string_view kind, const json& items) {
    const std::string text = items.dump(-1, ' ', false, json::error_handler_t::replace);
    const auto bytes = static_cast<std::int64_t>(text.size() + 64);
    session.run("INSERT INTO reports (at, kind, items, bytes) VALUES (?, ?, ?, ?)",
                {to_unix_ms(clock_.now()), std::string(kind), text, bytes});
    session.run("UPDATE report_size SET bytes = bytes + ?", {bytes});
    make_room(session);
}

void ReportLog::append(std::string_view kind, const json& items) {
    database_.write(Durability::lazy, [&](SqlSession& session) { append(session, kind, items); });
}

// An eighth at a time, so that a full log is not cut at each report.
void ReportLog::make_room(SqlSession& session) {
    const std::int64_t last = newest(session);
    const std::int64_t first = number(session, "SELECT COALESCE(MIN(position), 0) FROM reports");
    const bool too_many = last - first >= bounds_.most_reports;
    const bool too_large = number(session, "SELECT bytes FROM report_size") > bounds_.most_bytes;
    if (first == 0 || first == last || (!too_many && !too_large)) return;
    const std::int64_t until = first + std::max<std::int64_t>(1, (last - first) / 8);
    session.run("DELETE FROM reports WHERE position < ?", {until});
    session.run("UPDATE report_size SET bytes = (SELECT COALESCE(SUM(bytes), 0) FROM reports)");
    session.run("DELETE FROM report_boots WHERE base < (SELECT MAX(base) FROM report_boots WHERE base < ?) AND boot <> ?",
                {until, boot_});
}

std::int64_t ReportLog::newest(SqlSession& session) const {
    return number(session, "SELECT seq FROM sqlite_sequence WHERE name = 'reports'");
}

bool ReportLog::reaches(SqlSession& session, std::int64_t position) const {
    const std::int64_t last = newest(session);
    const std::int64_t first = number(session, "SELECT COALESCE(MIN(position), ?) FROM reports", {last + 1});
    return position + 1 >= first;
}

std::vector<Report> ReportLog::after(SqlSession& session, std::int64_t position, std::size_t most) const {
    std::vector<Report> found;
    session.each(
        "SELECT r.position, b.boot, r.position - b.base, r.kind, r.items FROM reports r JOIN report_boots b "
        "ON b.base = (SELECT MAX(base) FROM report_boots WHERE base < r.position) "
        "WHERE r.position > ? ORDER BY r.position LIMIT ?",
        {position, static_cast<std::int64_t>(most)}, [&](const SqlRow& row) {
            found.push_back({row.integer(0), row.text(1), row.integer(2), row.text(3), row.text(4)});
        });
    return found;
}

std::optional<std::int64_t> ReportLog::position_of(SqlSession& session, const std::string& boot,
                                                   std::int64_t sequence) const {
    std::optional<std::int64_t> base;
    session.each("SELECT base FROM report_boots WHERE boot = ?", {boot}, [&](const SqlRow& row) { base = row.integer(0); });
    if (!base || sequence < 0 || *base + sequence > newest(session)) return std::nullopt;
    return *base + sequence;
}

}  // namespace hvagent::reports
