// A client of the agent with one connection that stays open.
#pragma once
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/bench/webhooks.h"

namespace hvagent::bench {

using nlohmann::json;

class Rest {
public:
    // Logs in as admin. `url` is http://address:port. All answers but 200 and 202 are thrown with their text.
    Rest(const std::string& url, const std::string& password);

    json get(const std::string& path);
    // A path outside the contract, as it stands; a null body is none.
    json own(const std::string& method, const std::string& path, const json& body);
    // The text alone, not parsed: what a list costs the agent, not us.
    std::size_t get_size(const std::string& path);
    // One asynchronous call. Returns the milliseconds from sending it until its webhook came.
    double run(Webhooks& hooks, const std::string& method, const std::string& path, const json& body,
               json* result = nullptr);
    double act(Webhooks& hooks, const std::string& vm, const std::string& action, const json& parameters = json::object());
    std::string state_of(const std::string& vm);
    // Throws after ten seconds.
    void await_state(const std::string& vm, const std::string& state);

private:
    std::string text_of(const httplib::Result& answer, const std::string& what) const;

    httplib::Client http_;
    httplib::Headers headers_;
};

}  // namespace hvagent::bench
