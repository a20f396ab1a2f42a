// The operations as hvctl knows them: the table of the daemon it was built with.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace hvagent::cli {

using nlohmann::json;

struct CliParam {
    std::string name;
    std::string in;  // "url", "query", "body"
    bool required = false;
    bool secret = false;
    std::string doc;
    json schema;
    std::string type() const { return schema.value("type", "string"); }
    std::vector<std::string> enum_values() const;
};

struct CliOperation {
    std::string name;
    std::string summary;
    std::string method;
    std::string path;
    std::string body_key;
    std::string query_resource;  // of a Query operation
    bool is_job = false;
    std::vector<CliParam> params;
    const CliParam* find_param(std::string_view param) const;
};

class CliCatalog {
public:
    explicit CliCatalog(const std::string& text);  // what hvagentd --print-catalog prints
    const std::vector<CliOperation>& operations() const { return operations_; }
    const CliOperation* find(std::string_view name) const;  // without regard to case
    // "name", "vmNics.", ... that continue `typed` in a condition over a resource.
    std::vector<std::string> query_fields(const std::string& resource, const std::string& typed) const;

private:
    std::vector<CliOperation> operations_;
    json resources_;
};

// The text compiled into this program (catalog_embedded.cpp, made by the build).
const char* embedded_catalog();

}  // namespace hvagent::cli
