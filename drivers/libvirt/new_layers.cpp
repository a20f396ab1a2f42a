#include "drivers/libvirt/new_layers.h"

#include <algorithm>
#include <filesystem>
#include <pugixml.hpp>
#include <sstream>

#include "drivers/libvirt/guest_file_systems.h"
#include "drivers/libvirt/holds.h"
#include "drivers/libvirt/stray_layers.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

using Snapshot = std::unique_ptr<virDomainSnapshot, Release<virDomainSnapshotFree>>;

// What qemu-img makes of a new overlay, and no more than that; its L1 table grows with the disk.
Bytes most_of_an_empty_overlay(Bytes virtual_size) {
    return 256 * KiB + virtual_size / (512 * MiB) * 8;
}

// `paths`: target and path of the new layer.
std::string snapshot_xml(const std::vector<std::string>& all_targets,
                         const std::vector<std::pair<std::string, std::string>>& paths) {
    pugi::xml_document document;
    pugi::xml_node disks = document.append_child("domainsnapshot").append_child("disks");
    for (const std::string& target : all_targets) {
        pugi::xml_node disk = xml::with(disks.append_child("disk"), "name", target);
        const auto found = std::find_if(paths.begin(), paths.end(), [&](const auto& path) { return path.first == target; });
        if (found == paths.end()) {
            xml::with(disk, "snapshot", "no");
            continue;
        }
        xml::with(xml::with(disk, "snapshot", "external"), "type", "file");
        xml::with(disk.append_child("driver"), "type", "qcow2");
        xml::with(disk.append_child("source"), "file", xml::checked_name(found->second, "the path of a layer"));
    }
    std::ostringstream text;
    document.save(text, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
    return text.str();
}

bool create(virDomainPtr domain, const std::string& xml, bool quiet) {
    const unsigned flags = VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC |
                           VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT |
                           (quiet ? unsigned{VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE} : 0u);
    return Snapshot(virDomainSnapshotCreateXML(domain, xml.c_str(), flags)) != nullptr;
}

}  // namespace

std::vector<NewLayers::Plan> NewLayers::plans(const VmId& vm, const std::vector<NewLayer>& layers) {
    return calls_.change(vm, "look at the disks", [layers](virDomainPtr domain, const std::string& what) {
        std::vector<Plan> plans;
        for (const NewLayer& layer : layers) {
            // This waits for a change that an earlier life of the daemon asked for and whose end it did not see: the chain
            // must be looked at behind it.
            virDomainBlockInfo info{};
            const std::string target = live_disk(domain, layer.volume, what).target;
            checked(virDomainGetBlockInfo(domain, target.c_str(), &info, 0), what);
            const DomainDisk disk = live_disk(domain, layer.volume, what);
            const std::vector<std::string> chain = disk.chain();
            if (chain.front() == layer.path) continue;
            if (std::find(chain.begin(), chain.end(), layer.path) != chain.end())
                throw Error(Code::operation_failed, what + ": " + layer.path + " is a lower layer of its disk already");
            plans.push_back(
                {layer.volume, layer.path, disk.target, chain.front(), disk.format, static_cast<Bytes>(info.capacity)});
        }
        // What an earlier life began may have ended with quiet file systems.
        if (plans.empty()) prepare_guest_agent(domain);
        return plans;
    });
}

// QEMU may have opened the file of an earlier try for a libvirt that died before it knew.
void NewLayers::close_strays(const VmId& vm, const Plan& plan) {
    std::error_code unreadable;
    if (!std::filesystem::exists(plan.path, unreadable)) return;
    const bool closed = calls_.change(
        vm, "close a layer that libvirt does not know of",
        [path = plan.path](virDomainPtr domain, const std::string& what) { return close_stray_layers(domain, path, what); });
    if (closed) images_.remove(plan.path);
}

// An earlier life of the daemon may have left the file, whole and empty: it is used as it is. Returns whether the file was
// made here.
bool NewLayers::make_file(const Plan& plan) {
    std::optional<DiskImageInfo> old;
    try {
        old = images_.inspect(plan.path, "qcow2");
    } catch (const Error&) {
        // Not there; or what it is stops the making of it.
    }
    if (old && old->backing_file == plan.active && old->virtual_size == plan.size &&
        old->actual_size <= most_of_an_empty_overlay(old->virtual_size))
        return false;
    images_.create_overlay(plan.path, plan.active, plan.format, plan.size);
    return true;
}

// Returns whether all disks lie on their new layers; removes the files made here that no disk has opened.
bool NewLayers::settle(const VmId& vm, const std::vector<Plan>& todo, const std::vector<Plan>& made) {
    const DomainDisks disks = live_disks_of(calls_, vm);
    const auto is_open = [&](const Plan& plan) {
        const DomainDisk* disk = disks.find(plan.volume);
        const std::vector<std::string> chain = disk ? disk->chain() : std::vector<std::string>{};
        return std::find(chain.begin(), chain.end(), plan.path) != chain.end();
    };
    for (const Plan& plan : made)
        if (!is_open(plan)) images_.remove(plan.path);
    return std::all_of(todo.begin(), todo.end(), is_open);
}

bool NewLayers::switch_over(const VmId& vm, const std::vector<Plan>& plans) {
    std::vector<std::pair<std::string, std::string>> paths;
    for (const Plan& plan : plans) paths.emplace_back(plan.target, plan.path);
    const Moment too_late = std::chrono::steady_clock::now() + calls_.timeouts().call;
    return calls_.change(vm, "freeze the layers", [paths, too_late](virDomainPtr domain, const std::string& what) {
        const std::string xml = snapshot_xml(live_disks(domain, what).targets, paths);
        if (prepare_guest_agent(domain) && mark_as_quiet(domain)) {
            if (create(domain, xml, true)) {
                unmark_hold(domain, Hold::file_systems);
                return true;
            }
            const LibvirtError error = last_error(what);
            thaw_file_systems(domain);
            log::info("no quiet file systems for a snapshot",
                      {{"vm", virDomainGetName(domain)}, {"error", error.details()}});
            // The caller is gone and takes the layers for what they are.
            if (std::chrono::steady_clock::now() >= too_late) throw error;
            const DomainDisks now = live_disks(domain, what);
            for (const DomainDisk& disk : now.disks)
                if (!disk.layers.empty() && disk.layers.front().path == paths.front().second) return false;
        }
        if (!create(domain, xml, false)) throw_last_error(what);
        return false;
    });
}

bool NewLayers::open(const VmId& vm, const std::vector<NewLayer>& layers) {
    const std::vector<Plan> todo = plans(vm, layers);
    if (todo.empty()) return false;
    std::vector<Plan> made;
    try {
        for (const Plan& plan : todo) {
            close_strays(vm, plan);
            if (make_file(plan)) made.push_back(plan);
        }
        return switch_over(vm, todo);
    } catch (const Error& error) {
        // Of a call without an answer nobody knows whether it will still be done.
        if (error.code() == Code::timeout || error.code() == Code::host_connection) throw;
        if (settle(vm, todo, made)) return false;
        throw;
    }
}

}  // namespace hvagent::libvirt
