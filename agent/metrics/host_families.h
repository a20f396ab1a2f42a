// What is known of the host, its storages, and the daemon's process.
#pragma once
#include <vector>

#include "agent/metrics/families.h"
#include "hvagent/drivers/host_load.h"
#include "hvagent/units.h"

namespace hvagent::metrics {

// What is promised to VMs of what may be.
struct Promised {
    double cpus = 0, cpus_limit = 0;
    Bytes memory = 0, memory_limit = 0;
};

struct StorageFigures {
    std::string kind;  // "primary" or "backup"
    std::string name;
    std::string uuid;
    bool answers = true;
    Bytes total = 0, available = 0;  // of its file system
};

void add_host_load(std::vector<prometheus::MetricFamily>& all, const HostLoad& load);
void add_promised(std::vector<prometheus::MetricFamily>& all, const Promised& promised);
void add_storages(std::vector<prometheus::MetricFamily>& all, const std::vector<StorageFigures>& storages);
// Under the names that all of Prometheus' client libraries use.
void add_own_process(std::vector<prometheus::MetricFamily>& all, const ProcessLoad& process);
void add_libvirt_process(std::vector<prometheus::MetricFamily>& all, const ProcessLoad& process);

}  // namespace hvagent::metrics
