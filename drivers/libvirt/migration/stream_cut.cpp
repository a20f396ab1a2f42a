#include "drivers/libvirt/migration/stream_cut.h"

#include "drivers/libvirt/qemu_monitor.h"

namespace hvagent::libvirt {
namespace {

using nlohmann::json;

// libvirt calls the node of a disk's copy "migration-vda-storage".
bool is_copy_of_move(const json& instance) {
    return instance.is_object() && instance.value("type", "") == "block-node" &&
           instance.value("node-name", "").starts_with("migration-");
}

}  // namespace

int cut_disk_streams(virDomainPtr domain) {
    json answer;
    // QEMU answers these commands while everything else waits for the disk.
    if (ask_qemu(domain, {{"execute", "query-yank"}}, answer) < 0) return -1;
    json instances = json::array();
    for (const json& one : answer.value("return", json::array()))
        if (is_copy_of_move(one)) instances.push_back(one);
    if (instances.empty()) return 0;
    return ask_qemu(domain, {{"execute", "yank"}, {"arguments", {{"instances", instances}}}}, answer);
}

}  // namespace hvagent::libvirt
