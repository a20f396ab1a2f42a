// Rows of a resource with all that is nested in them, read with one statement per kind of nested thing, and written out as
// JSON text. Text is written directly: for thousands of rows a tree of JSON values would cost several times the query.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
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

// Owns the bytes it hands out; not copied, since the maps point into the rows.
class ViewTree {
public:
    ViewTree(SqlSession& session, const Resource& resource, const RowSet& rows, const WantedNames& wanted = {});
    ViewTree(const ViewTree&) = delete;
    ViewTree& operator=(const ViewTree&) = delete;
    ViewTree(ViewTree&&) = default;

    std::size_t size() const { return rows_.size(); }
    // About how many bytes the texts of all rows take.
    std::size_t text_bytes() const;
    // "{...}" of the row at `index`.
    void append_view(std::string& out, std::size_t index) const;
    // ,"<path>":"<class>" for the row at `index`, which is at `path` in the answer, and for what is nested in it.
    void append_classes(std::string& out, std::string& path, std::size_t index) const;

private:
    struct Row {
        std::string uuid;
        std::string parent;      // uuid of the row it is nested in
        std::int64_t order = 0;  // among its siblings
        std::size_t begin = 0;   // of its own fields in texts_
        std::size_t end = 0;
        std::string_view wire_class;
    };
    struct Children;
    struct Items {
        const TextList* list = nullptr;
        std::unordered_map<std::string, std::string> by_row;  // "a","b"
    };

    ViewTree(SqlSession& session, const Resource& resource, const RowSet& rows, const WantedNames& wanted,
             const Nested* nested_as);
    void read_rows(SqlSession& session, const RowSet& rows, const WantedNames& wanted, const Nested* nested_as);
    void read_items(SqlSession& session, const TextList& list, const RowSet& rows);
    void read_children(SqlSession& session, const Nested& nested, const RowSet& rows);
    void append_field(const Field& field, const SqlRow& row, int column);

    const Resource& resource_;
    std::vector<Row> rows_;
    std::string texts_;  // own fields of all rows: "name":"web-1",...
    std::vector<Items> items_;
    std::vector<Children> children_;
    WireDate dates_;
};

struct ViewTree::Children {
    const Nested* nested = nullptr;
    ViewTree tree;
    std::unordered_map<std::string_view, std::vector<std::size_t>> by_parent;  // indices into tree's rows, in their order
};

}  // namespace hvagent::inventory
