// The parameters of the VM operations. Members carry the defaults.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/api/operation.h"
#include "hvagent/ids.h"
#include "hvagent/model/vm.h"
#include "hvagent/units.h"

namespace hvagent::operations {

enum class CreationStrategy { instant_start, just_create, create_stopped };
enum class RecordedState { stopped, running };

struct CreateVm {
    VmId uuid;
    std::string name;
    std::string description;
    InstanceOfferingId offering;
    std::optional<int> cpus;
    std::optional<Bytes> memory;
    std::optional<Bytes> reserved_memory;
    ImageId image;
    std::vector<L3NetworkId> l3_networks;
    std::string nic_params;  // JSON text
    std::string type = "UserVm";
    DiskOfferingId root_disk_offering;
    std::optional<Bytes> root_disk_size;
    std::vector<Bytes> data_disk_sizes;
    std::vector<DiskOfferingId> data_disk_offerings;
    ZoneId zone;
    ClusterId cluster;
    HostId host;
    PrimaryStorageId root_storage;
    L3NetworkId default_l3;
    CreationStrategy strategy = CreationStrategy::instant_start;
    std::vector<std::string> root_volume_tags;
    std::vector<std::string> data_volume_tags;
    std::map<std::string, std::vector<std::string>> data_volume_tags_on_index;
    std::string platform;
    std::string guest_os_type;
    std::string architecture;
    std::optional<bool> virtio;
    api::Tags tags;
};

struct OnVm {  // operations that take nothing but the VM
    VmId vm;
};

struct ResumeVm {
    VmId vm;
    bool only_after_io_error = false;
};

struct DestroyVm {
    VmId vm;
    std::string delete_mode = "Permissive";
};

struct StartVm {
    VmId vm;
    ClusterId cluster;
    HostId host;
    std::int64_t epoch = 0;  // the VM's newest one that the caller knows of; 0: not said
};

struct StopVm {
    VmId vm;
    StopType type = StopType::grace;
    bool stop_ha = false;
};

struct UpdateVm {
    VmId vm;
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<RecordedState> state;
    L3NetworkId default_l3;
    std::string platform;
    std::optional<int> cpus;
    std::optional<Bytes> memory;
    std::optional<Bytes> reserved_memory;
    std::string guest_os_type;
};

struct ChangeOffering {
    VmId vm;
    InstanceOfferingId offering;
};

struct SetHaLevel {
    VmId vm;
    std::string level;
};

struct FindPlaceForVm {
    InstanceOfferingId offering;
    ImageId image;
    std::vector<L3NetworkId> l3_networks;
    DiskOfferingId root_disk_offering;
    std::optional<Bytes> root_disk_size;
    std::vector<DiskOfferingId> data_disk_offerings;
    std::optional<int> cpus;
    std::optional<Bytes> memory;
    ZoneId zone;
    ClusterId cluster;
    L3NetworkId default_l3;
};

}  // namespace hvagent::operations

template <>
struct hvagent::EnumNames<hvagent::operations::CreationStrategy> {
    using S = hvagent::operations::CreationStrategy;
    static constexpr auto names = hvagent::enum_names<S>(
        {{S::instant_start, "InstantStart"}, {S::just_create, "JustCreate"}, {S::create_stopped, "CreateStopped"}});
};
template <>
struct hvagent::EnumNames<hvagent::operations::RecordedState> {
    using S = hvagent::operations::RecordedState;
    static constexpr auto names = hvagent::enum_names<S>({{S::stopped, "Stopped"}, {S::running, "Running"}});
};
