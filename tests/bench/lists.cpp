#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "tests/bench/parts.h"
#include "tests/bench/program.h"

namespace hvagent::bench {

namespace {

constexpr int filler_memory_mib = 32;  // never boots: it is paused while the BIOS is at work
constexpr int makers = 4;

}  // namespace

std::string World::create_vm(Rest& through, Webhooks& own_hooks, const std::string& name, int memory_mib) const {
    const json wished = {{"params",
                          {{"name", name},
                           {"cpuNum", 1},
                           {"memorySize", static_cast<std::int64_t>(memory_mib) << 20},
                           {"imageUuid", image},
                           {"l3NetworkUuids", {network}}}}};
    json made;
    through.run(own_hooks, "POST", "/vm-instances", wished, &made);
    return made.at("inventory").at("uuid").get<std::string>();
}

void make_paused_vms(const World& world, const Sizes& sizes) {
    const int present = world.rest.get("/vm-instances?count=true").at("total").get<int>();
    say(std::to_string(sizes.vms) + " paused VMs");
    std::atomic<int> next = present;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto make = [&] {
        try {
            Rest own(world.url, world.password);
            for (int i; (i = next++) < sizes.vms;)
                own.act(world.hooks, world.create_vm(own, world.hooks, "filler-" + std::to_string(i), filler_memory_mib),
                        "pauseVmInstance");
        } catch (...) {
            next = sizes.vms;
            std::lock_guard lock(mutex);
            failure = std::current_exception();
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < makers; ++i) threads.emplace_back(make);
    for (std::thread& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
}

json measure_lists(Rest& rest, const std::string& libvirt_uri, const std::string& vm, int rounds) {
    LibvirtPeer libvirt(libvirt_uri);
    Sides list, names, one;
    const auto add = [](Sides& sides, Samples Sides::*side, const std::function<void()>& work) {
        (sides.*side).add(timed(work));
    };
    const std::string domain = vm;
    for (int round = 0; round < rounds; ++round) {
        add(list, &Sides::rest, [&] { rest.get_size("/vm-instances?limit=100000"); });
        add(names, &Sides::rest, [&] { rest.get_size("/vm-instances?limit=100000&fields=uuid,name,state"); });
        add(one, &Sides::rest, [&] { rest.get_size("/vm-instances?q=uuid=" + vm + "&fields=uuid,name,state"); });
        add(list, &Sides::raw, [&] { libvirt.list(); });
        add(one, &Sides::raw, [&] { libvirt.vm(domain).state(); });
        add(list, &Sides::virsh, [&] { run_program({"virsh", "-q", "-c", libvirt_uri, "list", "--all"}); });
        add(one, &Sides::virsh, [&] { run_program({"virsh", "-q", "-c", libvirt_uri, "domstate", domain}); });
    }
    names.raw = list.raw;
    names.virsh = list.virsh;
    return {{"domains", libvirt.list()},
            {"list_bytes", rest.get_size("/vm-instances?limit=100000")},
            {"list_all_fields", list.to_json()},
            {"list_uuid_name_state", names.to_json()},
            {"query_one", one.to_json()}};
}

json measure_real_lists(const World& world, const Sizes& sizes) {
    const json found = world.rest.get("/vm-instances?q=state=Paused&limit=1&fields=uuid").at("inventories");
    say("list and query");
    return measure_lists(world.rest, system_uri, found.at(0).at("uuid").get<std::string>(), sizes.list_rounds);
}

}  // namespace hvagent::bench
