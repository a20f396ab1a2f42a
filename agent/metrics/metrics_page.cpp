#include "agent/metrics/metrics_page.h"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "agent/metrics/vm_families.h"

namespace hvagent::metrics {
namespace {

constexpr milliseconds vm_figures_last{5000};
constexpr milliseconds slow_figures_last{30000};
constexpr milliseconds storage_figures_last{30000};
// A scrape is given 10 s by Prometheus.
constexpr milliseconds vm_patience{5000};
constexpr milliseconds storage_patience{1000};
constexpr const char* libvirt_pid_files[] = {"/run/virtqemud.pid", "/run/libvirtd.pid"};

double in_seconds(milliseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

nlohmann::json figures_of(const Vm& vm, const VmStats& stats) {
    nlohmann::json figures{{"uuid", vm.uuid.str()}, {"name", vm.name},     {"state", std::string(to_text(vm.state()))},
                           {"vcpus", vm.cpus},      {"memory", vm.memory}, {"qemuResponds", stats.qemu_responds}};
    if (stats.cpu_nanoseconds) figures["cpuNanoseconds"] = *stats.cpu_nanoseconds;
    if (stats.rss) figures["residentMemory"] = *stats.rss;
    std::uint64_t read = 0, written = 0, received = 0, transmitted = 0;
    for (const VmDiskStats& disk : stats.disks) {
        read += disk.read ? disk.read->bytes : 0;
        written += disk.written ? disk.written->bytes : 0;
    }
    for (const VmNicStats& nic : stats.nics) {
        received += nic.received ? nic.received->bytes : 0;
        transmitted += nic.transmitted ? nic.transmitted->bytes : 0;
    }
    figures.update({{"diskReadBytes", read},
                    {"diskWrittenBytes", written},
                    {"nicReceivedBytes", received},
                    {"nicTransmittedBytes", transmitted}});
    return figures;
}

// Each storage by itself: one that is gone hides no other.
StorageFigures look_at(StorageFiles& files, StorageFigures storage, const std::string& directory) {
    try {
        const StorageSpace space = files.space(directory);
        storage.total = space.total;
        storage.available = space.available;
    } catch (const Error&) {
        storage.answers = false;
    }
    return storage;
}

std::vector<StorageFigures> collect_storages(const inventory::Inventory& inventory, StorageFiles& files) {
    std::vector<StorageFigures> storages;
    for (const PrimaryStorage& storage : inventory.list<PrimaryStorage>())
        storages.push_back(look_at(files, {"primary", storage.name, storage.uuid.str()}, storage.url));
    for (const BackupStorage& storage : inventory.list<BackupStorage>())
        storages.push_back(look_at(files, {"backup", storage.name, storage.uuid.str()}, storage.url));
    return storages;
}

}  // namespace

MetricsPage::MetricsPage(MetricsSources sources)
    : sources_(std::move(sources)),
      paced_(sources_.vms, sources_.clock, slow_figures_last),
      vm_stats_("VMs", sources_.clock, vm_figures_last, [this] { return paced_.collect(); }),
      storages_("storages", sources_.clock, storage_figures_last,
                [&inventory = sources_.inventory, &files = sources_.files] { return collect_storages(inventory, files); }) {}

std::string MetricsPage::text() {
    Families all;
    add_vms(all);
    add_host(all);
    add_agent(all);
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, all);
    return std::move(out).str();
}

void MetricsPage::add_vms(Families& all) {
    const auto seen = vm_stats_.get(vm_patience);
    const std::vector<Vm> vms = sources_.inventory.list<Vm>();  // after the figures: what is gone by now is not shown
    add_vm_states(all, vms);
    if (seen.value) {
        add_vm_figures(all, vms, seen.value->vms);
        const auto slow_age = sources_.clock.moment() - seen.value->slow_collected;
        add_gauge(all, "hvagent_vm_slow_figures_age_seconds", "Age of the figures of balloons and of each virtual CPU",
                  in_seconds(std::chrono::duration_cast<milliseconds>(slow_age)));
        add_gauge(all, "hvagent_vm_figures_age_seconds", "Age of the figures of VMs", in_seconds(seen.age));
        add_gauge(all, "hvagent_vm_figures_collect_seconds", "How long libvirt took to give them", in_seconds(seen.took));
    }
    add_gauge(all, "hvagent_vm_figures_up", "0: libvirt did not give the figures of VMs; older ones are shown",
              seen.failed ? 0 : 1);
}

nlohmann::json MetricsPage::figures() {
    const auto seen = vm_stats_.get(vm_patience);
    std::map<VmId, const VmStats*> by_vm;
    if (seen.value)
        for (const VmStats& stats : seen.value->vms) by_vm[stats.vm] = &stats;
    nlohmann::json vms = nlohmann::json::array();
    for (const Vm& vm : sources_.inventory.list<Vm>()) {
        const auto found = by_vm.find(vm.uuid);
        if (found != by_vm.end() && found->second->active) vms.push_back(figures_of(vm, *found->second));
    }
    const Time collected = sources_.clock.now() - seen.age;
    return {{"collectedAt", to_unix_ms(collected)},
            {"ageMs", seen.age.count()},
            {"failed", seen.failed},
            {"vms", std::move(vms)}};
}

void MetricsPage::add_host(Families& all) {
    const bool libvirt_answers = sources_.libvirt_answers();
    add_gauge(all, "libvirt_up", "1: libvirt answers", libvirt_answers ? 1 : 0);
    add_host_load(all, sources_.load.host());
    try {
        if (libvirt_answers) add_promised(all, sources_.promised());
    } catch (const Error& error) {
        log::debug("the host's figures are not known", {{"error", error.details()}});
    }
    const auto seen = storages_.get(storage_patience);
    if (seen.value) {
        add_storages(all, *seen.value);
        add_gauge(all, "hvagent_storage_figures_age_seconds", "Age of the figures of storages", in_seconds(seen.age));
    }
    add_gauge(all, "hvagent_storage_figures_up", "0: a storage does not answer; older figures are shown",
              seen.failed ? 0 : 1);
    for (const char* pid_file : libvirt_pid_files) {
        const auto process = sources_.load.process_of(pid_file);
        if (process) return add_libvirt_process(all, *process);
    }
}

void MetricsPage::add_agent(Families& all) {
    add_gauge(all, "hvagent_build_info", "Always 1", 1, {{"version", sources_.version}});
    add_own_process(all, sources_.load.own_process());
    const JobsLoad jobs = sources_.jobs();
    {
        Family waiting(all, "hvagent_jobs_waiting", "Jobs that wait for their turn", prometheus::MetricType::Gauge);
        Family running(all, "hvagent_jobs_running", "Jobs that run", prometheus::MetricType::Gauge);
        for (const JobsLoad::Class& one : jobs.classes) {
            waiting.add({{"class", one.name}}, static_cast<double>(one.waiting));
            running.add({{"class", one.name}}, static_cast<double>(one.running));
        }
    }
    add_gauge(all, "hvagent_webhooks_pending", "Webhooks that are not delivered yet",
              static_cast<double>(jobs.pending_webhooks));
    for (prometheus::MetricFamily& family : sources_.own.registry().Collect())
        if (!family.metric.empty()) all.push_back(std::move(family));
}

}  // namespace hvagent::metrics
