#include "agent/operations/system/api.h"

#include "agent/api/operation.h"
#include "agent/api/query_request.h"
#include "agent/inventory/list_query.h"
#include "agent/operations/system/global_config.h"
#include "hvagent/error.h"

#ifndef HVAGENT_VERSION
#error "the build gives the version"
#endif

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::Row;
using nlohmann::json;

constexpr const char* node_actions = "/management-nodes/actions";

struct AskAgent {
    std::string node;
};

const api::ResourceShape& management_node_shape() {
    using api::FieldType;
    static const api::ResourceShape shape{"ManagementNode",
                                          "org.zstack.header.managementnode.ManagementNodeInventory",
                                          "",
                                          {{"uuid", FieldType::text, {}, true, true, "of the host: agent and host are one"},
                                           {"hostName", FieldType::text, {}, true, true, "management address"},
                                           {"joinDate", FieldType::time, {}, true, true, "first start of the agent"},
                                           {"heartBeat", FieldType::time, {}, true, true, "now"}},
                                          {},
                                          {},
                                          {}};
    return shape;
}

json query_node(Services& services, const api::QueryRequest& request) {
    const Host host = services.inventory.get<Host>(services.host);
    const json record{{"uuid", host.uuid.str()},
                      {"hostName", host.management_ip},
                      {"joinDate", to_unix_ms(host.created)},
                      {"heartBeat", to_unix_ms(services.clock.now())}};
    return inventory::query_list(management_node_shape(), {record}, request);
}

json get_version(Services&, const api::Call&, const AskAgent&) {
    return {{"version", HVAGENT_VERSION}};
}

json get_current_time(Services& services, const api::Call&, const AskAgent&) {
    const std::int64_t now_ms = to_unix_ms(services.clock.now());
    return {{"currentTime", {{"MillionSeconds", now_ms}, {"Seconds", now_ms / 1000}}}};
}

// Who gets an answer at all finds the agent ready: the API opens after everything else.
json is_ready_to_go(Services& services, const api::Call&, const AskAgent& params) {
    if (!params.node.empty() && params.node != services.host.str())
        throw Error(Code::management_unavailable,
                    "the management node " + params.node + " is not this one, " + services.host.str());
    return json::object();
}

Row version_row(Services& services) {
    return Operation<AskAgent>{"GetVersion", Method::put, node_actions, "The version of the agent"}
        .action("getVersion")
        .returns_value("version", {{"type", "string"}})
        .needs_no_session()
        .answers(with(services, get_version));
}

Row time_row(Services& services) {
    return Operation<AskAgent>{"GetCurrentTime", Method::put, node_actions, "The agent's clock, since 1970 UTC"}
        .action("getCurrentTime")
        .returns_value("currentTime", {{"type", "object"},
                                       {"properties",
                                        {{"MillionSeconds", {{"type", "integer"}, {"description", "milliseconds"}}},
                                         {"Seconds", {{"type", "integer"}}}}}})
        .needs_no_session()
        .answers(with(services, get_current_time));
}

Row ready_row(Services& services) {
    return Operation<AskAgent>{"IsReadyToGo", Method::get, "/management-nodes/ready", "Whether the agent takes work"}
        .optional(In::query, "managementNodeId", &AskAgent::node, "must be this agent's, the uuid of its host")
        .needs_no_session()
        .answers(with(services, is_ready_to_go));
}

}  // namespace

api::Table system_api(Services& services) {
    const auto nodes = [&services](const std::string&, const api::QueryRequest& request) {
        return query_node(services, request);
    };
    const auto configs = [&services](const std::string&, const api::QueryRequest& request) {
        return inventory::query_list(global_config_shape(), global_configs(services.settings), request);
    };
    return {
        version_row(services),
        time_row(services),
        ready_row(services),
        api::query_operation("QueryManagementNode", "ManagementNode", "/management-nodes", "The agent itself", nodes),
        api::query_operation("QueryGlobalConfig", "GlobalConfig", "/global-configurations",
                             "Settings under their names in the contract; they change in the configuration file only",
                             configs, false),
    };
}

std::vector<api::ResourceShape> system_shapes() {
    return {management_node_shape(), global_config_shape()};
}

}  // namespace hvagent::operations
