// Finds the row of the operation table that a request means (rest-conventions, section 1).
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/api/row.h"

namespace hvagent::http {

using nlohmann::json;

// What a path and a method lead to: the rows that share them, each with its path variables.
struct Candidate {
    const api::Row* row = nullptr;
    std::vector<std::pair<std::string, std::string>> path_values;  // variable -> value
};

// One of them, and the object of the body that carries its parameters (null: no such object).
struct Choice {
    Candidate candidate;
    const json* fields = nullptr;
};

// Immutable once built; thread-safe.
class Router {
public:
    explicit Router(const api::Catalog& catalog);

    // `segments`: the path after the prefix. Error(no_such_path), Error(wrong_method). Literals win over variables and match
    // without regard to case.
    std::vector<Candidate> candidates(const std::string& method, const std::vector<std::string>& segments) const;
    // By the key of `body` (an object, or null when none was sent). Error(bad_request) lists the known actions.
    static Choice choose(std::vector<Candidate> candidates, const json& body);

private:
    struct Entry {
        const api::Row* row;
        std::vector<std::string> variables;
        bool is_second_place = false;  // another path of the row is its own
    };
    struct Route {
        std::vector<std::string> shape;  // literals in lower case, "" for a variable
        std::vector<Entry> entries;
    };

    static bool matches(const Route& route, const std::vector<std::string>& lower_segments);
    void add(const api::Row& row, const std::string& path);

    // By number of segments; the more literal shapes stand first.
    std::map<std::size_t, std::vector<Route>> routes_;
};

// "StopVmInstance" -> "stopVmInstance".
std::string lower_camel(std::string name);

}  // namespace hvagent::http
