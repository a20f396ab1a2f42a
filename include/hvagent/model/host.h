// The places a VM lives in: zone, cluster, host, networks, and the sizes it is made from.
#pragma once
#include <string>
#include <vector>

#include "hvagent/clock.h"
#include "hvagent/enum_names.h"
#include "hvagent/ids.h"
#include "hvagent/model/storage.h"
#include "hvagent/units.h"

namespace hvagent {

struct Zone {
    ZoneId uuid;
    std::string name;
    std::string description;
    EnabledState state = EnabledState::enabled;
    std::string type = "zstack";
    bool is_default = false;
    Time created{};
    Time last_op{};
};

struct Cluster {
    ClusterId uuid;
    ZoneId zone;
    std::string name;
    std::string description;
    EnabledState state = EnabledState::enabled;
    std::string hypervisor_type = "KVM";
    std::string type = "zstack";
    std::string architecture = "x86_64";
    Time created{};
    Time last_op{};
};

struct Host {
    HostId uuid;
    ZoneId zone;
    ClusterId cluster;
    std::string name;
    std::string description;
    std::string management_ip;
    std::string hypervisor_type = "KVM";
    std::string state = "Enabled";
    ConnectionStatus status = ConnectionStatus::connecting;  // Connected while libvirt answers
    int cpu_num = 0;
    int cpu_sockets = 0;
    std::int64_t total_cpu = 0;  // CPUs times the over-commit ratio
    std::int64_t available_cpu = 0;
    Bytes total_memory = 0;
    Bytes available_memory = 0;  // total less reserved less promised to running VMs
    std::string architecture = "x86_64";
    std::string username;
    int ssh_port = 22;
    std::string os_distribution;
    std::string os_release;
    std::string os_version;
    Time created{};
    Time last_op{};
};

struct L2Network {
    L2NetworkId uuid;
    ZoneId zone;
    std::string name;
    std::string description;
    std::string physical_interface;  // of a bridge network; empty for a NAT network of libvirt
    std::string type = "L2NoVlanNetwork";
    std::string vswitch_type = "LinuxBridge";
    int vlan = 0;  // 1..4094 for L2VlanNetwork
    Time created{};
    Time last_op{};
};

struct L3Network {
    L3NetworkId uuid;
    ZoneId zone;
    L2NetworkId l2_network;
    std::string name;
    std::string description;
    std::string type = "L3BasicNetwork";
    EnabledState state = EnabledState::enabled;
    std::string dns_domain;
    std::string category = "Private";
    bool system = false;
    bool enable_ipam = true;
    int ip_version = 4;
    std::string dns;  // comma list
    Time created{};
    Time last_op{};
};

struct IpRange {
    IpRangeId uuid;
    L3NetworkId l3_network;
    std::string name;
    std::string description;
    std::string start_ip;
    std::string end_ip;
    std::string netmask;
    std::string gateway;
    std::string network_cidr;
    int ip_version = 4;
    int prefix_len = 24;
    std::string ip_range_type = "Normal";
    Time created{};
    Time last_op{};
};

struct UsedIp {
    UsedIpId uuid;
    IpRangeId ip_range;
    L3NetworkId l3_network;
    NicId nic;
    std::string ip;
    std::int64_t ip_number = 0;
    std::string netmask;
    std::string gateway;
    int ip_version = 4;
    Time created{};
    Time last_op{};
};

struct InstanceOffering {
    InstanceOfferingId uuid;
    std::string name;
    std::string description;
    int cpu_num = 1;
    int cpu_speed = 0;
    Bytes memory = 0;
    Bytes reserved_memory = 0;
    std::string type = "UserVm";
    std::string allocator_strategy = "LeastVmPreferredHostAllocatorStrategy";
    int sort_key = 0;
    EnabledState state = EnabledState::enabled;
    Time created{};
    Time last_op{};
};

struct DiskOffering {
    DiskOfferingId uuid;
    std::string name;
    std::string description;
    Bytes disk_size = 0;
    std::string type = "DefaultDiskOfferingType";
    std::string allocator_strategy = "DefaultPrimaryStorageAllocationStrategy";
    int sort_key = 0;
    EnabledState state = EnabledState::enabled;
    Time created{};
    Time last_op{};
};

// An n:m attachment, e.g. primary storage to cluster, backup storage to zone, L2 network to cluster.
struct Attachment {
    std::string uuid;  // "<from>-<to>": internal key
    std::string kind;  // "ps-cluster", "bs-zone", "l2-cluster"
    std::string from;
    std::string to;
    Time created{};
    Time last_op{};
};

struct NetworkService {
    std::string uuid;  // "<l3>-<type>": internal key
    L3NetworkId l3_network;
    std::string provider;  // uuid
    std::string type;      // "DHCP", "DNS", "SNAT"...
    Time created{};
    Time last_op{};
};

// A system or user tag on a resource.
struct Tag {
    TagId uuid;
    std::string resource_uuid;
    std::string resource_type;  // "VmInstanceVO"
    std::string tag;
    std::string type;  // "System" or "User"
    bool inherent = false;
    Time created{};
    Time last_op{};
};

struct Account {
    AccountId uuid;
    std::string name;
    std::string description;
    std::string type;  // "SystemAdmin" or "Normal"
    Time created{};
    Time last_op{};
};

}  // namespace hvagent
