#include "agent/http/router.h"

#include <algorithm>

#include "agent/http/url.h"

namespace hvagent::http {
namespace {

bool is_writing(const api::Row& row) {
    return row.method == api::Method::put || row.method == api::Method::post;
}

// POST and PUT stand for each other where a path has one operation: the real server does not look at the verb there, and
// clients log in with either. So they do for the only one that writes at a path which is not its own.
bool is_method_of(const api::Row& row, const std::string& method, bool either) {
    if (method == api::to_text(row.method)) return true;
    return either && is_writing(row) && (method == "PUT" || method == "POST");
}

std::string shown_path(const std::vector<std::string>& segments) {
    std::string path;
    for (const std::string& segment : segments) path += "/" + segment;
    return path.empty() ? "/" : path;
}

bool names(const api::Row& row, const std::string& key) {
    if (equal_ignoring_case(key, row.body_key) || equal_ignoring_case(key, row.name)) return true;
    return std::any_of(row.body_key_aliases.begin(), row.body_key_aliases.end(),
                       [&key](const std::string& alias) { return equal_ignoring_case(key, alias); });
}

// A top-level key that the client meant to have an effect: an action that does not exist, or a parameter outside its object.
// Others (requestIp, uuid and the like of generated clients) are ignored, as the real server does.
bool is_misplaced(const api::Row& row, const std::string& key, const json& value, bool is_alone) {
    for (const char* known : {"systemTags", "userTags", "uuid", "session"})
        if (equal_ignoring_case(key, known)) return false;
    return value.is_object() || (is_alone && row.find_param(key));
}

Choice chosen(Candidate candidate, const json& fields, const std::string& key) {
    if (!fields.is_object() && !fields.is_null())
        throw Error(Code::bad_request, "\"" + key + "\" in the body must be an object");
    return {std::move(candidate), &fields};
}

std::string known_actions(const std::vector<Candidate>& candidates) {
    std::string list;
    for (const Candidate& one : candidates) list += (list.empty() ? "" : ", ") + one.row->body_key;
    return list;
}

}  // namespace

std::string lower_camel(std::string name) {
    if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] - 'A' + 'a');
    return name;
}

Router::Router(const api::Catalog& catalog) {
    for (const api::Row& row : catalog.rows())
        for (const std::string& path : row.paths) add(row, path);
    for (auto& [count, routes] : routes_)  // "" (a variable) sorts after any literal
        std::stable_sort(routes.begin(), routes.end(), [](const Route& left, const Route& right) {
            const auto is_variable = [](const std::string& one) { return one.empty(); };
            std::vector<bool> a, b;
            std::transform(left.shape.begin(), left.shape.end(), std::back_inserter(a), is_variable);
            std::transform(right.shape.begin(), right.shape.end(), std::back_inserter(b), is_variable);
            return a < b;
        });
}

void Router::add(const api::Row& row, const std::string& path) {
    Route route;
    Entry entry{&row, {}, path != row.paths.front()};
    for (const std::string& segment : path_segments(path)) {
        const bool is_variable = segment.starts_with('{') && segment.ends_with('}');
        route.shape.push_back(is_variable ? "" : to_lower(segment));
        if (is_variable) entry.variables.push_back(segment.substr(1, segment.size() - 2));
    }
    auto& routes = routes_[route.shape.size()];
    for (Route& known : routes)
        if (known.shape == route.shape) {
            known.entries.push_back(std::move(entry));
            return;
        }
    route.entries.push_back(std::move(entry));
    routes.push_back(std::move(route));
}

bool Router::matches(const Route& route, const std::vector<std::string>& lower_segments) {
    for (std::size_t i = 0; i < lower_segments.size(); ++i)
        if (!route.shape[i].empty() && route.shape[i] != lower_segments[i]) return false;
    return true;
}

std::vector<Candidate> Router::candidates(const std::string& method, const std::vector<std::string>& segments) const {
    std::vector<std::string> lower;
    for (const std::string& segment : segments) lower.push_back(to_lower(segment));
    const auto group = routes_.find(segments.size());
    std::string allowed;
    bool is_known = false;
    static const std::vector<Route> none;
    for (const Route& route : group == routes_.end() ? none : group->second) {
        if (!matches(route, lower)) continue;
        is_known = true;
        const auto writers = std::count_if(route.entries.begin(), route.entries.end(),
                                           [](const Entry& entry) { return is_writing(*entry.row); });
        std::vector<Candidate> found;
        for (const Entry& entry : route.entries) {
            const std::string verb(api::to_text(entry.row->method));
            if (allowed.find(verb) == std::string::npos) allowed += (allowed.empty() ? "" : ", ") + verb;
            const bool either = route.entries.size() == 1 || (writers == 1 && entry.is_second_place);
            if (!is_method_of(*entry.row, method, either)) continue;
            Candidate candidate{entry.row, {}};
            std::size_t variable = 0;
            for (std::size_t i = 0; i < segments.size(); ++i)
                if (route.shape[i].empty()) candidate.path_values.emplace_back(entry.variables[variable++], segments[i]);
            found.push_back(std::move(candidate));
        }
        if (!found.empty()) return found;
    }
    if (!is_known) throw Error(Code::no_such_path, "there is nothing at " + shown_path(segments));
    throw Error(Code::wrong_method, "the path " + shown_path(segments) + " takes " + allowed + ", not " + method);
}

Choice Router::choose(std::vector<Candidate> candidates, const json& body) {
    static const json nothing;
    const bool is_alone = candidates.size() == 1;
    if (body.is_object()) {
        for (const auto& [key, value] : body.items())
            for (Candidate& candidate : candidates)
                if (names(*candidate.row, key)) return chosen(std::move(candidate), value, key);
        for (const char* key : {"params", "null"})  // "null": two actions of the Java SDK
            if (const auto found = body.find(key); is_alone && found != body.end())
                return chosen(std::move(candidates[0]), *found, key);
    }
    const bool reads_body = candidates[0].row->method == api::Method::post || candidates[0].row->method == api::Method::put;
    if (is_alone && !reads_body) return {std::move(candidates[0]), &nothing};
    if (body.is_object())
        for (const auto& [key, value] : body.items())
            if (is_misplaced(*candidates[0].row, key, value, is_alone))
                throw Error(Code::bad_request,
                            "\"" + key + "\" is no action of this path; it takes " + known_actions(candidates));
    if (is_alone) return {std::move(candidates[0]), &nothing};
    throw Error(Code::bad_request, "the body must name an action of this path: " + known_actions(candidates));
}

}  // namespace hvagent::http
