#include "agent/app/host_paths.h"

#include "hvagent/error.h"

namespace hvagent::app {

nlohmann::json read_only(const std::string& method, const std::string& rest, const std::string& name,
                         const std::function<nlohmann::json()>& answer) {
    if (!rest.empty()) throw Error(Code::no_such_path, "there is nothing below /hvagent/v1/" + name);
    if (method != "GET") throw Error(Code::wrong_method, "the path takes GET, not " + method);
    return answer();
}

namespace {

nlohmann::json serve_vms(const operations::HostView& view, const std::string& method, const std::string& rest) {
    constexpr std::string_view what = "/guest";
    if (!rest.ends_with(what)) throw Error(Code::no_such_path, "below /hvagent/v1/vms there is <uuid>/guest");
    if (method != "GET") throw Error(Code::wrong_method, "the path takes GET, not " + method);
    return operations::guest_of_vm(view, rest.substr(0, rest.size() - what.size()));
}

}  // namespace

std::vector<http::OwnPath> host_paths(const operations::HostView& view) {
    using nlohmann::json;
    using Text = const std::string&;
    return {{"facts",
             [&view](Text method, Text rest, const json&) {
                 return read_only(method, rest, "facts", [&view] { return operations::host_facts(view); });
             }},
            {"doctor",
             [&view](Text method, Text rest, const json&) {
                 return read_only(method, rest, "doctor", [&view] { return operations::host_findings(view); });
             }},
            {"fit",
             [&view](Text method, Text rest, const json& body) {
                 if (!rest.empty()) throw Error(Code::no_such_path, "there is nothing below /hvagent/v1/fit");
                 if (method != "POST") throw Error(Code::wrong_method, "the path takes POST, not " + method);
                 return operations::does_it_fit(view, body);
             }},
            {"vms", [&view](Text method, Text rest, const json&) { return serve_vms(view, method, rest); }}};
}

}  // namespace hvagent::app
