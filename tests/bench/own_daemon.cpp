#include "tests/bench/own_daemon.h"

#include <httplib.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/program.h"
#include "tests/bench/samples.h"

namespace hvagent::bench {

OwnDaemon::OwnDaemon(std::string program, std::string directory, const std::string& libvirt_uri, int port)
    : program_(std::move(program)), directory_(std::move(directory)), port_(port) {
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ + "/hvagentd.toml")
        << "[http]\nlisten = \"127.0.0.1:" << port_ << "\"\n[libvirt]\nuri = \"" << libvirt_uri
        << "\"\nvirt_type = \"qemu\"\n[state]\ndirectory = \"" << directory_ << "\"\n[admin]\npassword = \"" << password
        << "\"\n[primary_storage]\npath = \"" << directory_ << "/primary\"\n[backup_storage]\npath = \"" << directory_
        << "/backup\"\n[network]\nenabled = false\n[log]\ntarget = \"stderr\"\n";
}

OwnDaemon::~OwnDaemon() {
    stop();
}

double OwnDaemon::start() {
    const Moment began = Clock::now();
    pid_ = spawn({program_, "--config", directory_ + "/hvagentd.toml"}, directory_ + "/log");
    while (ms_since(began) < 60000) {
        httplib::Client probe(url());
        const auto answer = probe.Get("/hvagent/v1/ready");
        if (answer && answer->status == 200) return ms_since(began);
        if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = 0;
            std::ifstream log(directory_ + "/log");
            throw std::runtime_error("hvagentd ended: " + std::string(std::istreambuf_iterator<char>(log), {}));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw std::runtime_error("hvagentd is not ready after a minute");
}

void OwnDaemon::stop() {
    if (pid_ == 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

}  // namespace hvagent::bench
