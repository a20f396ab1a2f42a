#include "agent/inventory/schema.h"

#include <algorithm>
#include <set>

#include "agent/inventory/records.h"
#include "agent/inventory/resource.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::inventory {
namespace {

bool is_number(const Column& column) {
    return column.type != api::FieldType::text;
}

std::string default_of(const Column& column) {
    if (const auto* number = std::get_if<std::int64_t>(&column.initial)) return " DEFAULT " + std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&column.initial)) return " DEFAULT " + literal(*text);
    return "";
}

std::string declaration_of(const Column& column) {
    std::string sql = identifier(column.name) + (is_number(column) ? " INTEGER" : " TEXT");
    if (!column.expression.empty()) return sql + " GENERATED ALWAYS AS (" + column.expression + ") VIRTUAL";
    if (column.name == "uuid") return sql + " PRIMARY KEY NOT NULL";
    return sql + default_of(column);
}

std::string index_of(const Table& table, const Index& index) {
    std::string name = table.name;
    std::string columns;
    for (const std::string& column : index.columns) {
        const Column& found = *table.find(column);
        name += "_" + column;
        columns += (columns.empty() ? "" : ", ") + identifier(column);
        // Texts are searched without regard to case; uniqueness is exact.
        if (!index.unique && !is_number(found) && !found.identity) columns += " COLLATE NOCASE";
    }
    return std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX IF NOT EXISTS " + identifier(name) + " ON " +
           identifier(table.name) + " (" + columns + ")";
}

// Tables, columns and indices that the descriptions have and the file has not.
void complete(SqlSession& session) {
    for (const Table* table : all_tables()) {
        std::set<std::string> present;
        // table_xinfo lists generated columns too.
        session.each("PRAGMA table_xinfo(" + identifier(table->name) + ")", {},
                     [&](const SqlRow& row) { present.insert(row.text(1)); });
        if (!present.empty())
            for (const Column& column : table->columns)
                if (!present.contains(column.name))
                    session.run("ALTER TABLE " + identifier(table->name) + " ADD COLUMN " + declaration_of(column));
        for (const std::string& statement : ddl_of(*table)) session.run(statement);
    }
}

std::int64_t version_of(SqlSession& session) {
    session.run("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
    std::int64_t version = 0;
    session.each("SELECT version FROM schema_version", {}, [&](const SqlRow& row) { version = row.integer(0); });
    return version;
}

void set_version(SqlSession& session, std::int64_t version) {
    session.run("DELETE FROM schema_version");
    session.run("INSERT INTO schema_version (version) VALUES (?)", {version});
}

}  // namespace

std::vector<std::string> ddl_of(const Table& table) {
    std::string columns;
    for (const Column& column : table.columns) columns += (columns.empty() ? "" : ", ") + declaration_of(column);
    std::vector<std::string> statements = {"CREATE TABLE IF NOT EXISTS " + identifier(table.name) + " (" + columns + ")"};
    for (const Index& index : table.indices) statements.push_back(index_of(table, index));
    return statements;
}

std::int64_t find_version(Database& database) {
    std::int64_t version = 0;
    database.write(Durability::lazy, [&](SqlSession& session) { version = version_of(session); });
    return version;
}

const std::vector<MigrationStep>& migration_steps() {
    static const std::vector<MigrationStep> steps = {};
    return steps;
}

void migrate(Database& database, const std::vector<MigrationStep>& steps, std::int64_t version) {
    std::int64_t found = 0;
    database.write(Durability::flushed, [&](SqlSession& session) {
        found = version_of(session);
        if (found > version)
            throw Error(Code::no_capability,
                        "the store was written by a newer hvagent: its schema is version " + std::to_string(found) +
                            ", this one knows versions up to " + std::to_string(version) +
                            "; install the newer hvagent again, or put back the store that it saved before its upgrade "
                            "(hvagent.db.schema-*, beside it)");
        if (found != 0) return;
        complete(session);
        set_version(session, version);
    });
    if (found == 0 || found == version) return;
    for (const MigrationStep& step : steps) {
        if (step.to <= found || step.to > version) continue;
        database.write(Durability::flushed, [&](SqlSession& session) {
            complete(session);
            for (const std::string& statement : step.statements) session.run(statement);
            set_version(session, step.to);
        });
    }
    database.write(Durability::flushed, [&](SqlSession& session) {
        complete(session);
        set_version(session, version);
    });
    log::info("store upgraded", {{"from", found}, {"to", version}});
}

}  // namespace hvagent::inventory
