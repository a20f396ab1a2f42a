// Freezing of active layers under new ones.
#pragma once
#include <string>
#include <vector>

#include "drivers/libvirt/disk_lookup.h"
#include "hvagent/drivers/disk_images.h"
#include "hvagent/drivers/vm_disks.h"

namespace hvagent::libvirt {

class NewLayers {
public:
    NewLayers(const DomainCalls& calls, DiskImages& images) : calls_(calls), images_(images) {}

    // See VmDisks::freeze_layers().
    bool open(const VmId& vm, const std::vector<NewLayer>& layers);

private:
    struct Plan {
        VolumeId volume;
        std::string path;
        std::string target;
        std::string active;  // the layer to be frozen
        std::string format;
        Bytes size = 0;
    };
    std::vector<Plan> plans(const VmId& vm, const std::vector<NewLayer>& layers);
    void close_strays(const VmId& vm, const Plan& plan);
    bool make_file(const Plan& plan);
    bool settle(const VmId& vm, const std::vector<Plan>& todo, const std::vector<Plan>& made);
    bool switch_over(const VmId& vm, const std::vector<Plan>& plans);

    const DomainCalls& calls_;
    DiskImages& images_;
};

}  // namespace hvagent::libvirt
