#include "agent/app/service.h"

#include <malloc.h>
#include <pthread.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cerrno>

#include "agent/app/log_sinks.h"
#include "hvagent/error.h"

namespace hvagent::app {
namespace {

using std::chrono::duration_cast;

// `systemctl start` waits this long for libvirt; after that the API says itself what is missing.
constexpr seconds longest_wait_for_libvirt{20};
constexpr milliseconds tick_until_ready{100};

Moment now() {
    return std::chrono::steady_clock::now();
}

// Several looks per watchdog period, so that one slow answer ends nothing.
milliseconds tick_length() {
    std::uint64_t period_us = 0;
    if (sd_watchdog_enabled(0, &period_us) <= 0) return seconds(5);
    return std::min<milliseconds>(seconds(5), milliseconds(period_us / 4000));
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

}  // namespace

sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

bool Pulse::beats() {
    if (answered_->load() < asked_) return false;
    ++asked_;
    ask_([answered = answered_] { answered->fetch_add(1); });
    return true;
}

Service::Service(Agent& agent, config::Settings settings, std::string config_path, log::Sink& sink)
    : agent_(agent),
      settings_(std::move(settings)),
      config_path_(std::move(config_path)),
      sink_(sink),
      timer_([&agent](std::function<void()> answer) { agent.on_timer_thread(std::move(answer)); }),
      libvirt_([&agent](std::function<void()> answer) { agent.on_libvirt_thread(std::move(answer)); }),
      began_(now()),
      trimmed_(began_) {}

int Service::run(const sigset_t& signals) {
    const milliseconds tick = tick_length();
    for (;;) {
        look();
        const milliseconds pause = is_ready_ ? tick : tick_until_ready;
        const timespec timeout{duration_cast<seconds>(pause).count(), (pause % seconds(1)).count() * 1000000};
        const int signal = sigtimedwait(&signals, nullptr, &timeout);
        if (signal == SIGHUP)
            reload();
        else if (signal > 0)
            return signal;
    }
}

// The condition is asked under the job engine's lock: an engine that hangs keeps this thread, and the watchdog acts.
void Service::look() {
    const Agent::Condition condition = agent_.condition();
    const std::string missing = join(condition.not_ready_because);
    if (!is_ready_ && (missing.empty() || now() - began_ > longest_wait_for_libvirt)) {
        is_ready_ = true;
        log::info("hvagentd is ready",
                  {{"version", HVAGENT_VERSION}, {"listen", settings_.http_listen}, {"missing", missing}});
        sd_notify(0, "READY=1");
    }
    const std::string jobs =
        std::to_string(condition.jobs_running) + " jobs run, " + std::to_string(condition.jobs_waiting) + " wait";
    tell_status(missing.empty() ? "Ready: " + jobs : "Waiting: " + missing + "; " + jobs);
    feed_watchdog();
    if (now() - trimmed_ < seconds(60)) return;
    // glibc keeps what a busy minute took: it is given back from time to time.
    trimmed_ = now();
    malloc_trim(0);
}

void Service::feed_watchdog() {
    const bool timer_lives = timer_.beats(), libvirt_lives = libvirt_.beats();
    if (timer_lives && libvirt_lives) sd_notify(0, "WATCHDOG=1");
}

void Service::tell_status(const std::string& status) {
    if (status == status_) return;
    status_ = status;
    sd_notify(0, ("STATUS=" + status).c_str());
}

// What cannot change in a running daemon is named, not ignored.
void Service::reload() {
    if (config_path_.empty()) return log::warning("there is no configuration file to read again");
    const std::string begin = "RELOADING=1\nMONOTONIC_USEC=" +
                              std::to_string(duration_cast<std::chrono::microseconds>(now().time_since_epoch()).count());
    sd_notify(0, begin.c_str());
    try {
        const config::Settings read = config::load_settings(config_path_);
        log::set_sink(sink_, parse_level(read.log_level));
        settings_.log_level = read.log_level;
        agent_.reload_certificates();
        log::info("the configuration was read again", {{"file", config_path_}, {"log_level", read.log_level}});
        for (const std::string& setting : config::find_differences(settings_, read))
            log::warning("a changed setting takes effect at the next start", {{"setting", setting}});
    } catch (...) {
        log::error("the configuration was not taken over", {{"file", config_path_}, {"error", current_error().details()}});
    }
    if (is_ready_) sd_notify(0, "READY=1");
}

}  // namespace hvagent::app
