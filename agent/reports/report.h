// Reports: what the agent tells its controllers and the readers of its event stream.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "hvagent/clock.h"

namespace hvagent::reports {

using nlohmann::json;

// Kinds that stand in the log and have a number. Others (hostConnect, snapshot, heartbeat) are made when they are sent.
inline constexpr std::string_view vm_states = "vmStates";      // "vms": changes, in order
inline constexpr std::string_view vm_guests = "vmGuests";      // "guests": what is known of those of VMs
inline constexpr std::string_view host_events = "hostEvents";  // "events"
inline constexpr std::string_view job_results = "jobResults";  // "jobs"

// The member of a report of this kind that holds its list.
inline const char* list_name(std::string_view kind) {
    return kind == vm_states ? "vms" : kind == vm_guests ? "guests" : kind == host_events ? "events" : "jobs";
}

struct Report {
    std::int64_t position = 0;  // in the log, over all lives of the agent
    std::string boot;           // the life of the agent it belongs to
    std::int64_t sequence = 0;  // counts from 1 in that life
    std::string kind;
    std::string items;  // JSON text of a list

    std::string id() const { return boot + "-" + std::to_string(sequence); }
};

}  // namespace hvagent::reports
