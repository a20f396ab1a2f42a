// A resource as clients see it: a view over a table, with constants of the contract, nested resources and joins. Read by the
// view writer, the query language, and everybody who needs the shapes.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "agent/api/resource_shape.h"
#include "agent/inventory/record.h"

namespace hvagent::inventory {

struct Field {
    std::string name;
    api::FieldType type = api::FieldType::text;
    std::vector<std::string> values;
    bool identity = false;
    bool always = false;
    std::string doc;
    std::string constant;  // SQL literal; empty: a column
    std::string column;

    std::string sql(const std::string& alias) const;
    // True for texts people write: they compare without regard to case.
    bool is_free_text() const { return type == api::FieldType::text && !identity; }
    // sql(), so that comparing and sorting forgive case where they should.
    std::string folded_sql(const std::string& alias) const { return sql(alias) + (is_free_text() ? " COLLATE NOCASE" : ""); }
};

// Rows of another resource that belong to a row of this one: there.`other` = here.`own`, or through a table between.
struct Link {
    std::string name;       // "vmNics"
    std::string resource;   // "VmNic"
    std::string own;        // column here
    std::string other;      // column there
    std::string via;        // the table between; empty: none
    std::string via_own;    // its column that equals `own`
    std::string via_other;  // its column that equals `other`
    std::string via_kind;   // of an attachment: its `kind`

    // "(SELECT ... )" of the values of `own` whose linked rows fulfil `condition` over `alias`.
    std::string owners(const std::string& alias, const std::string& condition) const;
};

struct Nested {
    Link link;
    std::string order_by;  // column of the nested resource
};

// A member that is a list of texts.
struct TextList {
    enum class Source { attachments, comma_column, system_tags, none };
    std::string name;
    Source source = Source::none;
    std::string kind;    // of the attachments
    std::string column;  // the comma list

    // "SELECT owner, item FROM ... WHERE ... AND ": to be followed by a condition for owner_column().
    std::string items_of(const std::string& table) const;
    std::string owner_column() const;
    // A subquery with the items of the row `alias` in its column `item`.
    std::string items_in(const std::string& alias) const;
    bool queryable() const { return source == Source::attachments || source == Source::comma_column; }
};

struct Resource {
    std::string name;           // "VmInstance"
    std::string table;          // "vm"
    std::string filter_column;  // only rows whose column has this value
    std::string filter_value;
    std::string wire_class;
    std::vector<std::pair<std::string, std::string>> class_by_type;  // wire class of rows with this `type`
    std::string tag_type;                                            // "VmInstanceVO"; empty: cannot be tagged
    std::vector<Field> fields;
    std::vector<Nested> nested;
    std::vector<TextList> lists;
    std::vector<Link> expands;

    const Field* find_field(std::string_view field) const;
    const TextList* find_list(std::string_view list) const;
    // A nested resource or an expand.
    const Link* find_link(std::string_view link) const;
    // "column = 'value'" over `alias`, or "1".
    std::string filter(const std::string& alias) const;
    api::ResourceShape shape() const;
};

const std::vector<Resource>& all_resources();
const Resource* find_resource(std::string_view name);
// Error(internal) when there is none: the caller's table of operations is wrong.
const Resource& get_resource(std::string_view name);

// An SQL identifier or literal out of our own tables (never of a client's text).
std::string identifier(std::string_view name);
std::string literal(std::string_view text);

}  // namespace hvagent::inventory
