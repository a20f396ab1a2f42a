#include "agent/metrics/host_families.h"

namespace hvagent::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void add_pressure(std::vector<MetricFamily>& all, const std::map<std::string, Pressure>& pressure) {
    Family waited(all, "hvagent_host_pressure_waited_seconds_total",
                  "Time in which some or all (scope full) tasks waited for the resource (PSI)", MetricType::Counter);
    Family share(all, "hvagent_host_pressure_ratio", "Share of the last time in which tasks waited for the resource (PSI)",
                 MetricType::Gauge);
    const auto add = [&](const std::string& resource, const char* scope, const Pressure::Line& line) {
        const Labels labels{{"resource", resource}, {"scope", scope}};
        waited.add(labels, static_cast<double>(line.waited_us) / 1e6);
        share.add(with(labels, "window", "10s"), line.last_10_s / 100);
        share.add(with(labels, "window", "60s"), line.last_60_s / 100);
        share.add(with(labels, "window", "300s"), line.last_300_s / 100);
    };
    for (const auto& [resource, lines] : pressure) {
        add(resource, "some", lines.some);
        if (lines.full) add(resource, "full", *lines.full);
    }
}

}  // namespace

void add_host_load(std::vector<MetricFamily>& all, const HostLoad& load) {
    add_gauge(all, "hvagent_host_cpus", "CPUs online", load.cpus_online);
    add_gauge(all, "hvagent_host_load1", "Load average of a minute", load.load_1_min);
    add_gauge(all, "hvagent_host_load5", "Load average of five minutes", load.load_5_min);
    add_gauge(all, "hvagent_host_load15", "Load average of fifteen minutes", load.load_15_min);
    add_gauge(all, "hvagent_host_memory_bytes", "Memory of the host", static_cast<double>(load.memory_total));
    add_gauge(all, "hvagent_host_memory_available_bytes", "Memory that could be used without swapping",
              static_cast<double>(load.memory_available));
    add_gauge(all, "hvagent_host_swap_bytes", "Swap space of the host", static_cast<double>(load.swap_total));
    add_gauge(all, "hvagent_host_swap_free_bytes", "Swap space that is free", static_cast<double>(load.swap_free));
    {
        Family cpu(all, "hvagent_host_cpu_seconds_total", "Time of all CPUs together, by what they did",
                   MetricType::Counter);
        for (const auto& [mode, time] : load.cpu_seconds) cpu.add({{"mode", mode}}, time);
    }
    add_pressure(all, load.pressure);
    Family pages(all, "hvagent_host_huge_pages", "Huge pages set aside", MetricType::Gauge);
    Family free_pages(all, "hvagent_host_huge_pages_free", "Huge pages not in use", MetricType::Gauge);
    for (const HugePages& pool : load.huge_pages) {
        const Labels labels{{"page_bytes", std::to_string(pool.size)}};
        pages.add(labels, static_cast<double>(pool.total));
        free_pages.add(labels, static_cast<double>(pool.free));
    }
}

void add_promised(std::vector<MetricFamily>& all, const Promised& promised) {
    add_gauge(all, "hvagent_host_promised_cpus", "Virtual CPUs of VMs on the host", promised.cpus);
    add_gauge(all, "hvagent_host_promised_cpus_limit", "Virtual CPUs the host may promise", promised.cpus_limit);
    add_gauge(all, "hvagent_host_promised_memory_bytes", "Memory of VMs on the host", static_cast<double>(promised.memory));
    add_gauge(all, "hvagent_host_promised_memory_limit_bytes", "Memory the host may promise",
              static_cast<double>(promised.memory_limit));
}

void add_storages(std::vector<MetricFamily>& all, const std::vector<StorageFigures>& storages) {
    Family up(all, "hvagent_storage_up", "1: the storage's directory answers", MetricType::Gauge);
    Family total(all, "hvagent_storage_bytes", "Size of the storage's file system", MetricType::Gauge);
    Family available(all, "hvagent_storage_available_bytes", "Room in the storage's file system", MetricType::Gauge);
    for (const StorageFigures& storage : storages) {
        const Labels labels{{"kind", storage.kind}, {"name", storage.name}, {"storage", storage.uuid}};
        up.add(labels, storage.answers ? 1 : 0);
        if (!storage.answers) continue;
        total.add(labels, static_cast<double>(storage.total));
        available.add(labels, static_cast<double>(storage.available));
    }
}

void add_own_process(std::vector<MetricFamily>& all, const ProcessLoad& process) {
    add_counter(all, "process_cpu_seconds_total", "CPU time of hvagentd", process.cpu_seconds);
    add_gauge(all, "process_resident_memory_bytes", "Resident memory of hvagentd", static_cast<double>(process.rss));
    add_gauge(all, "process_virtual_memory_bytes", "Virtual memory of hvagentd", static_cast<double>(process.virtual_size));
    add_gauge(all, "process_threads", "Threads of hvagentd", process.threads);
    add_gauge(all, "process_open_fds", "File descriptors hvagentd has open", process.open_files);
    add_gauge(all, "process_start_time_seconds", "When hvagentd was started",
              static_cast<double>(to_unix_ms(process.started)) / 1000);
}

void add_libvirt_process(std::vector<MetricFamily>& all, const ProcessLoad& process) {
    add_gauge(all, "hvagent_libvirtd_resident_memory_bytes", "Resident memory of libvirt's daemon",
              static_cast<double>(process.rss));
    add_counter(all, "hvagent_libvirtd_cpu_seconds_total", "CPU time of libvirt's daemon", process.cpu_seconds);
}

}  // namespace hvagent::metrics
