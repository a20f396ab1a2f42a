#include "tests/libvirt/lab.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

namespace hvagent::testing {
namespace {

struct Outcome {
    int status = 0;
    std::string output;
};

Outcome run_lab(const std::string& name, const std::string& words) {
    const std::string command = "LAB_NAME=" + name + " timeout 60 " HVAGENT_SOURCE_DIR "/scripts/lab " + words + " 2>&1";
    Outcome outcome;
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) return {1, "popen failed"};
    std::array<char, 4096> block{};
    for (std::size_t got; (got = fread(block.data(), 1, block.size(), pipe)) > 0;) outcome.output.append(block.data(), got);
    outcome.status = pclose(pipe);
    return outcome;
}

std::string reason;

}  // namespace

Lab* Lab::get() {
    static const std::unique_ptr<Lab> lab = make("test", 1);
    return lab.get();
}

Lab* Lab::pair() {
    static const std::unique_ptr<Lab> lab = make("pair", 2);
    return lab.get();
}

const std::string& Lab::why() {
    return reason;
}

std::unique_ptr<Lab> Lab::make(const std::string& kind, int hosts) {
    if (geteuid() != 0) {
        reason = "a lab needs root for its namespaces";
        return nullptr;
    }
    std::unique_ptr<Lab> lab(new Lab(kind + std::to_string(getpid())));
    const Outcome outcome = run_lab(lab->name_, "up " + std::to_string(hosts) + " --hvagentd none");
    std::istringstream lines(outcome.output);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("{\"host\"")) continue;
        const auto host = nlohmann::json::parse(line);
        lab->hosts_.push_back({host.at("libvirt_uri"), host.at("dir"), host.at("shared_dir")});
    }
    if (outcome.status == 0 && lab->hosts_.size() == static_cast<std::size_t>(hosts)) return lab;
    reason = "scripts/lab: " + outcome.output;
    return nullptr;
}

Lab::~Lab() {
    run_lab(name_, "down");
}

std::string Lab::guest_image() {
    const Outcome outcome = run_lab("image", "image");
    const std::size_t begin = outcome.output.find("{\"qcow2\"");
    if (outcome.status != 0 || begin == std::string::npos) return {};
    return nlohmann::json::parse(outcome.output.substr(begin, outcome.output.find('\n', begin) - begin)).at("qcow2");
}

void Lab::control(const std::string& words) const {
    const Outcome outcome = run_lab(name_, words);
    if (outcome.status != 0) ADD_FAILURE() << "scripts/lab " << words << ": " << outcome.output;
}

pid_t Lab::qemu_of(const VmId& vm) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::ifstream file(entry.path() / "cmdline", std::ios::binary);
        const std::string words((std::istreambuf_iterator<char>(file)), {});
        if (words.find("qemu-system") < 40 && words.find("guest=" + vm.str()) != std::string::npos)
            return static_cast<pid_t>(std::stol(name));
    }
    return 0;
}

void Lab::signal_qemu(const VmId& vm, int number) {
    const pid_t qemu = qemu_of(vm);
    ASSERT_NE(qemu, 0) << "no QEMU runs VM " << vm.str();
    ASSERT_EQ(kill(qemu, number), 0);
}

}  // namespace hvagent::testing
