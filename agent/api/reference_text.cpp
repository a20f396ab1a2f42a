#include "agent/api/reference_text.h"

#include <algorithm>
#include <map>

namespace hvagent::api {
namespace {

// Text that roff takes literally.
std::string plain(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
            out += std::string("\\&") + c;
        else
            out += c;
    }
    return out;
}

std::string joined(const json& values) {
    std::string out;
    for (const json& value : values)
        out += (out.empty() ? "" : ", ") + (value.is_string() ? value.get<std::string>() : value.dump());
    return out;
}

std::string type_of(const json& schema) {
    if (schema.contains("enum")) return "one of " + joined(schema["enum"]);
    const std::string type = schema.value("type", "value");
    if (type == "array") return "list of " + (schema.contains("items") ? type_of(schema["items"]) : "values");
    std::string out = type;
    if (schema.contains("minimum")) out += ", at least " + schema["minimum"].dump();
    if (schema.contains("default")) out += ", default " + joined(json::array({schema["default"]}));
    return out;
}

std::string place_of(In in) {
    return in == In::url ? "in the path" : in == In::query ? "in the query string" : "in the body";
}

std::string describe(const Param& param) {
    return ".TP\n\\fB" + plain(param.name) + "\\fR (" + plain(type_of(param.schema)) + "; " + place_of(param.in) +
           (param.required ? "; required" : "") + ")\n" + plain(param.doc) + "\n";
}

std::string states_of(const StateRule& rule) {
    std::string out;
    for (const VmState state : rule.allowed) out += (out.empty() ? "" : ", ") + std::string(to_text(state));
    return out;
}

std::string describe(const Row& row) {
    std::string out = ".SS " + row.name + "\n" + plain(row.summary) + ".\n.PP\n";
    for (const std::string& path : row.paths)
        out += "\\fB" + std::string(to_text(row.method)) + "\\fR " + plain("/zstack/v1" + path) + "\n.br\n";
    if (!row.body_key.empty()) out += "body: {\"" + plain(row.body_key) + "\": {...}}\n.br\n";
    out += row.is_job ? "Answers 202 with a job; it may take " + std::to_string(row.timeout.count() / 60000) + " minutes.\n"
                      : "Answers at once.\n";
    if (row.state_rule) out += "The VM must be " + plain(states_of(*row.state_rule)) + ".\n";
    if (!row.needs_session) out += "Needs no session.\n";
    if (!row.is_query)
        for (const Param& param : row.params) out += describe(param);
    if (row.is_query) out += "Conditions and fields: see \\fBQUERIES\\fR.\n";
    if (row.takes_tags)
        out += ".TP\n\\fBsystemTags\\fR, \\fBuserTags\\fR (lists of strings; in the body)\ntags of what is created\n";
    for (const auto& [name, why] : row.refused) out += ".TP\n\\fB" + plain(name) + "\\fR\nrefused: " + plain(why) + "\n";
    std::string answer;
    for (const Returned& returned : row.returns)
        answer +=
            (answer.empty() ? "" : ", ") + returned.key +
            (returned.resource.empty() ? ""
                                       : " (" + std::string(returned.is_list ? "list of " : "") + returned.resource + ")");
    return out + ".PP\nAnswer: " + (answer.empty() ? "{}" : plain(answer)) + ".\n";
}

constexpr const char* queries = R"(.SH QUERIES
A Query operation takes conditions as repeated \fBq\fR parameters, \fB<field><operator><value>\fR, all of which must hold. Operators are
= != > < >= <= ?= (one of a comma list) !?= ~= (SQL LIKE with % and _) !~= and the tests "is null" and "not null". Fields of joined resources are named with a
dot: \fBvmNics.ip\fR, \fBzone.name\fR; tags are \fB__systemTag__\fR and \fB__userTag__\fR. Further parameters: \fBlimit\fR, \fBstart\fR, \fBcount\fR, \fBreplyWithCount\fR,
\fBsort\fR (+field or \-field), \fBfields\fR, \fBgroupBy\fR. \fBhvctl help\fR lists the fields of each resource.
)";

}  // namespace

std::string make_reference(const Catalog& catalog, const std::string& version) {
    std::string out =
        ".TH HVAGENT\\-OPERATIONS 7 \"\" \"hvagent " + plain(version) +
        "\"\n.SH NAME\nhvagent\\-operations \\- the operations of hvagentd\n.SH DESCRIPTION\nMade from the operation "
        "table of hvagentd " +
        plain(version) +
        ". Each operation can be called by HTTP as written here, or as\n\\fBhvctl\\fR \\fIOperation\\fR "
        "\\fIparameter\\fR=\\fIvalue\\fR...\n.PP\n" +
        std::to_string(catalog.rows().size()) + " operations are known.\n.SH OPERATIONS\n";
    std::map<std::string, const Row*> by_name;
    for (const Row& row : catalog.rows()) by_name[row.name] = &row;
    for (const auto& [name, row] : by_name) out += describe(*row);
    return out + queries + ".SH SEE ALSO\n.BR hvagentd (8),\n.BR hvctl (1)\n";
}

}  // namespace hvagent::api
