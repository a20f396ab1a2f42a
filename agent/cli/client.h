// The daemon's API as hvctl uses it.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "agent/cli/command_line.h"

namespace hvagent::cli {

struct ApiFailure : std::runtime_error {
    ApiFailure(const json& body, const std::string& text) : std::runtime_error(text), error(body) {}
    json error;  // {"code","description","details","cause"}; null when the answer was none of the contract
};
struct ConnectionFailure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Client {
public:
    // "http://host:port" or "https://..."; `ca_file` for https, empty: the system's authorities.
    Client(const std::string& url, std::string session, const std::string& ca_file);
    ~Client();
    Client(Client&&) noexcept;

    // The session's uuid.
    std::string login(const std::string& account, const std::string& password);
    using Progress = std::function<void(int percent, const std::string& what)>;
    // Waits for the job when there is one; `wait` false: returns {"location": ...} at once.
    // Reads GET /hvagent/v1/events until the connection ends; `last_id` empty: from now on, after a picture. `receive`
    // returns false to end it. ApiFailure when the agent refuses, ConnectionFailure when it is not there.
    void follow_events(const std::string& last_id, const std::function<bool(std::string_view piece)>& receive);
    json call(const HttpRequest& request, bool wait, const Progress& progress);
    // GET /hvagent/v1/<name>.
    json get_own(const std::string& name);

private:
    json send(const HttpRequest& request, int& status);
    json poll(const std::string& location, const Progress& progress);

    struct Connection;
    std::unique_ptr<Connection> connection_;
    std::string session_;
};

// "VM.1002 Failed to stop vm: <details>", and the causes below it.
std::string explain(const json& error);

}  // namespace hvagent::cli
