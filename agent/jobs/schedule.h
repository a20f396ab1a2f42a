// Which job may run next: the order of the queues and the limits of the classes. No threads, no clock.
#pragma once
#include <array>
#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "hvagent/job.h"

namespace hvagent::jobs {

// Not thread-safe. A ticket stays where it is from add() to remove(); until then no later ticket of its queues may run.
class Schedule {
public:
    struct Ticket {
        JobClass kind = JobClass::quick;
        std::vector<std::string> queues;

    private:
        friend class Schedule;
        enum class State { held, free, taken };
        State state = State::held;
        std::size_t behind = 0;  // queues in which others stand before it
    };
    using Limits = std::array<std::size_t, 4>;  // by JobClass

    explicit Schedule(const Limits& limits);

    // To the end of its queues, held: it keeps its place but does not run.
    void add(Ticket& ticket);
    void release(Ticket& ticket);
    void hold(Ticket& ticket);  // not for a taken one
    void remove(Ticket& ticket);
    // The next that may run, taken from now on; null when there is none. Classes take turns.
    Ticket* take();

    std::size_t waiting() const { return waiting_; }
    std::size_t running() const;
    std::size_t waiting(JobClass kind) const { return classes_[static_cast<std::size_t>(kind)].waiting; }
    std::size_t running(JobClass kind) const { return classes_[static_cast<std::size_t>(kind)].taken; }

private:
    struct Class {
        std::size_t limit = 1;
        std::size_t taken = 0;
        std::size_t waiting = 0;
        std::deque<Ticket*> startable;
    };
    Class& class_of(const Ticket& ticket) { return classes_[static_cast<std::size_t>(ticket.kind)]; }
    void offer_if_first(Ticket& ticket);

    std::array<Class, 4> classes_;
    std::size_t turn_ = 0;
    std::size_t waiting_ = 0;
    std::unordered_map<std::string, std::deque<Ticket*>> queues_;
};

}  // namespace hvagent::jobs
