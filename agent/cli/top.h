// `hvctl top`: what VMs do now, from two samples of the agent's counters.
#pragma once
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace hvagent::cli {

using nlohmann::json;

class TopRates {
public:
    // An answer of /hvagent/v1/figures. Rows, the busiest first: {"uuid", "name", "state", "vcpus", "memory"} and, from the
    // second sample of a VM on, "cpuPercent" (100: one CPU), "diskReadRate", "diskWriteRate", "receiveRate", "transmitRate"
    // (bytes per second). The same sample again gives the rows of before.
    json rows(const json& figures);
    bool has_rates() const { return has_rates_; }

private:
    struct Sample {
        std::int64_t at_ms = 0;
        std::map<std::string, json> vms;
    };
    std::optional<Sample> last_;
    json rows_ = json::array();
    bool has_rates_ = false;
};

// For people: sizes and rates in units.
json shown_rows(const json& rows);

}  // namespace hvagent::cli
