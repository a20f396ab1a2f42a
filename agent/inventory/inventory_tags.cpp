// Tags: short texts on resources, system ones with a meaning for the agent.
#include "agent/inventory/inventory.h"
#include "agent/inventory/resource.h"
#include "hvagent/error.h"

namespace hvagent::inventory {
namespace {

// "name" alone or "name::...".
constexpr const char* is_named = "(\"tag\" = ? OR substr(\"tag\", 1, length(?)) = ?)";

SqlValues values_of(const std::string& uuid, std::string_view name) {
    const std::string prefix = std::string(name) + "::";
    return {uuid, std::string(name), prefix, prefix};
}

}  // namespace

Tag Inventory::add_tag(std::string_view resource, const std::string& uuid, const std::string& tag, const std::string& type) {
    const Resource& tagged = get_resource(resource);
    if (tagged.tag_type.empty()) throw Error(Code::invalid_argument, "a " + tagged.name + " cannot carry tags");
    if (type != "System" && type != "User")
        throw Error(Code::invalid_argument, "a tag is of type System or User, not \"" + type + "\"");
    if (tag.empty()) throw Error(Code::invalid_argument, "an empty tag for the " + tagged.name + " " + uuid);
    Tag record;
    record.uuid = TagId::make();
    record.resource_uuid = uuid;
    record.resource_type = tagged.tag_type;
    record.tag = tag;
    record.type = type;
    record.created = record.last_op = clock_.now();
    transaction([&] {
        if (count<Tag>({{"resourceUuid", uuid}, {"type", type}, {"tag", tag}}) > 0)
            throw Error(Code::duplicate_tag, "the " + tagged.name + " " + uuid + " has the tag \"" + tag + "\" already");
        insert(record);
    });
    return record;
}

std::vector<Tag> Inventory::tags_of(const std::string& uuid, const std::string& type) const {
    return list<Tag>({{"resourceUuid", uuid}, {"type", type}});
}

std::optional<std::string> Inventory::system_tag(const std::string& uuid, std::string_view name) const {
    std::optional<std::string> value;
    database_.read([&](SqlSession& session) {
        session.each(std::string("SELECT \"tag\" FROM \"tag\" WHERE \"resourceUuid\" = ? AND \"type\" = 'System' AND ") +
                         is_named + " ORDER BY rowid LIMIT 1",
                     values_of(uuid, name), [&](const SqlRow& row) {
                         const std::string tag = row.text(0);
                         value = tag.size() > name.size() ? tag.substr(name.size() + 2) : "";
                     });
    });
    return value;
}

void Inventory::remove_system_tags(const std::string& uuid, std::string_view name) {
    write(Durability::flushed, [&](SqlSession& session) {
        session.run(std::string("DELETE FROM \"tag\" WHERE \"resourceUuid\" = ? AND \"type\" = 'System' AND ") + is_named,
                    values_of(uuid, name));
    });
}

}  // namespace hvagent::inventory
