// Jobs that failed before they were any: asynchronous calls without a valid session. The contract answers them with a job
// that fails; here it lives in memory only, so that strangers cannot fill the database.
#pragma once
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "hvagent/clock.h"
#include "hvagent/error.h"

namespace hvagent::http {

// Thread-safe.
class RefusedJobs {
public:
    explicit RefusedJobs(const Clock& clock) : clock_(clock) {}

    void add(const std::string& uuid, const Error& error);
    std::optional<Error> find(const std::string& uuid) const;

private:
    struct Entry {
        Error error;
        Moment until;
    };

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;
    std::deque<std::string> by_age_;
};

}  // namespace hvagent::http
