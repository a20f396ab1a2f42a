#include <stdexcept>

#include "tests/bench/parts.h"

namespace hvagent::bench {
namespace {

// Asks without a pause, so that the answer is late by one query at most. Bounded by ten seconds.
void until_shown(Rest& rest, const std::string& vm, const std::string& state) {
    const Moment began = Clock::now();
    while (rest.state_of(vm) != state)
        if (ms_since(began) > 10000)
            throw std::runtime_error("the inventory does not show " + vm + " " + state + " after 10 s");
}

}  // namespace

json measure_events(const World& world, const std::string& vm, const Sizes& sizes) {
    say("event to inventory, " + std::to_string(sizes.pause_rounds) + " rounds");
    LibvirtPeer libvirt(system_uri);
    LibvirtPeer::Vm domain = libvirt.vm(vm);
    Samples after_return, after_call, query;
    const auto change = [&](void (LibvirtPeer::Vm::*call)(), const char* state) {
        const Moment called = Clock::now();
        (domain.*call)();
        const Moment returned = Clock::now();
        until_shown(world.rest, vm, state);
        after_return.add(ms_since(returned));
        after_call.add(ms_since(called));
        query.add(timed([&] { world.rest.state_of(vm); }));
    };
    for (int round = 0; round < sizes.pause_rounds; ++round) {
        change(&LibvirtPeer::Vm::suspend, "Paused");
        change(&LibvirtPeer::Vm::resume, "Running");
    }
    return {{"after_the_call_returned", after_return.to_json()},
            {"after_the_call_was_made", after_call.to_json()},
            {"one_query", query.to_json()}};
}

}  // namespace hvagent::bench
