#include "hvagent/flow.h"

#include <nlohmann/json.hpp>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent {

Flow& Flow::step(std::string name, std::function<void()> action, std::function<void()> undo) {
    steps_.push_back({std::move(name), std::move(action), std::move(undo), false});
    return *this;
}

Flow& Flow::once(std::string name, std::function<void()> action) {
    steps_.push_back({std::move(name), std::move(action), {}, true});
    return *this;
}

void Flow::run() {
    std::size_t reached = 0;
    try {
        for (; reached < steps_.size(); ++reached) {
            const Step& step = steps_[reached];
            job_.cancellation().check();
            job_.progress(static_cast<int>(reached * 100 / steps_.size()), step.name);
            const std::string key = "done: " + step.name;
            if (step.once && job_.recall(key)) continue;
            step.action();
            if (step.once) job_.remember(key, true);
        }
    } catch (...) {
        const Error cause = current_error();
        const bool interrupted =
            job_.cancellation().reason() == CancelReason::stopping && cause.code() == Code::job_cancelled;
        if (interrupted) throw;
        log::warning("step failed, undoing", {{"step", steps_[reached].name}, {"error", cause.details()}});
        for (std::size_t i = reached + 1; i-- > 0;) {
            if (!steps_[i].undo) continue;
            try {
                steps_[i].undo();
            } catch (...) {
                log::error("undo failed", {{"step", steps_[i].name}, {"error", current_error().details()}});
            }
        }
        const std::string details = steps_[reached].name + ": " + cause.details();
        if (cause.cause()) throw Error(cause.code(), details, *cause.cause());
        throw Error(cause.code(), details);
    }
}

}  // namespace hvagent
