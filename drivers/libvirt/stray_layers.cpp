#include "drivers/libvirt/stray_layers.h"

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "drivers/libvirt/qemu_monitor.h"
#include "hvagent/clock.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

using nlohmann::json;

constexpr milliseconds look_again(50);
constexpr seconds longest_merge(20);

// libvirt's names: "libvirt-7-storage" is the file, "libvirt-7-format" the layer in it.
std::string format_of(const std::string& storage) {
    return storage.substr(0, storage.rfind("-storage")) + "-format";
}

class StrayLayers {
public:
    StrayLayers(virDomainPtr domain, const std::string& what) : domain_(domain), what_(what) {}

    std::vector<std::string> storages_of(const std::string& path) {
        std::vector<std::string> found;
        nodes_.clear();
        for (const json& node : ask("query-named-block-nodes", {{"flat", true}})) {
            const std::string name = node.value("node-name", "");
            nodes_.insert(name);
            if (name.ends_with("-storage") && node.value("file", "") == path) found.push_back(name);
        }
        return found;
    }

    void close(const std::string& storage, const std::string& below) {
        const std::string format = format_of(storage);
        if (nodes_.contains(format)) {
            if (is_written_to(format)) merge(format, below);
            ask("blockdev-del", {{"node-name", format}});
        }
        ask("blockdev-del", {{"node-name", storage}});
    }

private:
    json ask(const std::string& command, const json& arguments) { return asked_qemu(domain_, command, arguments, what_); }

    bool is_written_to(const std::string& format) {
        const json devices = ask("query-block", {});
        return std::any_of(devices.begin(), devices.end(), [&](const json& device) {
            return device.value("/inserted/node-name"_json_pointer, "") == format;
        });
    }

    void merge(const std::string& format, const std::string& below) {
        const std::string job = "hvagent-" + format;
        const Moment until = std::chrono::steady_clock::now() + longest_merge;
        if (status_of(job).empty())
            ask("block-commit", {{"job-id", job}, {"device", format}, {"top-node", format}, {"base-node", below}});
        bool completed = false;
        for (std::string status = status_of(job); !status.empty(); status = status_of(job)) {
            if (status == "ready" && !completed) {
                ask("job-complete", {{"id", job}});
                completed = true;
            }
            if (std::chrono::steady_clock::now() >= until)
                throw Error(Code::timeout, what_ + ": QEMU still merges a layer that libvirt does not know of");
            std::this_thread::sleep_for(look_again);
        }
        if (is_written_to(format))
            throw Error(Code::io_failed, what_ + ": QEMU could not merge a layer that libvirt does not know of");
    }

    // Empty: no such job.
    std::string status_of(const std::string& id) {
        for (const json& job : ask("query-jobs", {}))
            if (job.value("id", "") == id) return job.value("status", "");
        return "";
    }

    virDomainPtr domain_;
    const std::string& what_;
    std::set<std::string> nodes_;
};

}  // namespace

bool close_stray_layers(virDomainPtr domain, const std::string& path, const DomainLayer& below, const std::string& what) {
    StrayLayers strays(domain, what);
    const std::vector<std::string> storages = strays.storages_of(path);
    if (storages.empty()) return false;
    if (below.index == 0) throw Error(Code::internal, what + ": libvirt does not number the layer " + below.path);
    for (const std::string& storage : storages) {
        log::warning("QEMU has a layer open that libvirt does not know of; it is closed",
                     {{"vm", virDomainGetName(domain)}, {"path", path}, {"node", storage}});
        strays.close(storage, "libvirt-" + std::to_string(below.index) + "-format");
    }
    return true;
}

}  // namespace hvagent::libvirt
