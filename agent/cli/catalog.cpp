#include "agent/cli/catalog.h"

#include <strings.h>

namespace hvagent::cli {

std::vector<std::string> CliParam::enum_values() const {
    const json& owner = schema.contains("items") ? schema["items"] : schema;
    if (owner.contains("enum")) return owner["enum"].get<std::vector<std::string>>();
    if (owner.value("type", "") == "boolean") return {"true", "false"};
    return {};
}

const CliParam* CliOperation::find_param(std::string_view param) const {
    for (const CliParam& one : params)
        if (one.name == param) return &one;
    return nullptr;
}

CliCatalog::CliCatalog(const std::string& text) {
    const json catalog = json::parse(text);
    resources_ = catalog.at("resources");
    for (const json& row : catalog.at("operations")) {
        CliOperation operation;
        operation.name = row.at("name");
        operation.summary = row.at("summary");
        operation.method = row.at("method");
        operation.path = row.at("path");
        operation.body_key = row.value("bodyKey", "");
        operation.query_resource = row.value("query", "");
        operation.is_job = row.at("job");
        for (const json& param : row.at("params"))
            operation.params.push_back({param.at("name"), param.at("in"), param.value("required", false),
                                        param.value("secret", false), param.at("doc"), param.at("schema")});
        operations_.push_back(std::move(operation));
    }
}

const CliOperation* CliCatalog::find(std::string_view name) const {
    for (const CliOperation& operation : operations_)
        if (operation.name.size() == name.size() && strncasecmp(operation.name.data(), name.data(), name.size()) == 0)
            return &operation;
    return nullptr;
}

std::vector<std::string> CliCatalog::query_fields(const std::string& resource, const std::string& typed) const {
    std::string at = resource, prefix;
    for (std::size_t dot, from = 0; (dot = typed.find('.', from)) != std::string::npos; from = dot + 1) {
        const json& expands = resources_.value(at, json::object()).value("expands", json::object());
        const auto next = expands.find(typed.substr(from, dot - from));
        if (next == expands.end()) return {};
        at = next->get<std::string>();
        prefix = typed.substr(0, dot + 1);
    }
    if (!resources_.contains(at)) return {};
    std::vector<std::string> fields;
    for (const json& field : resources_[at]["fields"]) fields.push_back(prefix + field.get<std::string>());
    for (const auto& [name, target] : resources_[at]["expands"].items()) fields.push_back(prefix + name + ".");
    return fields;
}

}  // namespace hvagent::cli
