// What is known of each VM, under the names that prometheus-libvirt-exporter (Debian's, of kumina, and its descendants)
// made known, so that dashboards made for it work; what it has no name for begins with hvagent_vm_.
#pragma once
#include <vector>

#include "agent/metrics/families.h"
#include "hvagent/drivers/vm_stats.h"
#include "hvagent/model/vm.h"

namespace hvagent::metrics {

// `vms`: all that exist; figures of others, and of those that are off by now, are left out.
void add_vm_states(std::vector<prometheus::MetricFamily>& all, const std::vector<Vm>& vms);
void add_vm_figures(std::vector<prometheus::MetricFamily>& all, const std::vector<Vm>& vms,
                    const std::vector<VmStats>& stats);

}  // namespace hvagent::metrics
