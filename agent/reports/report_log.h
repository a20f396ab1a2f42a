// The reports of this and earlier lives of the agent, numbered without gaps, kept until newer ones need their room.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/reports/report.h"
#include "hvagent/drivers/database.h"
#include "hvagent/ids.h"

namespace hvagent::reports {

struct LogBounds {
    std::int64_t most_reports = 10000;
    std::int64_t most_bytes = 16 * 1024 * 1024;
};

// Thread-safe. A position of 0 is before the first report.
class ReportLog {
public:
    ReportLog(Database& database, const Clock& clock, LogBounds bounds);

    // Makes the tables; a new life of the agent begins. Before anything else.
    void open();
    const std::string& boot() const { return boot_; }

    // Within a write of the database, so that a report is kept or lost with what it tells.
    void append(SqlSession& session, std::string_view kind, const json& items);
    void append(std::string_view kind, const json& items);

    // Inside a read of the database, to see it together with the inventory; or by themselves.
    std::int64_t newest(SqlSession& session) const;
    std::vector<Report> after(SqlSession& session, std::int64_t position, std::size_t most) const;
    // False: some of what came after `position` has made room already.
    bool reaches(SqlSession& session, std::int64_t position) const;
    // Where this report is or was; nullopt: it never was, or its life is forgotten.
    std::optional<std::int64_t> position_of(SqlSession& session, const std::string& boot, std::int64_t sequence) const;
    // The number in this life of what stands at `position`; 0 for what is older.
    std::int64_t sequence_at(std::int64_t position) const { return position > base_ ? position - base_ : 0; }

    Database& database() const { return database_; }

private:
    void make_room(SqlSession& session);

    Database& database_;
    const Clock& clock_;
    const LogBounds bounds_;
    const std::string boot_ = make_uuid();
    std::int64_t base_ = 0;  // position before the first report of this life
};

}  // namespace hvagent::reports
