// What an operation sees of the job it runs in.
#pragma once
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "hvagent/cancel.h"
#include "hvagent/clock.h"
#include "hvagent/ids.h"

namespace hvagent {

// Used from the thread that runs the job.
class Job {
public:
    virtual ~Job() = default;
    virtual const JobId& id() const = 0;
    virtual const std::string& account() const = 0;  // uuid of who asked
    virtual Cancellation& cancellation() = 0;
    // When the job's time is over; waits must not go past it.
    virtual Moment deadline() const = 0;
    // Shown by polls and GetTaskProgress; percent never goes back.
    virtual void progress(int percent, const std::string& what) = 0;
    // True when an earlier life of the daemon began this job: the handler must look at the truth before it acts.
    virtual bool resumed() const = 0;
    // Facts that survive a restart; on disk before `remember` returns.
    virtual void remember(const std::string& key, const nlohmann::json& value) = 0;
    virtual std::optional<nlohmann::json> recall(const std::string& key) const = 0;
};

// Classes with limits of their own, so that a storm of one cannot starve another.
enum class JobClass { quick, power, copy, migrate };

}  // namespace hvagent
