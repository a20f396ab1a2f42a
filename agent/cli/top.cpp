#include "agent/cli/top.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hvagent::cli {
namespace {

struct Rate {
    const char* counter;
    const char* name;
    double scale;
};

constexpr std::array rates{
    Rate{"cpuNanoseconds", "cpuPercent", 1e-7},  // nanoseconds per second -> percent
    Rate{"diskReadBytes", "diskReadRate", 1},   Rate{"diskWrittenBytes", "diskWriteRate", 1},
    Rate{"nicReceivedBytes", "receiveRate", 1}, Rate{"nicTransmittedBytes", "transmitRate", 1},
};

// A counter that went back belongs to a new life of the VM.
void add_rates(json& row, const json& before, const json& now, double elapsed_s) {
    for (const Rate& rate : rates) {
        if (!before.contains(rate.counter) || !now.contains(rate.counter)) continue;
        const double grown = now[rate.counter].get<double>() - before[rate.counter].get<double>();
        if (grown >= 0) row[rate.name] = grown / elapsed_s * rate.scale;
    }
}

std::string shown_size(double bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return text;
}

std::string shown_at(const json& row, const char* key, const char* unit = "") {
    return row.contains(key) ? shown_size(row[key].get<double>()) + unit : "-";
}

}  // namespace

json TopRates::rows(const json& figures) {
    Sample now{figures.at("collectedAt").get<std::int64_t>(), {}};
    // The age is told in milliseconds and the time comes from it: the same sample moves by one or two.
    if (last_ && now.at_ms - last_->at_ms < 100) return rows_;
    rows_ = json::array();
    has_rates_ = last_.has_value();
    for (const json& vm : figures.at("vms")) {
        json row;
        for (const char* key : {"uuid", "name", "state", "vcpus", "memory", "residentMemory", "qemuResponds"})
            if (vm.contains(key)) row[key] = vm[key];
        const std::string uuid = vm.at("uuid").get<std::string>();
        if (last_ && last_->vms.contains(uuid))
            add_rates(row, last_->vms.at(uuid), vm, static_cast<double>(now.at_ms - last_->at_ms) / 1000);
        rows_.push_back(std::move(row));
        now.vms[uuid] = vm;
    }
    std::stable_sort(rows_.begin(), rows_.end(), [](const json& one, const json& other) {
        return one.value("cpuPercent", -1.0) > other.value("cpuPercent", -1.0);
    });
    last_ = std::move(now);
    return rows_;
}

json shown_rows(const json& rows) {
    json shown = json::array();
    for (const json& row : rows) {
        char cpu[16] = "-";
        if (row.contains("cpuPercent")) std::snprintf(cpu, sizeof cpu, "%.1f", row["cpuPercent"].get<double>());
        shown.push_back({{"vm", row.value("name", "")},
                         {"uuid", row.value("uuid", "").substr(0, 8)},
                         {"state", row.value("qemuResponds", true) ? row.value("state", "") : "QEMU is silent"},
                         {"vcpus", row.value("vcpus", 0)},
                         {"cpu%", cpu},
                         {"memory", shown_at(row, "memory")},
                         {"resident", shown_at(row, "residentMemory")},
                         {"read", shown_at(row, "diskReadRate", "/s")},
                         {"written", shown_at(row, "diskWriteRate", "/s")},
                         {"received", shown_at(row, "receiveRate", "/s")},
                         {"sent", shown_at(row, "transmitRate", "/s")}});
    }
    return shown;
}

}  // namespace hvagent::cli
