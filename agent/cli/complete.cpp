#include "agent/cli/complete.h"

#include <strings.h>

namespace hvagent::cli {
namespace {

const std::vector<std::string> commands{"login",  "logout",  "list", "help", "completion",
                                        "doctor", "storage", "top",  "watch"};
const std::vector<std::string> options{"--url", "--json", "--no-wait", "--ca"};

void add_matching(std::vector<std::string>& out, const std::string& candidate, const std::string& typed) {
    if (candidate.size() >= typed.size() && strncasecmp(candidate.c_str(), typed.c_str(), typed.size()) == 0)
        out.push_back(candidate);
}

std::vector<std::string> complete_operation(const CliCatalog& catalog, const std::string& typed) {
    std::vector<std::string> out;
    for (const std::string& option : options) add_matching(out, option, typed);
    for (const std::string& command : commands) add_matching(out, command, typed);
    for (const CliOperation& operation : catalog.operations()) add_matching(out, operation.name, typed);
    return out;
}

std::vector<std::string> complete_value(const CliCatalog& catalog, const CliOperation& operation, const std::string& typed) {
    std::vector<std::string> out;
    const std::size_t equals = typed.find('=');
    const std::string key = typed.substr(0, equals);
    const CliParam* param = operation.find_param(key);
    if (!param) return out;
    for (const std::string& value : param->enum_values()) add_matching(out, key + "=" + value, typed);
    if (!operation.query_resource.empty() && (key == "sort" || key == "fields" || key == "groupBy")) {
        const std::size_t comma = typed.rfind(',');
        const std::string done = comma == std::string::npos ? key + "=" : typed.substr(0, comma + 1);
        for (const std::string& field : catalog.query_fields(operation.query_resource, ""))
            if (!field.ends_with(".")) add_matching(out, done + field, typed);
    }
    return out;
}

}  // namespace

std::vector<std::string> complete(const CliCatalog& catalog, const std::vector<std::string>& words) {
    const std::string typed = words.empty() ? "" : words.back();
    const CliOperation* operation = nullptr;
    for (std::size_t i = 0; i + 1 < words.size() && !operation; ++i) operation = catalog.find(words[i]);
    if (!operation) return complete_operation(catalog, typed);
    if (typed.find('=') != std::string::npos) return complete_value(catalog, *operation, typed);
    std::vector<std::string> out;
    for (const CliParam& param : operation->params) add_matching(out, param.name + "=", typed);
    if (!operation->query_resource.empty())
        for (const std::string& field : catalog.query_fields(operation->query_resource, typed))
            add_matching(out, field.ends_with(".") ? field : field + "=", typed);
    return out;
}

const char* bash_completion_script() {
    return R"(_hvctl() {
    local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT} words current
    IFS=' ' read -r -a words <<<"$line"
    [[ $line == *' ' ]] && words+=('')
    current=${words[-1]}
    COMPREPLY=($(hvctl __complete "${words[@]:1}"))
    # readline splits words at '=' and ':': answer with what follows the last of them
    if [[ $current == *[=:]* ]]; then
        local head=${current%"${current##*[=:]}"} i
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$head"}; done
    fi
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace
}
complete -F _hvctl hvctl
)";
}

}  // namespace hvagent::cli
