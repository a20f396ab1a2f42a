#include "agent/api/row.h"

#include <strings.h>
#include <algorithm>
#include <set>

namespace hvagent::api {
namespace {

std::vector<std::string> ids_in(const json& value) {
    std::vector<std::string> ids;
    if (value.is_array())
        for (const json& item : value) ids.push_back(item.get<std::string>());
    else
        ids.push_back(value.get<std::string>());
    return ids;
}

void check_state(const Row& row, const VmId& vm, const References& references) {
    const std::optional<VmState> state = references.vm_state(vm);
    const auto& allowed = row.state_rule->allowed;
    if (state && std::find(allowed.begin(), allowed.end(), *state) != allowed.end()) return;
    std::string names;
    for (VmState one : allowed) names += (names.empty() ? "" : ", ") + std::string(to_text(one));
    throw Error(Code::vm_wrong_state, "the VM " + vm.str() + " is " + (state ? std::string(to_text(*state)) : "gone") +
                                          ", and " + row.name + " is allowed in " + names + " only");
}

}  // namespace

std::string_view to_text(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::del: return "DELETE";
    }
    return "";
}

const Param* Row::find_param(std::string_view param) const {
    for (const Param& one : params)
        if (one.name == param) return &one;
    return nullptr;
}

bool admit(const Row& row, const json& arguments, const References& references, bool resumed) {
    for (const Param& param : row.params) {
        const auto found = arguments.find(param.name);
        if (found == arguments.end() || param.resource.empty()) continue;
        for (const std::string& uuid : ids_in(*found)) {
            const bool exists = references.exists(param.resource, uuid);
            if (param.is_new_id) {
                if (exists && !resumed)
                    throw Error(Code::invalid_argument, "parameter '" + param.name + "': a " + param.resource +
                                                            " with uuid " + uuid + " exists already");
            } else if (!exists) {
                if (row.gone_is_success && param.in == In::url && is_uuid(uuid)) return false;
                if (resumed && param.in == In::url) continue;  // the handler finds out what its earlier life did
                const std::string fate = references.fate(param.resource, uuid);
                throw Error(Code::not_found, "parameter '" + param.name + "': there is no " + param.resource +
                                                 " with uuid \"" + uuid + "\"" + (fate.empty() ? "" : "; ") + fate);
            }
        }
    }
    if (row.state_rule && !resumed) {
        const std::string vm = arguments.at(row.state_rule->vm_param).get<std::string>();
        try {
            check_state(row, VmId(vm), references);
        } catch (const Error& wrong_state) {
            throw wrap_failure(row, wrong_state);
        }
    }
    return true;
}

Error wrap_failure(const Row& row, const Error& cause) {
    if (!row.failure || *row.failure == cause.code()) return cause;
    if (cause.code() == Code::invalid_argument || cause.code() == Code::job_cancelled) return cause;
    return Error(*row.failure, row.name + " failed: " + cause.details(), cause);
}

json to_json(const Error& error) {
    const CodeInfo& info = info_of(error.code());
    json out = {{"code", info.wire}, {"description", info.description}, {"details", error.details()}};
    if (error.cause()) out["cause"] = to_json(*error.cause());
    return out;
}

json mask_secrets(const Row& row, json arguments) {
    for (const Param& param : row.params)
        if (param.secret && arguments.contains(param.name)) arguments[param.name] = "******";
    if (arguments.contains("systemTags"))
        for (json& tag : arguments["systemTags"])
            for (const char* prefix : {"consolePassword::", "rootPassword::", "sshkey::", "userdata::"})
                if (tag.is_string() && tag.get<std::string>().starts_with(prefix)) tag = std::string(prefix) + "******";
    return arguments;
}

Catalog::Catalog(std::vector<Table> tables) {
    std::set<std::string> names;
    std::set<std::string> routes;
    for (Table& table : tables)
        for (Row& row : table) {
            if (!names.insert(row.name).second) throw Error(Code::internal, "two operations named " + row.name);
            for (const std::string& path : row.paths)
                if (!routes
                         .insert(std::string(to_text(row.method)) + " " + path + " " +
                                 (row.method == Method::put ? row.body_key : ""))
                         .second)
                    throw Error(Code::internal, "two operations at " + path + ", one of them " + row.name);
            rows_.push_back(std::move(row));
        }
}

const Row* Catalog::find(std::string_view name) const {
    for (const Row& row : rows_)
        if (row.name.size() == name.size() && strncasecmp(row.name.data(), name.data(), name.size()) == 0) return &row;
    return nullptr;
}

}  // namespace hvagent::api
