// The one place that knows agent and drivers: makes each object once and connects them.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/settings.h"

namespace hvagent::app {

class Agent {
public:
    // Makes everything; touches nothing but its database. `database` may be ":memory:" to print documents.
    Agent(config::Settings settings, const std::string& database);
    ~Agent();

    // Storage, libvirt, unfinished jobs, then the API. Error tells what is missing.
    void start();
    // The API first, then jobs: what is unfinished is resumed by the next start.
    void stop();

    struct Condition {
        std::vector<std::string> not_ready_because;
        std::size_t jobs_running = 0;
        std::size_t jobs_waiting = 0;
    };
    Condition condition() const;
    // `work` is called on that thread if it lives; it must not block.
    void on_timer_thread(std::function<void()> work);
    void on_libvirt_thread(std::function<void()> work);
    void reload_certificates();

    int port() const;
    std::string openapi() const;
    std::string catalog() const;    // as JSON: what hvctl is built with
    std::string reference() const;  // of every operation, as a manual page

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace hvagent::app
