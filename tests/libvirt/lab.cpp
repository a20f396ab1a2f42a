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

namespace hvagent::testing {
namespace {

struct Outcome {
    int status = 0;
    std::string output;
};

std::string lab_name() {
    return "test" + std::to_string(getpid());
}

Outcome run_lab(const std::string& words) {
    const std::string command =
        "LAB_NAME=" + lab_name() + " timeout 60 " HVAGENT_SOURCE_DIR "/scripts/lab " + words + " 2>&1";
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
    static std::unique_ptr<Lab> lab = [] {
        std::unique_ptr<Lab> made(new Lab());
        if (!made->make(reason)) made.reset();
        return made;
    }();
    return lab.get();
}

const std::string& Lab::why() {
    return reason;
}

bool Lab::make(std::string& why) {
    if (geteuid() != 0) return why = "a lab needs root for its namespaces", false;
    const Outcome outcome = run_lab("up 1 --hvagentd none");
    const std::size_t begin = outcome.output.find("{\"host\"");
    if (outcome.status != 0 || begin == std::string::npos) return why = "scripts/lab: " + outcome.output, false;
    const auto host = nlohmann::json::parse(outcome.output.substr(begin, outcome.output.find('\n', begin) - begin));
    uri_ = host.at("libvirt_uri");
    directory_ = host.at("dir");
    return true;
}

Lab::~Lab() {
    run_lab("down");
}

std::string Lab::guest_image() {
    const Outcome outcome = run_lab("image");
    const std::size_t begin = outcome.output.find("{\"qcow2\"");
    if (outcome.status != 0 || begin == std::string::npos) return {};
    return nlohmann::json::parse(outcome.output.substr(begin, outcome.output.find('\n', begin) - begin)).at("qcow2");
}

void Lab::control(const std::string& words) const {
    const Outcome outcome = run_lab(words);
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
