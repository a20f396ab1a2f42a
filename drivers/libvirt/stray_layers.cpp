#include "drivers/libvirt/stray_layers.h"

#include <algorithm>
#include <set>
#include <vector>

#include "drivers/libvirt/qemu_monitor.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

using nlohmann::json;

// libvirt's names: "libvirt-7-storage" is the file, "libvirt-7-format" the layer in it.
std::string format_of(const std::string& storage) {
    return storage.substr(0, storage.rfind("-storage")) + "-format";
}

bool is_written_to(virDomainPtr domain, const std::string& format, const std::string& what) {
    const json devices = asked_qemu(domain, "query-block", {}, what);
    return std::any_of(devices.begin(), devices.end(),
                       [&](const json& device) { return device.value("/inserted/node-name"_json_pointer, "") == format; });
}

}  // namespace

bool close_stray_layers(virDomainPtr domain, const std::string& path, const std::string& what) {
    std::set<std::string> nodes;
    std::vector<std::string> storages;
    for (const json& node : asked_qemu(domain, "query-named-block-nodes", {{"flat", true}}, what)) {
        const std::string name = node.value("node-name", "");
        nodes.insert(name);
        if (name.ends_with("-storage") && node.value("file", "") == path) storages.push_back(name);
    }
    for (const std::string& storage : storages)
        if (is_written_to(domain, format_of(storage), what))
            throw Error(Code::operation_failed, what + ": the guest writes to " + path +
                                                    ", which libvirt does not know of since it died while it made a "
                                                    "snapshot; stop the VM and start it again");
    for (const std::string& storage : storages) {
        log::warning("QEMU has a layer open that libvirt does not know of; it is closed",
                     {{"vm", virDomainGetName(domain)}, {"path", path}, {"node", storage}});
        if (nodes.contains(format_of(storage)))
            asked_qemu(domain, "blockdev-del", {{"node-name", format_of(storage)}}, what);
        asked_qemu(domain, "blockdev-del", {{"node-name", storage}}, what);
    }
    return !storages.empty();
}

}  // namespace hvagent::libvirt
