// SQL over one file: what the inventory and the jobs are stored in.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hvagent {

using SqlValue = std::variant<std::nullptr_t, std::int64_t, double, std::string>;
using SqlValues = std::vector<SqlValue>;

// One row of a result; valid only during the callback it is passed to.
class SqlRow {
public:
    virtual ~SqlRow() = default;
    virtual int columns() const = 0;
    virtual bool is_null(int column) const = 0;
    virtual std::int64_t integer(int column) const = 0;  // 0 for NULL
    virtual double real(int column) const = 0;
    virtual std::string text(int column) const = 0;            // "" for NULL
    virtual std::string_view text_view(int column) const = 0;  // the same, until the callback returns
};

class SqlSession {
public:
    virtual ~SqlSession() = default;
    // Runs one statement with `?` parameters; returns the number of rows changed.
    virtual int run(const std::string& sql, const SqlValues& values = {}) = 0;
    virtual void each(const std::string& sql, const SqlValues& values, const std::function<void(const SqlRow&)>& row) = 0;
};

enum class Durability {
    flushed,  // on disk before write() returns
    lazy,     // survives a crash of the daemon; may be lost with the power
};

// Thread-safe: one writer at a time, readers beside it (they see the last commit and never wait for a writer).
// Error(io_failed) names the cause: disk full, file damaged...
class Database {
public:
    virtual ~Database() = default;
    // All of `work` or nothing of it. Nested calls on the same thread join the outer transaction. A constraint that
    // does not hold is Error(operation_failed).
    virtual void write(Durability durability, const std::function<void(SqlSession&)>& work) = 0;
    // One state for all of `work`; on a thread that is inside write(), what that write has done so far.
    virtual void read(const std::function<void(SqlSession&)>& work) = 0;
};

}  // namespace hvagent
