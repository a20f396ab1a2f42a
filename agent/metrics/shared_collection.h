// Figures that several readers share: collected when somebody asks and they are old, by one thread, once for all who ask.
#pragma once
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "hvagent/clock.h"
#include "hvagent/error.h"
#include "hvagent/log.h"

namespace hvagent::metrics {

// Thread-safe. No thread lives between collections.
template <class Value>
class SharedCollection {
public:
    struct Seen {
        std::shared_ptr<const Value> value;  // null: never collected
        milliseconds age{0};                 // of `value`
        milliseconds took{0};
        bool failed = false;  // the last collection did, or is late; then `value` is an older one
    };

    // `name`: for the log. `collect` must outlive this object by as long as it may hang.
    SharedCollection(std::string name, const Clock& clock, milliseconds lifetime, std::function<Value()> collect)
        : clock_(clock), lifetime_(lifetime), state_(std::make_shared<State>()) {
        state_->name = std::move(name);
        state_->collect = std::move(collect);
    }
    // Waits for a collection under way, but not for one that hangs (a dead NFS server).
    ~SharedCollection() {
        std::unique_lock lock(state_->mutex);
        state_->changed.wait_for(lock, seconds(10), [this] { return !state_->collecting; });
    }
    SharedCollection(const SharedCollection&) = delete;
    SharedCollection& operator=(const SharedCollection&) = delete;

    // Waits at most `patience` for new figures; then the old ones must do.
    Seen get(milliseconds patience) {
        State& state = *state_;
        std::unique_lock lock(state.mutex);
        const auto is_fresh = [&] { return state.ended && clock_.moment() - *state.ended < lifetime_; };
        bool in_time = true;
        if (!is_fresh()) {
            if (!state.collecting) begin();
            const std::uint64_t awaited = state.collections + 1;
            in_time = state.changed.wait_for(lock, patience, [&] { return state.collections >= awaited; });
        }
        Seen seen{state.value, {}, state.took, state.failed || !in_time};
        if (state.value) seen.age = std::chrono::duration_cast<milliseconds>(clock_.moment() - state.collected);
        return seen;
    }

private:
    struct State {
        std::string name;
        std::function<Value()> collect;
        std::mutex mutex;
        std::condition_variable changed;
        bool collecting = false;
        bool failed = false;
        std::uint64_t collections = 0;
        std::optional<Moment> ended;  // of the last one, also when it failed: a silent host is not asked all the time
        std::shared_ptr<const Value> value;
        Moment collected{};
        milliseconds took{0};
    };

    // With the mutex held.
    void begin() {
        state_->collecting = true;
        std::thread([state = state_, &clock = clock_] { run(*state, clock); }).detach();
    }

    static void run(State& state, const Clock& clock) {
        const Moment began = clock.moment();
        std::shared_ptr<const Value> value;
        try {
            value = std::make_shared<const Value>(state.collect());
        } catch (...) {
            log::debug("figures not collected", {{"of", state.name}, {"error", current_error().details()}});
        }
        const std::lock_guard lock(state.mutex);
        state.failed = !value;
        state.ended = clock.moment();
        if (value) {
            state.took = std::chrono::duration_cast<milliseconds>(*state.ended - began);
            state.collected = *state.ended;
            state.value = std::move(value);
        }
        state.collecting = false;
        ++state.collections;
        state.changed.notify_all();
    }

    const Clock& clock_;
    const milliseconds lifetime_;
    const std::shared_ptr<State> state_;
};

}  // namespace hvagent::metrics
