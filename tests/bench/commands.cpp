#include "tests/bench/parts.h"
#include "tests/bench/program.h"

namespace hvagent::bench {
namespace {

using Step = std::function<double()>;

// One way to do two things that undo each other.
struct Way {
    Samples Sides::*side;
    Step there, back;
};

Step virsh(const char* command, const std::string& vm) {
    return [command, vm] { return timed([&] { run_program({"virsh", "-q", "-c", system_uri, command, vm}); }); };
}

// A, B, C, A, B, C: each way does both steps before the next one has its turn. The inventory must agree before the clock
// starts: it is the event of the call before that is waited for, which is no part of a command.
void measure_pair(const World& world, const std::string& vm, const std::vector<Way>& ways, const char* state_there,
                  const char* state_back, int rounds, Sides& there, Sides& back, Sides& both) {
    for (int round = 0; round < rounds; ++round) {
        for (const Way& way : ways) {
            world.rest.await_state(vm, state_back);
            const double one = way.there();
            world.rest.await_state(vm, state_there);
            const double other = way.back();
            if (round == 0) continue;  // warms up
            (there.*way.side).add(one);
            (back.*way.side).add(other);
            (both.*way.side).add(one + other);
        }
    }
    world.rest.await_state(vm, state_back);
}

Step rest(const World& world, const std::string& vm, const char* action, json parameters = json::object()) {
    return [&world, vm, action, parameters] { return world.rest.act(world.hooks, vm, action, parameters); };
}

}  // namespace

json measure_commands(const World& world, const std::string& vm, const Sizes& sizes) {
    LibvirtPeer libvirt(system_uri);
    LibvirtPeer::Vm domain = libvirt.vm(vm);
    const auto raw = [&domain](void (LibvirtPeer::Vm::*call)()) {
        return [&domain, call] { return timed([&] { (domain.*call)(); }); };
    };

    say("pause and resume, " + std::to_string(sizes.pause_rounds) + " rounds");
    Sides pause, resume, pause_resume;
    measure_pair(world, vm,
                 {{&Sides::rest, rest(world, vm, "pauseVmInstance"), rest(world, vm, "resumeVmInstance")},
                  {&Sides::raw, raw(&LibvirtPeer::Vm::suspend), raw(&LibvirtPeer::Vm::resume)},
                  {&Sides::virsh, virsh("suspend", vm), virsh("resume", vm)}},
                 "Paused", "Running", sizes.pause_rounds + 1, pause, resume, pause_resume);

    say("stop (cold) and start, " + std::to_string(sizes.start_rounds) + " rounds");
    Sides stop, start, stop_start;
    measure_pair(world, vm,
                 {{&Sides::rest, rest(world, vm, "stopVmInstance", {{"type", "cold"}}), rest(world, vm, "startVmInstance")},
                  {&Sides::raw, raw(&LibvirtPeer::Vm::destroy), raw(&LibvirtPeer::Vm::start)},
                  {&Sides::virsh, virsh("destroy", vm), virsh("start", vm)}},
                 "Stopped", "Running", sizes.start_rounds + 1, stop, start, stop_start);

    return {{"pause", pause.to_json()},    {"resume", resume.to_json()}, {"pause+resume", pause_resume.to_json()},
            {"stop_cold", stop.to_json()}, {"start", start.to_json()},   {"start+stop_cold", stop_start.to_json()}};
}

}  // namespace hvagent::bench
