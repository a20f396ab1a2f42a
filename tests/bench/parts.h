// The parts of the benchmark; each returns its figures.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/bench/libvirt_peer.h"
#include "tests/bench/rest.h"

namespace hvagent::bench {

inline constexpr const char* system_uri = "qemu:///system";

// The agent that is measured on real guests, and what VMs are made of there.
struct World {
    std::string url, password;
    Rest& rest;
    Webhooks& hooks;
    std::string image, network;

    std::string create_vm(Rest& through, Webhooks& hooks, const std::string& name, int memory_mib) const;
};

struct Sizes {
    int pause_rounds = 50;
    int start_rounds = 10;
    int list_rounds = 30;
    int scale_rounds = 10;
    int ready_rounds = 10;
    int idle_seconds = 20;
    int vms = 100;
    std::vector<int> domains{1000, 5000};
};

void say(const std::string& text);

// pause, resume, start and stop(cold) of one running VM
json measure_commands(const World& world, const std::string& vm, const Sizes& sizes);
// from a change made behind the agent's back until a query shows it
json measure_events(const World& world, const std::string& vm, const Sizes& sizes);
// fills up to sizes.vms paused VMs
void make_paused_vms(const World& world, const Sizes& sizes);
json measure_real_lists(const World& world, const Sizes& sizes);
// list and query of an agent against libvirt and virsh at the same URI
json measure_lists(Rest& rest, const std::string& libvirt_uri, const std::string& vm, int rounds);
// /metrics beside the exporter at this path, with the VMs there are; empty: it is not installed, and this says so
json measure_scrapes(const World& world, const std::string& exporter, int rounds);
// from the stop of a VM behind the agent's back until a controller is told; stops all that are paused
json measure_stop_reports(const World& world, const Sizes& sizes);
// memory, threads and CPU time of the process named hvagentd
json measure_footprint(const Sizes& sizes);
json measure_ready(const std::string& hvagentd, const std::string& directory, const Sizes& sizes);
// an agent of its own on libvirt's test driver
json measure_scale(const std::string& hvagentd, const std::string& directory, int domains, const Sizes& sizes);

// the agent's copies of images beside cp, qemu-img and nbdcopy, in a directory that is made
json measure_copies(const std::string& directory, int size_mib, int rounds);

struct MoveHosts {
    std::string first, second;  // libvirt URIs that this program and each other's libvirtd reach
    std::string shared;         // a directory they share
};
// moves of a booted guest to and fro, by the agent's driver and by virsh
json measure_moves(const MoveHosts& hosts, const std::string& image, int memory_mib, int rounds);

}  // namespace hvagent::bench
