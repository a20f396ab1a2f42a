// hvagentd: the daemon.
#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "agent/app/compose.h"
#include "agent/app/log_sinks.h"
#include "agent/app/service.h"
#include "drivers/process/lasting_commands.h"
#include "drivers/systemd/scope.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

#ifndef HVAGENT_VERSION
#error "the build gives the version"
#endif

namespace {

using hvagent::Code;
using hvagent::Error;

constexpr const char* default_config = "/etc/hvagent/hvagentd.toml";

// Two daemons on one store would run every job twice. The lock lives as long as the process.
void lock_state(const std::string& directory) {
    std::filesystem::create_directories(directory);
    const std::string path = directory + "/lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) throw Error(Code::io_failed, "the state directory " + directory + " cannot be written");
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
        throw Error(Code::io_failed, "another hvagentd uses the state directory " + directory);
}

void serve(const hvagent::config::Settings& settings, const std::string& config_path, hvagent::log::Sink& sink) {
    const sigset_t signals = hvagent::app::block_signals();
    lock_state(settings.state_directory);
    sd_notify(0, "STATUS=Taking up unfinished jobs");
    hvagent::app::Agent agent(settings, settings.state_directory + "/hvagent.db");
    agent.start();
    const int signal = hvagent::app::Service(agent, settings, config_path, sink).run(signals);
    hvagent::log::info("hvagentd stops", {{"signal", signal}});
    sd_notify(0, "STOPPING=1\nSTATUS=Stopping: running jobs get their time");
    agent.stop();
}

// What another start would not mend, so that the unit does not try (RestartPreventExitStatus): wrong settings, and a store
// of a newer hvagent.
int exit_status(const Error& error) {
    if (error.code() == Code::invalid_argument) return EX_CONFIG;
    return error.code() == Code::no_capability ? EX_DATAERR : 1;
}

// A restart of the service then has nothing to do with the copy. Where systemd does not allow it, KillMode=process does.
void leave_unit() {
    if (sd_booted() <= 0) return;
    hvagent::systemd::enter_scope("hvagent-copy-" + std::to_string(::getpid()) + ".scope", "Copy of a disk for hvagentd");
}

// What would start: 0, with warnings about what should be changed; else 1 with file, line and what was expected.
int check_config(const std::string& path) {
    const auto settings = hvagent::config::load_settings(path);
    for (const std::string& exposed : hvagent::config::find_exposed_secrets(path))
        std::cout << "warning: " << exposed << "\n";
    std::cout << path << " is right\n";
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    // Few threads allocate at once here; more arenas only cost memory.
    mallopt(M_ARENA_MAX, 2);
    CLI::App app{"hvagentd: a hypervisor agent that speaks ZStack's REST contract"};
    std::string config_path, minded;
    bool print_openapi = false, print_catalog = false, print_reference = false, print_settings = false, check = false;
    app.add_option("--config", config_path, "configuration file (TOML)");
    app.add_flag("--check-config", check, "read the configuration, say what is wrong with it, and exit");
    app.add_flag("--print-openapi", print_openapi, "print the OpenAPI document and exit");
    app.add_flag("--print-catalog", print_catalog, "print the operation table as JSON and exit");
    app.add_flag("--print-reference", print_reference, "print the manual page of every operation and exit");
    app.add_flag("--print-settings", print_settings, "print every setting with its default and exit");
    app.add_option("--mind", minded, "mind the copy of this directory (for the daemon's own use)")->group("");
    app.set_version_flag("--version", HVAGENT_VERSION);
    CLI11_PARSE(app, argc, argv);
    if (!minded.empty()) return hvagent::mind(minded, leave_unit);
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
        if (check) return check_config(config_path.empty() ? default_config : config_path);
        const auto settings =
            config_path.empty() ? hvagent::config::Settings{} : hvagent::config::load_settings(config_path);
        const auto sink = hvagent::app::make_sink(settings.log_target);
        hvagent::log::set_sink(*sink, hvagent::app::parse_level(settings.log_level));
        if (!config_path.empty())
            for (const std::string& exposed : hvagent::config::find_exposed_secrets(config_path))
                hvagent::log::warning("a secret can be read by everyone", {{"where", exposed}});
        serve(settings, config_path, *sink);
        return 0;
    } catch (const Error& error) {
        std::cerr << "hvagentd: " << error.what() << "\n";
        return check ? 1 : exit_status(error);
    } catch (const std::exception& error) {
        std::cerr << "hvagentd: " << error.what() << "\n";
        return 1;
    }
}
