// The preparations for one VM that comes, while they are made: on a thread of their own, watched by the source.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "agent/operations/migration/arrival.h"
#include "agent/operations/place/host_capacity.h"
#include "hvagent/error.h"

namespace hvagent::operations {

// Thread-safe.
class IncomingMigration {
public:
    enum class State { preparing, ready, failed };
    struct Sight {
        State state = State::preparing;
        int percent = 0;
        std::string what;
        std::optional<Error> error;
    };

    IncomingMigration(Services& services, Arrival arrival);
    ~IncomingMigration();  // the preparations end where they are

    // At once when they are over, else after `patience` or a step of progress.
    Sight wait(milliseconds patience);
    void cancel(CancelReason reason);
    const Arrival& arrival() const { return arrival_; }

private:
    void run();

    Services& services_;
    const Arrival arrival_;
    std::unique_ptr<HostCapacity::Reservation> room_;  // until the running VM itself counts
    Cancellation cancellation_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Sight sight_;
    std::thread thread_;
};

}  // namespace hvagent::operations
