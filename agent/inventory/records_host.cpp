#include "agent/inventory/records.h"

namespace hvagent::inventory {

template <>
const Record<Zone>& record_of<Zone>() {
    static const Record<Zone> record = Record<Zone>("Zone", "zone")
                                           .wire("name", &Zone::name)
                                           .wire("description", &Zone::description)
                                           .wire("state", &Zone::state)
                                           .wire("type", &Zone::type)
                                           .wire("isDefault", &Zone::is_default)
                                           .dates();
    return record;
}

template <>
const Record<Cluster>& record_of<Cluster>() {
    static const Record<Cluster> record = Record<Cluster>("Cluster", "cluster")
                                              .wire("zoneUuid", &Cluster::zone)
                                              .wire("name", &Cluster::name)
                                              .wire("description", &Cluster::description)
                                              .wire("state", &Cluster::state)
                                              .wire("hypervisorType", &Cluster::hypervisor_type)
                                              .wire("type", &Cluster::type)
                                              .wire("architecture", &Cluster::architecture)
                                              .dates();
    return record;
}

template <>
const Record<Host>& record_of<Host>() {
    static const Record<Host> record = Record<Host>("Host", "host")
                                           .wire("zoneUuid", &Host::zone)
                                           .wire("clusterUuid", &Host::cluster)
                                           .wire("name", &Host::name)
                                           .wire("description", &Host::description)
                                           .wire("managementIp", &Host::management_ip)
                                           .wire("hypervisorType", &Host::hypervisor_type)
                                           .wire("state", &Host::state)
                                           .wire("status", &Host::status)
                                           .wire("cpuNum", &Host::cpu_num)
                                           .wire("cpuSockets", &Host::cpu_sockets)
                                           .wire("totalCpuCapacity", &Host::total_cpu, "CPUs times the over-commit ratio")
                                           .wire("availableCpuCapacity", &Host::available_cpu)
                                           .wire("totalMemoryCapacity", &Host::total_memory, "bytes")
                                           .wire("availableMemoryCapacity", &Host::available_memory, "bytes not promised")
                                           .wire("architecture", &Host::architecture)
                                           .wire("username", &Host::username)
                                           .wire("sshPort", &Host::ssh_port)
                                           .wire("osDistribution", &Host::os_distribution)
                                           .wire("osRelease", &Host::os_release)
                                           .wire("osVersion", &Host::os_version)
                                           .dates();
    return record;
}

template <>
const Record<Peer>& record_of<Peer>() {
    static const Record<Peer> record = Record<Peer>("Peer", "peer", false)
                                           .internal("url", &Peer::url)
                                           .internal("token_out", &Peer::token_out)
                                           .internal("token_in_hash", &Peer::token_in_hash)
                                           .internal("former_token_in_hash", &Peer::former_token_in_hash)
                                           .internal("boot_id", &Peer::boot_id)
                                           .internal("agent_version", &Peer::agent_version)
                                           .internal("libvirt_version", &Peer::libvirt_version)
                                           .internal("qemu_version", &Peer::qemu_version)
                                           .internal("failure", &Peer::failure)
                                           .internal("answered_at", &Peer::answered_at)
                                           .dates();
    return record;
}

template <>
const Record<InstanceOffering>& record_of<InstanceOffering>() {
    static const Record<InstanceOffering> record =
        Record<InstanceOffering>("InstanceOffering", "instance_offering")
            .wire("name", &InstanceOffering::name)
            .wire("description", &InstanceOffering::description)
            .wire("cpuNum", &InstanceOffering::cpu_num)
            .wire("cpuSpeed", &InstanceOffering::cpu_speed)
            .wire("memorySize", &InstanceOffering::memory, "bytes")
            .wire("reservedMemorySize", &InstanceOffering::reserved_memory, "bytes")
            .wire("type", &InstanceOffering::type)
            .wire("allocatorStrategy", &InstanceOffering::allocator_strategy)
            .wire("sortKey", &InstanceOffering::sort_key)
            .wire("state", &InstanceOffering::state)
            .dates();
    return record;
}

template <>
const Record<DiskOffering>& record_of<DiskOffering>() {
    static const Record<DiskOffering> record = Record<DiskOffering>("DiskOffering", "disk_offering")
                                                   .wire("name", &DiskOffering::name)
                                                   .wire("description", &DiskOffering::description)
                                                   .wire("diskSize", &DiskOffering::disk_size, "bytes")
                                                   .wire("type", &DiskOffering::type)
                                                   .wire("allocatorStrategy", &DiskOffering::allocator_strategy)
                                                   .wire("sortKey", &DiskOffering::sort_key)
                                                   .wire("state", &DiskOffering::state)
                                                   .dates();
    return record;
}

template <>
const Record<Attachment>& record_of<Attachment>() {
    static const Record<Attachment> record = Record<Attachment>("Attachment", "attachment", false)
                                                 .internal("kind", &Attachment::kind)
                                                 .internal("from", &Attachment::from)
                                                 .internal("to", &Attachment::to)
                                                 .dates()
                                                 .unique({"kind", "from", "to"})
                                                 .index({"kind", "to"});
    return record;
}

template <>
const Record<Tag>& record_of<Tag>() {
    static const Record<Tag> record = Record<Tag>("Tag", "tag")
                                          .wire("resourceUuid", &Tag::resource_uuid)
                                          .identity()
                                          .wire("resourceType", &Tag::resource_type)
                                          .wire("tag", &Tag::tag)
                                          .wire("type", &Tag::type)
                                          .wire("inherent", &Tag::inherent)
                                          .dates()
                                          .unique({"resourceUuid", "type", "tag"})
                                          .index({"tag"});
    return record;
}

template <>
const Record<Account>& record_of<Account>() {
    static const Record<Account> record = Record<Account>("Account", "account")
                                              .wire("name", &Account::name)
                                              .wire("description", &Account::description)
                                              .wire("type", &Account::type)
                                              .dates();
    return record;
}

}  // namespace hvagent::inventory
