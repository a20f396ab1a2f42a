#include "agent/inventory/resource.h"

#include "hvagent/error.h"

namespace hvagent::inventory {

std::string identifier(std::string_view name) {
    return "\"" + std::string(name) + "\"";
}

std::string literal(std::string_view text) {
    return "'" + std::string(text) + "'";
}

std::string Field::sql(const std::string& alias) const {
    return constant.empty() ? alias + "." + identifier(column) : constant;
}

std::string Link::owners(const std::string& alias, const std::string& condition) const {
    const Resource& there = get_resource(resource);
    const std::string rows =
        " FROM " + identifier(there.table) + " " + alias + " WHERE " + there.filter(alias) + " AND " + condition;
    if (via.empty()) return "(SELECT " + alias + "." + identifier(other) + rows + ")";
    const std::string between = alias + "v";
    std::string sql =
        "(SELECT " + between + "." + identifier(via_own) + " FROM " + identifier(via) + " " + between + " WHERE ";
    if (!via_kind.empty()) sql += between + ".\"kind\" = " + literal(via_kind) + " AND ";
    return sql + between + "." + identifier(via_other) + " IN (SELECT " + alias + "." + identifier(other) + rows + "))";
}

std::string TextList::items_of(const std::string& table) const {
    switch (source) {
        case Source::attachments:
            return "SELECT \"from\", \"to\" FROM \"attachment\" WHERE \"kind\" = " + literal(kind) + " AND ";
        case Source::comma_column:
            return "SELECT \"uuid\", " + identifier(column) + " FROM " + identifier(table) + " WHERE " + identifier(column) +
                   " IS NOT NULL AND ";
        case Source::system_tags: return "SELECT \"resourceUuid\", \"tag\" FROM \"tag\" WHERE \"type\" = 'System' AND ";
        case Source::none: break;
    }
    return "";
}

std::string TextList::owner_column() const {
    switch (source) {
        case Source::attachments: return "\"from\"";
        case Source::system_tags: return "\"resourceUuid\"";
        default: return "\"uuid\"";
    }
}

std::string TextList::items_in(const std::string& alias) const {
    if (source == Source::attachments)
        return "(SELECT \"to\" AS item FROM \"attachment\" WHERE \"kind\" = " + literal(kind) + " AND \"from\" = " + alias +
               ".\"uuid\")";
    return "(WITH RECURSIVE part(item, rest) AS (SELECT NULL, " + alias + "." + identifier(column) +
           " || ',' UNION ALL SELECT substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1)"
           " FROM part WHERE rest <> '') SELECT item FROM part WHERE item <> '')";
}

const Field* Resource::find_field(std::string_view field) const {
    for (const Field& one : fields)
        if (one.name == field) return &one;
    return nullptr;
}

const TextList* Resource::find_list(std::string_view list) const {
    for (const TextList& one : lists)
        if (one.name == list) return &one;
    return nullptr;
}

const Link* Resource::find_link(std::string_view link) const {
    for (const Nested& one : nested)
        if (one.link.name == link) return &one.link;
    for (const Link& one : expands)
        if (one.name == link) return &one;
    return nullptr;
}

std::string Resource::filter(const std::string& alias) const {
    if (filter_column.empty()) return "1";
    return alias + "." + identifier(filter_column) + " = " + literal(filter_value);
}

api::ResourceShape Resource::shape() const {
    api::ResourceShape shape;
    shape.resource = name;
    shape.wire_class = wire_class;
    shape.class_by_type = class_by_type;
    shape.tag_type = tag_type;
    for (const Field& field : fields)
        shape.fields.push_back({field.name, field.type, field.values, true, field.always, field.doc});
    for (const TextList& list : lists)
        shape.fields.push_back({list.name, api::FieldType::text_list, {}, list.queryable(), true, ""});
    for (const Nested& one : nested) shape.nested.push_back({one.link.name, one.link.resource, true});
    for (const Link& link : expands) shape.expands.push_back({link.name, link.resource});
    return shape;
}

const Resource* find_resource(std::string_view name) {
    for (const Resource& resource : all_resources())
        if (resource.name == name) return &resource;
    return nullptr;
}

const Resource& get_resource(std::string_view name) {
    if (const Resource* found = find_resource(name)) return *found;
    throw Error(Code::internal, "the inventory has no resource \"" + std::string(name) + "\"");
}

}  // namespace hvagent::inventory
