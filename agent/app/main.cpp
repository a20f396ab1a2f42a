// hvagentd: the daemon.
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "agent/app/compose.h"
#include "agent/app/log_sinks.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

#ifndef HVAGENT_VERSION
#error "the build gives the version"
#endif

namespace {

using hvagent::Code;
using hvagent::Error;

// Two daemons on one store would run every job twice. The lock lives as long as the process.
void lock_state(const std::string& directory) {
    std::filesystem::create_directories(directory);
    const std::string path = directory + "/lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) throw Error(Code::io_failed, "the state directory " + directory + " cannot be written");
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
        throw Error(Code::io_failed, "another hvagentd uses the state directory " + directory);
}

// Signals are taken by the main thread alone; every other thread inherits this mask.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

// glibc keeps what a busy minute took: it is given back from time to time, and after the start, which needs the most.
int wait_for_signal(const sigset_t& signals) {
    timespec pause{5, 0};
    for (;;) {
        const int signal = sigtimedwait(&signals, nullptr, &pause);
        if (signal > 0) return signal;
        if (errno == EAGAIN) malloc_trim(0);
        pause.tv_sec = 60;
    }
}

void serve(const hvagent::config::Settings& settings) {
    const sigset_t signals = block_signals();
    lock_state(settings.state_directory);
    hvagent::app::Agent agent(settings, settings.state_directory + "/hvagent.db");
    agent.start();
    hvagent::log::info("hvagentd is ready", {{"version", HVAGENT_VERSION}, {"listen", settings.http_listen}});
    sd_notify(0, "READY=1");
    const int signal = wait_for_signal(signals);
    hvagent::log::info("hvagentd stops", {{"signal", signal}});
    sd_notify(0, "STOPPING=1");
    agent.stop();
}

}  // namespace

int main(int argc, char** argv) {
    // Few threads allocate at once here; more arenas only cost memory.
    mallopt(M_ARENA_MAX, 2);
    CLI::App app{"hvagentd: a hypervisor agent that speaks ZStack's REST contract"};
    std::string config_path;
    bool print_openapi = false, print_catalog = false, print_reference = false, print_settings = false;
    app.add_option("--config", config_path, "configuration file (TOML)");
    app.add_flag("--print-openapi", print_openapi, "print the OpenAPI document and exit");
    app.add_flag("--print-catalog", print_catalog, "print the operation table as JSON and exit");
    app.add_flag("--print-reference", print_reference, "print the manual page of every operation and exit");
    app.add_flag("--print-settings", print_settings, "print every setting with its default and exit");
    app.set_version_flag("--version", HVAGENT_VERSION);
    CLI11_PARSE(app, argc, argv);
    try {
        if (print_settings) {
            std::cout << hvagent::config::describe_settings();
            return 0;
        }
        if (print_openapi) {
            std::cout << hvagent::app::Agent({}, ":memory:").openapi() << "\n";
            return 0;
        }
        if (print_catalog) {
            std::cout << hvagent::app::Agent({}, ":memory:").catalog() << "\n";
            return 0;
        }
        if (print_reference) {
            std::cout << hvagent::app::Agent({}, ":memory:").reference();
            return 0;
        }
        const auto settings =
            config_path.empty() ? hvagent::config::Settings{} : hvagent::config::load_settings(config_path);
        const auto sink = hvagent::app::make_sink(settings.log_target);
        hvagent::log::set_sink(*sink, hvagent::app::parse_level(settings.log_level));
        serve(settings);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "hvagentd: " << error.what() << "\n";
        return 1;
    }
}
