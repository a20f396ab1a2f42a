// The text that /metrics answers: Prometheus' exposition format.
//
// Figures are collected when somebody asks: those of VMs are at most 5 s old (of their balloons and each virtual CPU 30 s),
// those of storages 30 s. A host that does not
// answer holds nobody up for longer than the patience below; its last figures are shown then, and their age.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/inventory/inventory.h"
#include "agent/metrics/agent_metrics.h"
#include "agent/metrics/host_families.h"
#include "agent/metrics/paced_vm_stats.h"
#include "agent/metrics/shared_collection.h"
#include "hvagent/clock.h"
#include "hvagent/drivers/host_load.h"
#include "hvagent/drivers/storage_pool.h"
#include "hvagent/drivers/vm_stats.h"

namespace hvagent::metrics {

struct JobsLoad {
    struct Class {
        std::string name;
        std::size_t waiting = 0, running = 0;
    };
    std::vector<Class> classes;
    std::size_t pending_webhooks = 0;
};

// What is shown; all of it must outlive the page.
struct MetricsSources {
    const Clock& clock;
    const inventory::Inventory& inventory;
    const AgentMetrics& own;
    VmStatsSource& vms;
    StorageFiles& files;
    HostLoadSource& load;
    std::function<JobsLoad()> jobs;
    std::function<Promised()> promised;  // may throw: libvirt is not there
    std::function<bool()> libvirt_answers;
    std::string version;
};

// Thread-safe.
class MetricsPage {
public:
    explicit MetricsPage(MetricsSources sources);
    std::string text();
    // The figures of running VMs that `hvctl top` shows: {"collectedAt", "ageMs", "vms": [{"uuid", "name",
    // "cpuNanoseconds"...}]}.
    nlohmann::json figures();

private:
    using Families = std::vector<prometheus::MetricFamily>;
    void add_vms(Families& all);
    void add_host(Families& all);
    void add_agent(Families& all);

    const MetricsSources sources_;
    PacedVmStats paced_;
    SharedCollection<PacedStats> vm_stats_;
    SharedCollection<std::vector<StorageFigures>> storages_;
};

}  // namespace hvagent::metrics
