// VMs with ISOs on a host in memory.
#pragma once
#include "agent/operations/cdrom/drives.h"
#include "tests/unit/operations/vm/vm_fixture.h"

namespace hvagent::operations {

class CdRoms : public VmLife {
protected:
    std::vector<VmCdRom> drives(const VmId& vm) { return drives_of(inventory, vm); }
    // The media of the running domain's drives, by device id.
    std::vector<std::string> live_media(const VmId& vm) {
        std::vector<std::string> media;
        const auto live = disks.look(vm);
        for (const LiveCdRom& drive : live->cdroms) media.push_back(drive.iso_path);
        return media;
    }
    static json of(const VmId& vm, const std::string& iso = "") {
        json arguments{{"vmInstanceUuid", vm.str()}};
        if (!iso.empty()) arguments["isoUuid"] = iso;
        return arguments;
    }
    json attach(const VmId& vm, const std::string& iso, json more = json::object()) {
        json request = of(vm, iso);
        request.update(more);
        return call("AttachIsoToVmInstance", request)["inventory"];
    }
    static json tags(std::vector<std::string> texts) { return {{"systemTags", texts}}; }
};

}  // namespace hvagent::operations
