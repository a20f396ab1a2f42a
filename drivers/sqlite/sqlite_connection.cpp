#include "drivers/sqlite/sqlite_connection.h"

#include <sqlite3.h>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent {
namespace {

constexpr std::size_t most_idle_statements = 256;
constexpr std::size_t longest_shown_sql = 80;
// Only somebody from outside (the sqlite3 shell, a backup) can make us wait.
constexpr int busy_timeout_ms = 5000;

class StatementRow final : public SqlRow {
public:
    explicit StatementRow(sqlite3_stmt* statement) : statement_(statement) {}
    int columns() const override { return sqlite3_column_count(statement_); }
    bool is_null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
    std::int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
    double real(int column) const override { return sqlite3_column_double(statement_, column); }
    std::string text(int column) const override { return std::string(text_view(column)); }
    std::string_view text_view(int column) const override {
        const auto* bytes = sqlite3_column_text(statement_, column);
        if (!bytes) return {};
        return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }

private:
    sqlite3_stmt* statement_;
};

std::string shortened(const std::string& sql) {
    return sql.size() <= longest_shown_sql ? sql : sql.substr(0, longest_shown_sql) + "...";
}

struct Failure {
    Code code;
    std::string_view cause;
};

Failure failure_of(int result) {
    switch (result & 0xff) {
        case SQLITE_FULL: return {Code::io_failed, "the disk is full"};
        case SQLITE_IOERR: return {Code::io_failed, "the disk failed"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return {Code::io_failed, "the file is damaged"};
        case SQLITE_READONLY:
        case SQLITE_PERM: return {Code::io_failed, "the file cannot be written"};
        case SQLITE_CANTOPEN: return {Code::io_failed, "the file cannot be opened"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return {Code::io_failed, "another process has locked the file"};
        case SQLITE_NOMEM: return {Code::io_failed, "out of memory"};
        case SQLITE_CONSTRAINT: return {Code::operation_failed, "a constraint does not hold"};
        default: return {Code::internal, "the statement failed"};
    }
}

}  // namespace

// A statement out of the cache; goes back reset, also when the work on its rows throws.
class SqliteConnection::Borrowed {
public:
    Borrowed(SqliteConnection& owner, const std::string& sql) : owner_(owner), sql_(sql), statement_(owner.take(sql)) {}
    ~Borrowed() {
        sqlite3_reset(statement_.get());
        sqlite3_clear_bindings(statement_.get());
        owner_.give_back(sql_, std::move(statement_));
    }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    sqlite3_stmt* get() const { return statement_.get(); }

private:
    SqliteConnection& owner_;
    const std::string& sql_;
    Statement statement_;
};

void SqliteConnection::CloseConnection::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}

void SqliteConnection::FinalizeStatement::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

SqliteConnection::SqliteConnection(const std::string& path, Role role) : path_(path) {
    sqlite3* opened = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (role == Role::writer ? SQLITE_OPEN_CREATE : 0);
    const int result = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
    connection_.reset(opened);
    if (result != SQLITE_OK) fail(result, "open");
    sqlite3_extended_result_codes(opened, 1);
    sqlite3_busy_timeout(opened, busy_timeout_ms);
    configure(role);
}

SqliteConnection::~SqliteConnection() = default;

void SqliteConnection::configure(Role role) {
    if (role == Role::writer) {
        run("PRAGMA journal_mode=WAL");
        run("PRAGMA journal_size_limit=67108864");
    } else {
        run("PRAGMA query_only=ON");
    }
    // Commits are flushed by WalFlusher, many at once; NORMAL still orders the write-ahead log and checkpoints.
    run("PRAGMA synchronous=NORMAL");
    run("PRAGMA foreign_keys=ON");
    run("PRAGMA temp_store=MEMORY");
    run("PRAGMA cache_size=-1024");  // KiB; behind it is the page cache of the kernel
    run("PRAGMA trusted_schema=OFF");
}

int SqliteConnection::run(const std::string& sql, const SqlValues& values) {
    Borrowed statement(*this, sql);
    bind(statement.get(), sql, values);
    const int before = sqlite3_total_changes(connection_.get());
    while (step(statement.get(), sql)) {}
    // sqlite3_changes() keeps the number of the last INSERT, UPDATE or DELETE when other statements run.
    return sqlite3_total_changes(connection_.get()) == before ? 0 : sqlite3_changes(connection_.get());
}

void SqliteConnection::each(const std::string& sql, const SqlValues& values, const std::function<void(const SqlRow&)>& row) {
    Borrowed statement(*this, sql);
    bind(statement.get(), sql, values);
    const StatementRow current(statement.get());
    while (step(statement.get(), sql)) row(current);
}

bool SqliteConnection::in_transaction() const {
    return sqlite3_get_autocommit(connection_.get()) == 0;
}

void SqliteConnection::roll_back(const char* statement) noexcept {
    if (!in_transaction()) return;
    try {
        run(statement);
    } catch (const Error& error) {
        log::error("cannot roll back", {{"statement", statement}, {"reason", error.details()}});
    }
}

SqliteConnection::Statement SqliteConnection::take(const std::string& sql) {
    const auto found = idle_.find(sql);
    if (found == idle_.end() || found->second.empty()) return prepare(sql);
    Statement statement = std::move(found->second.back());
    found->second.pop_back();
    --idle_count_;
    return statement;
}

void SqliteConnection::give_back(const std::string& sql, Statement statement) {
    if (idle_count_ >= most_idle_statements) {
        idle_.clear();
        idle_count_ = 0;
    }
    idle_[sql].push_back(std::move(statement));
    ++idle_count_;
}

SqliteConnection::Statement SqliteConnection::prepare(const std::string& sql) {
    const char* rest = sql.c_str();
    const char* const end = rest + sql.size();
    Statement first;
    while (rest < end) {
        sqlite3_stmt* prepared = nullptr;
        const int result = sqlite3_prepare_v3(connection_.get(), rest, static_cast<int>(end - rest),
                                              SQLITE_PREPARE_PERSISTENT, &prepared, &rest);
        Statement statement(prepared);
        if (result != SQLITE_OK) fail(result, sql);
        if (statement && first) throw Error(Code::internal, "more than one SQL statement in: " + shortened(sql));
        if (statement) first = std::move(statement);
    }
    if (!first) throw Error(Code::internal, "no SQL statement in: " + shortened(sql));
    return first;
}

void SqliteConnection::bind(sqlite3_stmt* statement, const std::string& sql, const SqlValues& values) {
    if (sqlite3_bind_parameter_count(statement) != static_cast<int>(values.size())) {
        throw Error(Code::internal, std::to_string(values.size()) + " values for the " +
                                        std::to_string(sqlite3_bind_parameter_count(statement)) +
                                        " parameters of: " + shortened(sql));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        const int position = static_cast<int>(i) + 1;
        int result = SQLITE_OK;
        if (const auto* integer = std::get_if<std::int64_t>(&values[i])) {
            result = sqlite3_bind_int64(statement, position, *integer);
        } else if (const auto* real = std::get_if<double>(&values[i])) {
            result = sqlite3_bind_double(statement, position, *real);
        } else if (const auto* text = std::get_if<std::string>(&values[i])) {
            // The caller's vector outlives the execution; bindings are cleared afterwards.
            result = sqlite3_bind_text64(statement, position, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
        } else {
            result = sqlite3_bind_null(statement, position);
        }
        if (result != SQLITE_OK) fail(result, sql);
    }
}

bool SqliteConnection::step(sqlite3_stmt* statement, const std::string& sql) {
    const int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) fail(result, sql);
    return false;
}

void SqliteConnection::fail(int result, const std::string& sql) const {
    const Failure failure = failure_of(result);
    const std::string message = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(result);
    throw Error(failure.code, "database " + path_ + ": " + std::string(failure.cause) + " (SQLite " +
                                  std::to_string(result) + ": " + message + ") in: " + shortened(sql));
}

}  // namespace hvagent
