#include "agent/jobs/schedule.h"

#include <algorithm>

namespace hvagent::jobs {

Schedule::Schedule(const Limits& limits) {
    for (std::size_t i = 0; i < limits.size(); ++i) classes_[i].limit = std::max<std::size_t>(limits[i], 1);
}

void Schedule::add(Ticket& ticket) {
    // A job that names a resource twice must not wait for itself.
    std::sort(ticket.queues.begin(), ticket.queues.end());
    ticket.queues.erase(std::unique(ticket.queues.begin(), ticket.queues.end()), ticket.queues.end());
    ticket.state = Ticket::State::held;
    ticket.behind = 0;
    for (const std::string& name : ticket.queues) {
        auto& queue = queues_[name];
        if (!queue.empty()) ++ticket.behind;
        queue.push_back(&ticket);
    }
    ++waiting_;
    ++class_of(ticket).waiting;
}

void Schedule::release(Ticket& ticket) {
    ticket.state = Ticket::State::free;
    offer_if_first(ticket);
}

void Schedule::hold(Ticket& ticket) {
    ticket.state = Ticket::State::held;
    if (ticket.behind == 0) std::erase(class_of(ticket).startable, &ticket);
}

void Schedule::remove(Ticket& ticket) {
    if (ticket.state == Ticket::State::taken) {
        --class_of(ticket).taken;
    } else {
        if (ticket.state == Ticket::State::free) hold(ticket);
        --waiting_;
        --class_of(ticket).waiting;
    }
    for (const std::string& name : ticket.queues) {
        const auto found = queues_.find(name);
        auto& queue = found->second;
        const bool was_first = queue.front() == &ticket;
        queue.erase(std::find(queue.begin(), queue.end(), &ticket));
        if (queue.empty()) {
            queues_.erase(found);
        } else if (was_first) {
            --queue.front()->behind;
            offer_if_first(*queue.front());
        }
    }
}

void Schedule::offer_if_first(Ticket& ticket) {
    if (ticket.state == Ticket::State::free && ticket.behind == 0) class_of(ticket).startable.push_back(&ticket);
}

Schedule::Ticket* Schedule::take() {
    for (std::size_t i = 0; i < classes_.size(); ++i) {
        Class& next = classes_[turn_++ % classes_.size()];
        if (next.startable.empty() || next.taken >= next.limit) continue;
        Ticket* ticket = next.startable.front();
        next.startable.pop_front();
        ticket->state = Ticket::State::taken;
        ++next.taken;
        --waiting_;
        --next.waiting;
        return ticket;
    }
    return nullptr;
}

std::size_t Schedule::running() const {
    std::size_t sum = 0;
    for (const Class& one : classes_) sum += one.taken;
    return sum;
}

}  // namespace hvagent::jobs
