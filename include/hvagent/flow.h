// Several effects on the host as named steps: when one fails, the finished ones are undone in reverse, and the first
// error wins.
//
//   Flow(job)
//       .step("create root volume", [&] { ... }, [&] { ... })
//       .step("start", [&] { power.start(vm.uuid, false); })
//       .run();
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "hvagent/job.h"

namespace hvagent {

class Flow {
public:
    explicit Flow(Job& job) : job_(job) {}

    // `action` must be repeatable: after a restart of the daemon the flow runs again from its first step and each action
    // finds what it did before. `undo` must accept that there is nothing to undo; it runs also for the step that failed.
    Flow& step(std::string name, std::function<void()> action, std::function<void()> undo = {});
    // As step(), but never repeated once it has finished, also across a restart.
    Flow& once(std::string name, std::function<void()> action);

    // Throws the first error, with the failed step's name in front of its details. An undo that fails is logged. Nothing is
    // undone when the daemon stops: its next start runs the flow again.
    void run();

private:
    struct Step {
        std::string name;
        std::function<void()> action;
        std::function<void()> undo;
        bool once = false;
    };
    Job& job_;
    std::vector<Step> steps_;
};

}  // namespace hvagent
