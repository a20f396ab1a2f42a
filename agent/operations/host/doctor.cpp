#include <set>

#include "agent/operations/host/host_view.h"
#include "agent/operations/vm/ownership.h"
#include "hvagent/certificate.h"

namespace hvagent::operations {
namespace {

constexpr std::chrono::hours soon{24 * 30};

class Findings {
public:
    void add(const std::string& severity, const std::string& kind, const std::string& details,
             const std::string& path = "") {
        json one{{"severity", severity}, {"kind", kind}, {"details", details}};
        if (!path.empty()) one["path"] = path;
        list_.push_back(std::move(one));
    }
    json take() { return {{"findings", std::move(list_)}}; }

private:
    json list_ = json::array();
};

void look_at_storages(const HostView& view, Findings& findings) {
    for (const state::StorageSight& sight : view.storages.sights()) {
        if (!sight.trouble.empty()) findings.add("error", sight.trouble, sight.name + ": " + sight.why, sight.root);
        if (sight.nearly_full)
            findings.add("warning", "StorageNearlyFull", sight.name + " has " + human_size(sight.space.available) + " left",
                         sight.root);
    }
}

void look_at_certificate(const HostView& view, const std::string& name, const std::string& path, Findings& findings) {
    if (path.empty()) return;
    try {
        const auto left = certificate_end(path) - view.services.clock.now();
        const auto days = std::chrono::duration_cast<std::chrono::hours>(left).count() / 24;
        if (left <= left.zero())
            findings.add("error", "CertificateExpired", name, path);
        else if (left < soon)
            findings.add("warning", "CertificateExpires", name + ": " + std::to_string(days) + " days left", path);
    } catch (const Error& error) {
        findings.add("error", "CertificateUnreadable", name + ": " + error.details(), path);
    }
}

// Which of the two is wrong is not for us to know; sessions, signatures and the order of things suffer either way.
void look_at_clock(const HostView& view, Findings& findings) {
    for (const auto& [url, ahead] : view.controller_clocks()) {
        if (std::chrono::abs(ahead) <= clock_tolerance) continue;
        const auto off = std::chrono::duration_cast<seconds>(std::chrono::abs(ahead)).count();
        findings.add("warning", "ClockOff",
                     "this host's clock is " + std::to_string(off) + " s " + (ahead.count() > 0 ? "behind" : "ahead of") +
                         " that of the controller " + url);
    }
}

void look_at_libvirt(const HostView& view, Findings& findings) {
    if (!view.services.states.connected())
        return findings.add("error", "LibvirtUnreachable",
                            "libvirt does not answer at " + view.services.settings.libvirt_uri);
    try {
        const HostFacts facts = view.services.inspector.facts();
        if (!facts.kvm_works && view.services.settings.virt_type != "qemu")
            findings.add(facts.virt_type == "kvm" ? "error" : "warning", "KvmUnusable",
                         facts.kvm_reason + (facts.virt_type == "kvm" ? "" : "; VMs are emulated, which is slow"),
                         "/dev/kvm");
        for (const ForeignDomain& domain : view.services.definitions.list_foreign())
            findings.add("note", "ForeignDomain",
                         "the domain " + domain.name + " (" + domain.state +
                             ") is not the agent's; it is left alone and "
                             "not counted in the host's capacity");
    } catch (const Error& error) {
        findings.add("error", "LibvirtUnreachable", error.details());
    }
}

// Records that another host's are newer than: a store from a backup, or a host that slept while its VM moved.
void look_at_owners(const HostView& view, Findings& findings) {
    std::set<std::string> silent;  // asking there would take the doctor along
    for (const state::StorageSight& sight : view.storages.sights())
        if (!sight.trouble.empty()) silent.insert(sight.root);
    const inventory::Inventory& inventory = view.services.inventory;
    for (const PrimaryStorage& storage : inventory.list<PrimaryStorage>()) {
        if (storage.type != shared_mount_point || silent.contains(storage.url)) continue;
        for (const Volume& root : inventory.list<Volume>({{"primaryStorageUuid", storage.uuid.str()}, {"type", "Root"}})) {
            const auto vm = inventory.find<Vm>(root.vm);
            if (!vm) continue;
            try {
                const std::string reason = why_not_ours(view.services, *vm);
                if (!reason.empty())
                    findings.add("error", "VmOfAnotherHost", reason + ". Expunging the VM here leaves its files",
                                 owner_note_path(view.services, *vm));
            } catch (const Error& error) {
                findings.add("error", "OwnerUnknown", error.details(), owner_note_path(view.services, *vm));
            }
        }
    }
}

}  // namespace

json host_findings(const HostView& view) {
    Findings findings;
    look_at_libvirt(view, findings);
    look_at_storages(view, findings);
    look_at_owners(view, findings);
    look_at_clock(view, findings);
    const config::Settings& settings = view.services.settings;
    look_at_certificate(view, "[http] tls_cert", settings.http_tls_cert, findings);
    look_at_certificate(view, "[http] client_ca", settings.http_client_ca, findings);
    look_at_certificate(view, "[report] ca_file", settings.report_ca_file, findings);
    return findings.take();
}

}  // namespace hvagent::operations
