#include "agent/operations/tag/handlers.h"
#include "agent/operations/tag/system_tags.h"
#include "agent/operations/vm/parts.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

std::string check_tagged(Services& services, const CreateTag& params) {
    const std::string resource = resource_of_tag_type(params.resource_type);
    if (!services.inventory.exists(resource, params.resource_uuid))
        throw Error(Code::not_found,
                    "parameter 'resourceUuid': there is no " + resource + " with uuid \"" + params.resource_uuid + "\"");
    return resource;
}

json answer(Services& services, const char* view, const TagId& tag) {
    return services.inventory.answer(view, tag.str());
}

// The system tag that stands where `text` would: a resource has one hostname, one HA level...
std::optional<Tag> find_rival(Services& services, const std::string& resource_uuid, const std::string& text) {
    for (const Tag& tag : services.inventory.tags_of(resource_uuid, "System"))
        if (tag_key(tag.tag) == tag_key(text)) return tag;
    return std::nullopt;
}

std::optional<Tag> find_same(Services& services, const CreateTag& params, const std::string& type) {
    for (const Tag& tag : services.inventory.tags_of(params.resource_uuid, type))
        if (tag.tag == params.tag) return tag;
    return std::nullopt;
}

// Setting the tag is one more way to say what SetVmInstanceHaLevel says.
void heed_tag(Services& services, const std::string& resource, const std::string& uuid, const std::string& tag) {
    if (resource == "VmInstance" && tag_key(tag) == "ha") heed_ha_level(services, VmId(uuid), tag.substr(4));
}

void tell_ha(Services& services, const std::string& resource, const std::string& uuid, const std::string& tag) {
    if (resource == "VmInstance" && tag_key(tag) == "ha") services.consider_ha(VmId(uuid));
}

void put_text(Services& services, const TagId& tag, const std::string& text) {
    services.inventory.modify<Tag>(tag, [&](Tag& record) { record.tag = text; });
}

}  // namespace

json create_system_tag(Services& services, Job& job, const CreateTag& params) {
    const std::string resource = check_tagged(services, params);
    check_system_tag(services, resource, params.tag);
    if (job.resumed())
        if (const auto done = find_same(services, params, "System")) return answer(services, "SystemTag", done->uuid);
    TagId made;
    services.inventory.transaction([&] {
        const auto rival = find_rival(services, params.resource_uuid, params.tag);
        const bool replaces = rival && resource == "VmInstance" && tag_key(params.tag) == "ha";
        if (rival && !replaces)
            throw Error(Code::duplicate_tag, "the " + resource + " " + params.resource_uuid + " has the system tag " +
                                                 rival->tag + " already; use UpdateSystemTag");
        if (replaces) put_text(services, rival->uuid, params.tag);
        made =
            replaces ? rival->uuid : services.inventory.add_tag(resource, params.resource_uuid, params.tag, "System").uuid;
        heed_tag(services, resource, params.resource_uuid, params.tag);
    });
    tell_ha(services, resource, params.resource_uuid, params.tag);
    return answer(services, "SystemTag", made);
}

json create_user_tag(Services& services, Job& job, const CreateTag& params) {
    const std::string resource = check_tagged(services, params);
    if (job.resumed())
        if (const auto done = find_same(services, params, "User")) return answer(services, "UserTag", done->uuid);
    return answer(services, "UserTag", services.inventory.add_tag(resource, params.resource_uuid, params.tag, "User").uuid);
}

json update_system_tag(Services& services, Job&, const UpdateTag& params) {
    const Tag tag = services.inventory.get<Tag>(params.tag);
    if (tag.type != "System") throw Error(Code::invalid_argument, "parameter 'uuid': the tag " + tag.tag + " is a user tag");
    const std::string resource = resource_of_tag_type(tag.resource_type);
    if (tag_key(tag.tag) != tag_key(params.text))
        throw Error(Code::invalid_argument,
                    "parameter 'tag': " + params.text + " is another tag than " + tag.tag + "; only its value can change");
    check_system_tag(services, resource, params.text);
    services.inventory.transaction([&] {
        put_text(services, params.tag, params.text);
        heed_tag(services, resource, tag.resource_uuid, params.text);
    });
    tell_ha(services, resource, tag.resource_uuid, params.text);
    return answer(services, "SystemTag", params.tag);
}

json delete_tag(Services& services, Job&, const DeleteTag& params) {
    if (services.inventory.get<Tag>(params.tag).inherent)
        throw Error(Code::operation_failed, "the tag " + params.tag.str() + " belongs to its resource for good");
    services.inventory.remove<Tag>(params.tag);
    return json::object();
}

}  // namespace hvagent::operations
