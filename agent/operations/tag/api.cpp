#include "agent/operations/tag/api.h"

#include "agent/operations/rows.h"
#include "agent/operations/tag/handlers.h"
#include "agent/operations/tag/system_tags.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::Row;

using Queues = std::vector<std::string>;

// A tag changes the resource it is on, so it waits for the resource's other jobs.
Queues queue_of_tagged(const std::string& tag_type, const std::string& uuid) {
    for (const api::ResourceShape& shape : inventory::Inventory::shapes())
        if (!shape.tag_type.empty() && shape.tag_type == tag_type) return {api::queue_name(shape.resource, uuid)};
    return {};
}

Queues queue_of_tag(Services& services, const TagId& id) {
    const auto tag = services.inventory.find<Tag>(id);
    return tag ? queue_of_tagged(tag->resource_type, tag->resource_uuid) : Queues{api::queue_name("Tag", id.str())};
}

Operation<CreateTag> create_operation(const char* name, const char* path, const char* summary) {
    using P = CreateTag;
    return Operation<P>{name, Method::post, path, summary}
        .required(In::body, "resourceType", &P::resource_type, "VmInstanceVO, VolumeVO, ImageVO, HostVO...")
        .required(In::body, "resourceUuid", &P::resource_uuid, "what to tag")
        .required(In::body, "tag", &P::tag, "the text")
        .max_length(2048);
}

Row create_system_row(Services& services) {
    return create_operation("CreateSystemTag", "/system-tags",
                            "Set a tag that means something to the agent; VMs heed most at their next start")
        .returns("inventory", "SystemTag")
        .runs_as_job([](const CreateTag& params) { return queue_of_tagged(params.resource_type, params.resource_uuid); },
                     with(services, create_system_tag));
}

Row create_user_row(Services& services) {
    return create_operation("CreateUserTag", "/user-tags", "Set a tag that means something to people")
        .returns("inventory", "UserTag")
        .runs_as_job([](const CreateTag& params) { return queue_of_tagged(params.resource_type, params.resource_uuid); },
                     with(services, create_user_tag));
}

Row update_row(Services& services) {
    using P = UpdateTag;
    return Operation<P>{"UpdateSystemTag", Method::put, "/system-tags/{uuid}/actions", "Change the value of a system tag"}
        .action("updateSystemTag")
        .required(In::url, "uuid", &P::tag, "the tag")
        .required(In::body, "tag", &P::text, "its new text, with the same name")
        .max_length(2048)
        .returns("inventory", "SystemTag")
        .runs_as_job([&services](const P& params) { return queue_of_tag(services, params.tag); },
                     with(services, update_system_tag));
}

Row delete_row(Services& services) {
    using P = DeleteTag;
    return Operation<P>{"DeleteTag", Method::del, "/tags/{uuid}", "Delete a system or user tag"}
        .required(In::url, "uuid", &P::tag, "the tag; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job([&services](const P& params) { return queue_of_tag(services, params.tag); },
                     with(services, delete_tag));
}

}  // namespace

api::Table tag_api(Services& services) {
    return {
        create_system_row(services),
        create_user_row(services),
        update_row(services),
        delete_row(services),
        query_row(services, "QuerySystemTag", "SystemTag", "/system-tags", "List system tags"),
        query_row(services, "QueryUserTag", "UserTag", "/user-tags", "List user tags"),
    };
}

}  // namespace hvagent::operations
