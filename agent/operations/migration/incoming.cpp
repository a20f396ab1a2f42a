#include "agent/operations/migration/incoming.h"

#include <pthread.h>

#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::operations {

IncomingMigration::IncomingMigration(Services& services, Arrival arrival)
    : services_(services),
      arrival_(std::move(arrival)),
      room_(services.capacity.reserve(arrival_.bundle.vm.uuid, arrival_.bundle.vm.cpus, arrival_.bundle.vm.memory)),
      thread_([this] {
          pthread_setname_np(pthread_self(), "vm-arrival");
          run();
      }) {}

IncomingMigration::~IncomingMigration() {
    cancel(CancelReason::asked);
    thread_.join();
}

void IncomingMigration::cancel(CancelReason reason) {
    cancellation_.request(reason);
}

void IncomingMigration::run() {
    Sight end;
    try {
        prepare_arrival(
            services_, arrival_,
            [this](int percent, const std::string& what) {
                std::lock_guard lock(mutex_);
                sight_.percent = percent;
                sight_.what = what;
                changed_.notify_all();
            },
            cancellation_);
        end.state = State::ready;
        end.percent = 100;
    } catch (...) {
        end.state = State::failed;
        end.error = current_error();
    }
    const bool comes = end.state == State::ready;
    {
        std::lock_guard lock(mutex_);
        sight_ = std::move(end);
        changed_.notify_all();
    }
    if (!comes || cancellation_.wanted()) return;
    try {
        announce_arrival(services_, arrival_);
    } catch (...) {  // tried again once it has come
        log::warning("the network does not know yet of a VM that arrives",
                     {{"vm", arrival_.bundle.vm.uuid.str()}, {"error", current_error().details()}});
    }
}

IncomingMigration::Sight IncomingMigration::wait(milliseconds patience) {
    std::unique_lock lock(mutex_);
    const std::string known = sight_.what + std::to_string(sight_.percent);
    changed_.wait_for(lock, patience, [&] {
        return sight_.state != State::preparing || sight_.what + std::to_string(sight_.percent) != known;
    });
    return sight_;
}

}  // namespace hvagent::operations
