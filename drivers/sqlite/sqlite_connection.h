// One connection to an SQLite file with its prepared statements. Used by one thread at a time.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hvagent/drivers/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hvagent {

class SqliteConnection final : public SqlSession {
public:
    enum class Role { writer, reader };

    SqliteConnection(const std::string& path, Role role);
    ~SqliteConnection() override;
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    int run(const std::string& sql, const SqlValues& values = {}) override;
    void each(const std::string& sql, const SqlValues& values, const std::function<void(const SqlRow&)>& row) override;

    // False once SQLite has rolled a transaction back on its own, as it does when the disk is full.
    bool in_transaction() const;
    // Runs the statement (ROLLBACK or one of its kind) if there is a transaction; a failure is logged.
    void roll_back(const char* statement) noexcept;

private:
    struct CloseConnection {
        void operator()(sqlite3* connection) const;
    };
    struct FinalizeStatement {
        void operator()(sqlite3_stmt* statement) const;
    };
    using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;
    class Borrowed;

    void configure(Role role);
    Statement take(const std::string& sql);
    void give_back(const std::string& sql, Statement statement);
    Statement prepare(const std::string& sql);
    void bind(sqlite3_stmt* statement, const std::string& sql, const SqlValues& values);
    // True while there is a row.
    bool step(sqlite3_stmt* statement, const std::string& sql);
    [[noreturn]] void fail(int result, const std::string& sql) const;

    std::string path_;
    std::unique_ptr<sqlite3, CloseConnection> connection_;
    // Idle ones only: the same text may run inside itself, each with a statement of its own.
    std::unordered_map<std::string, std::vector<Statement>> idle_;
    std::size_t idle_count_ = 0;
};

}  // namespace hvagent
