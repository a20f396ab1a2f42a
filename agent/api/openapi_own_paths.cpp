// The agent's own API below /hvagent/v1 in the OpenAPI document: what is no operation of the contract.
#include <algorithm>

#include "agent/api/openapi_parts.h"

namespace hvagent::api::openapi {
namespace {

const json text = {{"type", "string"}};
const json boolean = {{"type", "boolean"}};
const json number = {{"type", "number"}};
const json count = {{"type", "integer"}, {"minimum", 0}};
const json uuid = {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}};
const json unix_ms = {{"type", "integer"}, {"description", "milliseconds since 1970"}};

json one_of(json values) {
    return {{"enum", std::move(values)}};
}

json list_of(json items) {
    return {{"type", "array"}, {"items", std::move(items)}};
}

// `optional` names members that may be missing.
json object(json members, const std::vector<std::string>& optional = {}) {
    json required = json::array();
    for (const auto& [name, schema] : members.items())
        if (std::find(optional.begin(), optional.end(), name) == optional.end()) required.push_back(name);
    return {{"type", "object"},
            {"additionalProperties", false},
            {"properties", std::move(members)},
            {"required", std::move(required)}};
}

json operation(const char* id, const char* summary, json answer) {
    return {{"operationId", id},
            {"summary", summary},
            {"tags", {"agent"}},
            {"responses",
             {{"200", {{"description", "the answer"}, {"content", json_content(std::move(answer))}}},
              {"default", reference("responses", "Error")}}}};
}

json with_body(json one, json schema, bool is_required = true) {
    one["requestBody"] = {{"required", is_required}, {"content", json_content(std::move(schema))}};
    return one;
}

json at_own_server(json path) {
    path["servers"] = json::array({{{"url", "/hvagent/v1"}}});
    return path;
}

json uuid_in_path(const char* what) {
    return json::array({{{"name", "uuid"},
                         {"in", "path"},
                         {"required", true},
                         {"description", what},
                         {"schema", {{"type", "string"}, {"pattern", "^[0-9a-fA-F]{32}$"}}}}});
}

json controllers() {
    const json shown = object({{"uuid", uuid},
                               {"url", text},
                               {"dialect", one_of({"hvagent", "zstack"})},
                               {"jobResults", boolean},
                               {"hasToken", boolean},
                               {"isConfigured", boolean},
                               {"confirmedSequence", count},
                               {"failuresInARow", count},
                               {"lastError", text},
                               {"clockAheadMs", {{"type", "integer"}}},
                               {"lastSuccess", text}},
                              {"confirmedSequence", "failuresInARow", "lastError", "clockAheadMs", "lastSuccess"});
    const json asked =
        object({{"url", text}, {"token", text}, {"dialect", one_of({"hvagent", "zstack"})}, {"jobResults", boolean}},
               {"token", "dialect", "jobResults"});
    return {
        {"get", operation("ListControllers", "Who gets reports", object({{"inventories", list_of(shown)}}))},
        {"post", with_body(operation("AddController", "Send reports to a URL", object({{"inventory", shown}})), asked)},
        {"delete", with_body(operation("RemoveControllerByUrl", "Send no reports to a URL any more", object(json::object())),
                             object({{"url", text}}))}};
}

json controller() {
    json remove = operation("RemoveController", "Send no reports to a controller any more", object(json::object()));
    remove["parameters"] = uuid_in_path("the controller");
    return {{"delete", std::move(remove)}};
}

json facts() {
    const json memory = object({{"total", count}, {"available", count}, {"used", count}});
    const json cpu = object({{"cpus", count},
                             {"sockets", count},
                             {"coresPerSocket", count},
                             {"threadsPerCore", count},
                             {"model", text},
                             {"flags", list_of(text)},
                             {"architecture", text}});
    const json shares = object({{"last10s", number}, {"last60s", number}, {"last300s", number}});
    const json pressure = {{"type", "object"},
                           {"description", "share of time lost, in percent, by resource"},
                           {"additionalProperties", object({{"some", shares}, {"full", shares}}, {"full"})}};
    const json storage = object({{"name", text},
                                 {"url", text},
                                 {"works", boolean},
                                 {"nearlyFull", boolean},
                                 {"size", count},
                                 {"available", count},
                                 {"trouble", text},
                                 {"reason", text}},
                                {"size", "available", "trouble", "reason"});
    const json network = object({{"name", text}, {"uuid", uuid}, {"type", text}, {"interface", text}, {"present", boolean}},
                                {"interface", "present"});
    const json capacity = object(
        {{"cpus", object({{"promised", count}, {"limit", count}, {"ratio", number}})},
         {"memory",
          object({{"promised", count}, {"overhead", count}, {"limit", count}, {"reserved", count}, {"ratio", number}})}});
    const json answer =
        object({{"uuid", uuid},
                {"name", text},
                {"observedAt", unix_ms},
                {"memory", memory},
                {"hugePages", list_of(object({{"size", count}, {"total", count}, {"free", count}}))},
                {"pressure", pressure},
                {"storages", list_of(storage)},
                {"libvirt", one_of({"Connected", "Disconnected"})},
                {"libvirtFailure", text},
                {"cpu", cpu},
                {"numa", list_of(object({{"id", {{"type", "integer"}}}, {"memory", count}, {"cpus", list_of(count)}}))},
                {"kvm", object({{"works", boolean}, {"virtType", text}, {"reason", text}}, {"reason"})},
                {"iommu", object({{"enabled", boolean}, {"groups", count}})},
                {"versions", object({{"hvagent", text}, {"libvirt", text}, {"qemu", text}, {"kernel", text}, {"os", text}})},
                {"capacity", capacity},
                {"networks", list_of(network)}},
               {"libvirtFailure", "cpu", "numa", "kvm", "iommu", "versions", "capacity", "networks"});
    return {{"get", operation("GetFacts", "What this host is and has; what libvirt alone knows is absent while it is silent",
                              answer)}};
}

json fit() {
    const json positive = {{"type", "integer"}, {"minimum", 1}};
    json wished = object({{"cpuNum", positive}, {"memorySize", positive}, {"vmInstanceUuid", uuid}}, {"vmInstanceUuid"});
    wished["description"] = "vmInstanceUuid: of a VM that exists, whose own share is not counted twice";
    const json answer = object({{"fits", boolean}, {"reasons", list_of(text)}, {"overhead", count}});
    return {{"post", with_body(operation("DoesItFit", "Whether a VM would fit, by the rules of a start; nothing is promised",
                                         answer),
                               wished)}};
}

json doctor() {
    const json finding = object(
        {{"severity", one_of({"error", "warning", "note"})}, {"kind", text}, {"details", text}, {"path", text}}, {"path"});
    return {{"get", operation("GetFindings", "What is wrong with this host", object({{"findings", list_of(finding)}}))}};
}

json guest() {
    const json address = object({{"address", text},
                                 {"prefix", {{"type", "integer"}}},
                                 {"source", one_of({"assigned", "dhcp", "guestAgent"})},
                                 {"mac", text},
                                 {"interface", text}},
                                {"prefix", "mac", "interface"});
    const json answer = object({{"uuid", uuid},
                                {"state", text},
                                {"guestAgent", one_of({"Connected", "Disconnected", "Unknown"})},
                                {"observedAt", unix_ms},
                                {"addresses", list_of(address)},
                                {"hostname", text},
                                {"failure", text}},
                               {"hostname", "failure"});
    json get = operation("GetGuest", "The guest agent's state and the guest's addresses, looked at now", answer);
    get["parameters"] = uuid_in_path("the VM");
    return {{"get", std::move(get)}};
}

json figures() {
    const json vm = object({{"uuid", uuid},
                            {"name", text},
                            {"state", text},
                            {"vcpus", count},
                            {"memory", count},
                            {"qemuResponds", boolean},
                            {"cpuNanoseconds", count},
                            {"residentMemory", count},
                            {"diskReadBytes", count},
                            {"diskWrittenBytes", count},
                            {"nicReceivedBytes", count},
                            {"nicTransmittedBytes", count}},
                           {"cpuNanoseconds", "residentMemory"});
    return {
        {"get", operation("GetFigures", "What running VMs use, as counters",
                          object({{"collectedAt", unix_ms}, {"ageMs", count}, {"failed", boolean}, {"vms", list_of(vm)}}))}};
}

json events() {
    json get = operation("WatchEvents", "Reports as server-sent events: a snapshot, then each change", json::object());
    get["responses"]["200"] = {
        {"description", "a stream; the event is the kind of a report, the data the report without hostUuid and sentAt"},
        {"content", {{"text/event-stream", {{"schema", text}}}}}};
    get["parameters"] = json::array({{{"name", "Last-Event-ID"},
                                      {"in", "header"},
                                      {"description", "goes on after this event, as far as it is kept"},
                                      {"schema", text}}});
    return {{"get", std::move(get)}};
}

}  // namespace

json own_paths() {
    return {{"/controllers", at_own_server(controllers())},
            {"/controllers/{uuid}", at_own_server(controller())},
            {"/facts", at_own_server(facts())},
            {"/fit", at_own_server(fit())},
            {"/doctor", at_own_server(doctor())},
            {"/vms/{uuid}/guest", at_own_server(guest())},
            {"/figures", at_own_server(figures())},
            {"/events", at_own_server(events())}};
}

}  // namespace hvagent::api::openapi
