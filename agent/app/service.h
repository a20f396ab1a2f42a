// The daemon as a service: what systemd is told (readiness, status line, watchdog) and what the signals mean.
#pragma once
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <string>

#include "agent/app/compose.h"
#include "agent/config/settings.h"
#include "hvagent/clock.h"
#include "hvagent/log.h"

namespace hvagent::app {

// Blocked for every thread made later; Service takes them. Call it before the first thread.
sigset_t block_signals();

// Asks a thread for signs of life.
class Pulse {
public:
    using Ask = std::function<void(std::function<void()> answer)>;
    explicit Pulse(Ask ask) : ask_(std::move(ask)) {}

    // Whether the last question was answered; asks the next one then.
    bool beats();

private:
    Ask ask_;
    long asked_ = 0;
    std::shared_ptr<std::atomic<long>> answered_ = std::make_shared<std::atomic<long>>(0);
};

class Service {
public:
    // `config_path` empty: there is nothing to read again at SIGHUP.
    Service(Agent& agent, config::Settings settings, std::string config_path, log::Sink& sink);

    // Returns the signal that ended it.
    int run(const sigset_t& signals);

private:
    void look();
    void feed_watchdog();
    void reload();
    void tell_status(const std::string& status);

    Agent& agent_;
    config::Settings settings_;
    const std::string config_path_;
    log::Sink& sink_;
    Pulse timer_;
    Pulse libvirt_;
    std::string status_;
    bool is_ready_ = false;
    const Moment began_;
    Moment trimmed_;
};

}  // namespace hvagent::app
