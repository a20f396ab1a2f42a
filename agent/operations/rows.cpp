#include "agent/operations/rows.h"

#include "agent/api/query_request.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

auto run_query(Services& services, std::function<void()> refresh) {
    return [&services, refresh = std::move(refresh)](const std::string& resource, const api::QueryRequest& request) {
        if (refresh) refresh();
        return services.inventory.query(resource, request);
    };
}

}  // namespace

api::Row query_row(Services& services, std::string name, std::string resource, std::string path, std::string summary,
                   std::function<void()> refresh) {
    return api::query_operation(std::move(name), std::move(resource), std::move(path), std::move(summary),
                                run_query(services, std::move(refresh)));
}

api::Row query_list_row(Services& services, std::string name, std::string resource, std::string path, std::string summary,
                        std::function<void()> refresh) {
    return api::query_operation(std::move(name), std::move(resource), std::move(path), std::move(summary),
                                run_query(services, std::move(refresh)), false);
}

void check_no_system_tags(const api::Tags& tags, std::string_view resource) {
    if (!tags.system.empty())
        throw Error(Code::invalid_argument,
                    "no system tag of a " + std::string(resource) + " matches '" + tags.system.front() + "'");
}

void add_tags(Services& services, std::string_view resource, const std::string& uuid, const api::Tags& tags) {
    for (const std::string& tag : tags.system) services.inventory.add_tag(resource, uuid, tag, "System");
    for (const std::string& tag : tags.user) services.inventory.add_tag(resource, uuid, tag, "User");
}

}  // namespace hvagent::operations
