// Rows as the JSON texts of their wire views. Text is written directly: for thousands of rows a tree of JSON values would
// cost several times the query itself. Nested resources take one statement per kind for all rows of the result.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/inventory/resource.h"
#include "agent/inventory/wire_date.h"
#include "hvagent/drivers/database.h"

namespace hvagent::inventory {

// The rows of a resource's table, as alias t0, that are wanted.
struct RowSet {
    std::string where = "1";
    SqlValues values;  // of the `?` in `where`
    std::string order_by = "t0.rowid";
    std::int64_t limit = -1;  // -1: all
    std::int64_t start = 0;
};

// Fields, lists and nested resources of the answer; empty: all.
using WantedNames = std::set<std::string, std::less<>>;

// A wire class at a path below a row: ".vmNics[0]"; "" is the row itself.
struct ClassAt {
    std::string path;
    std::string_view wire_class;
};

struct ViewRow {
    std::string parent;  // key of the row it is nested in
    std::string uuid;
    std::string text;              // "{...}"
    std::vector<ClassAt> classes;  // parents before children
};

class ViewReader {
public:
    // `with_classes`: fill in ViewRow::classes, which only the `schema` of an answer needs.
    ViewReader(SqlSession& session, bool with_classes) : session_(session), with_classes_(with_classes) {}

    std::vector<ViewRow> read(const Resource& resource, const RowSet& rows, const WantedNames& wanted = {});

private:
    std::vector<ViewRow> read_own_fields(const Resource& resource, const RowSet& rows, const WantedNames& wanted,
                                         const std::string& parent_column);
    std::vector<ViewRow> read_level(const Resource& resource, const RowSet& rows, const WantedNames& wanted,
                                    const std::string& parent_column);
    void append_nested(const Nested& nested, const std::string& uuids, const RowSet& parents, std::vector<ViewRow>& rows);
    void append_list(const Resource& resource, const TextList& list, const std::string& uuids, const RowSet& parents,
                     std::vector<ViewRow>& rows);
    void append_field(std::string& text, const Field& field, const SqlRow& row, int column);

    SqlSession& session_;
    bool with_classes_;
    WireDate dates_;
};

}  // namespace hvagent::inventory
