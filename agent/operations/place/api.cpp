#include "agent/operations/place/api.h"

#include "agent/operations/place/handlers.h"
#include "agent/operations/place/live_host.h"
#include "agent/operations/rows.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;

constexpr const char* host_actions = "/hosts/{uuid}/actions";

Row create_zone_row(Services& services) {
    using P = CreateZone;
    return Operation<P>{"CreateZone", Method::post, "/zones", "Record a zone"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "isDefault", &P::is_default, "true: no other zone is the default any more")
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "Zone")
        .runs_as_job(queue_of(&P::uuid), with(services, create_zone));
}

Row delete_zone_row(Services& services) {
    using P = DeleteZone;
    return Operation<P>{"DeleteZone", Method::del, "/zones/{uuid}", "Delete a zone that holds nothing"}
        .required(In::url, "uuid", &P::zone, "the zone; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::zone), with(services, delete_zone));
}

Row create_cluster_row(Services& services) {
    using P = CreateCluster;
    return Operation<P>{"CreateCluster", Method::post, "/clusters", "Record a cluster"}
        .required(In::body, "zoneUuid", &P::zone, "its zone")
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .required(In::body, "hypervisorType", &P::hypervisor_type, "KVM")
        .values({"KVM"})
        .optional(In::body, "type", &P::type, "zstack")
        .values({"zstack"})
        .optional(In::body, "architecture", &P::architecture, "of its hosts; default: this host's")
        .values({"x86_64", "aarch64", "mips64el", "loongarch64"})
        .new_id(&P::uuid)
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "Cluster")
        .runs_as_job(queue_of(&P::uuid), with(services, create_cluster));
}

Row delete_cluster_row(Services& services) {
    using P = DeleteCluster;
    return Operation<P>{"DeleteCluster", Method::del, "/clusters/{uuid}", "Delete a cluster without hosts and VMs"}
        .required(In::url, "uuid", &P::cluster, "the cluster; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "the same for both values")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job(queue_of(&P::cluster), with(services, delete_cluster));
}

// Adding, deleting and moving hosts are done one after the other: which host an address is of shows on the way only.
const std::vector<std::string> hosts_queue{"hosts"};

Row add_host_row(Services& services) {
    using P = AddHost;
    return Operation<P>{"AddKVMHost", Method::post, "/hosts/kvm",
                        "Make another agent's host known here, and this one known there"}
        .required(In::body, "name", &P::name, "what people call it")
        .is_name()
        .required(In::body, "managementIp", &P::management_ip, "where the other agent listens")
        .not_empty()
        .max_length(255)
        .required(In::body, "clusterUuid", &P::cluster, "its cluster")
        .required(In::body, "username", &P::username, "the account of the other agent, admin; no user of its system")
        .max_length(255)
        .required(In::body, "password", &P::password, "of that account, in clear text")
        .max_length(1024)
        .secret()
        .optional(In::body, "sshPort", &P::ssh_port, "22, which SDKs send: the hosts speak HTTP, ssh is not used")
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "resourceUuid", &P::uuid,
                  "the other agent's own host uuid; a host keeps that wherever it is added")
        .may_be_missing()
        .takes_tags(&P::tags)
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "Host")
        .fails_as(Code::create_failed)
        .runs_as_job([](const P&) { return hosts_queue; }, with(services, add_host));
}

Row delete_host_row(Services& services) {
    using P = DeleteHost;
    return Operation<P>{"DeleteHost", Method::del, "/hosts/{uuid}", "Forget another host, which forgets this one"}
        .required(In::url, "uuid", &P::host, "the host; one that is not there is a success")
        .optional(In::query, "deleteMode", &P::delete_mode, "Enforcing deletes also what the other host says it still needs")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .fails_as(Code::delete_failed)
        .runs_as_job([](const P&) { return hosts_queue; }, with(services, delete_host));
}

Row update_host_row(Services& services) {
    using P = UpdateHost;
    return Operation<P>{"UpdateHost", Method::put, host_actions, "Rename or describe a host"}
        .action("updateHost")
        .required(In::url, "uuid", &P::host, "the host")
        .optional(In::body, "name", &P::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &P::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "managementIp", &P::management_ip,
                  "where its agent listens now; this host's own is the setting [host] management_ip")
        .not_empty()
        .max_length(255)
        .returns("inventory", "Host")
        .runs_as_job([](const P&) { return hosts_queue; }, with(services, update_host));
}

Row change_host_state_row(Services& services) {
    using P = ChangeHostState;
    return Operation<P>{"ChangeHostState", Method::put, host_actions, "Allow or forbid VMs to start on a host, or empty it"}
        .action("changeHostState")
        .required(In::url, "uuid", &P::host, "the host")
        .required(
            In::body, "stateEvent", &P::event,
            "a Disabled host starts no VM; preMaintain tells where its VMs could go, maintain moves them there; enable "
            "ends either")
        .values({"enable", "disable", "maintain", "preMaintain"})
        .returns("inventory", "Host")
        .returns_value("plan", {{"type", "array"}, {"items", {{"type", "object"}}}}, false)
        .returns_value("unmoved", {{"type", "array"}, {"items", {{"type", "object"}}}}, false)
        .fails_as(Code::change_state_failed)
        .timeout(std::chrono::hours(12))
        .job_class(JobClass::power)
        .runs_as_job(queue_of(&P::host), with(services, change_host_state));
}

Row reconnect_host_row(Services& services) {
    using P = OnHost;
    return Operation<P>{"ReconnectHost", Method::put, host_actions,
                        "Wait until the host's libvirt, or another host's agent, answers, and look at its figures"}
        .action("reconnectHost")
        .required(In::url, "uuid", &P::host, "the host")
        .returns("inventory", "Host")
        .fails_as(Code::host_connection)
        .runs_as_job(queue_of(&P::host), with(services, reconnect_host));
}

Row capacity_row(Services& services) {
    using P = CapacityQuestion;
    const json number{{"type", "integer"}, {"format", "int64"}};
    return Operation<P>{"GetCpuMemoryCapacity", Method::get, "/hosts/capacities/cpu-memory",
                        "CPU and memory of hosts that can take VMs now"}
        .optional(In::query, "zoneUuids", &P::zones, "of these zones")
        .optional(In::query, "clusterUuids", &P::clusters, "of these clusters")
        .optional(In::query, "hostUuids", &P::hosts, "of these hosts")
        .optional(In::query, "hypervisorType", &P::hypervisor_type, "only hosts of this type")
        .values({"KVM", "ESX"})
        .optional(In::query, "all", &P::all, "true: of all zones")
        .returns_value("totalCpu", number)
        .returns_value("availableCpu", number)
        .returns_value("totalMemory", number)
        .returns_value("availableMemory", number)
        .returns_value("managedCpuNum", number)
        .returns_value("capacityData", {{"type", "array"}, {"items", {{"type", "object"}}}})
        .returns_value("resourceType", {{"type", "string"}})
        .returns_value("success", {{"type", "boolean"}})
        .answers(with(services, get_cpu_memory_capacity));
}

}  // namespace

api::Table place_api(Services& services) {
    return {
        create_zone_row(services),
        delete_zone_row(services),
        create_cluster_row(services),
        delete_cluster_row(services),
        add_host_row(services),
        delete_host_row(services),
        update_host_row(services),
        change_host_state_row(services),
        reconnect_host_row(services),
        capacity_row(services),
        query_row(services, "QueryZone", "Zone", "/zones", "List zones"),
        query_row(services, "QueryCluster", "Cluster", "/clusters", "List clusters"),
        query_row(services, "QueryHost", "Host", "/hosts", "List hosts", [&services] { refresh_host(services); }),
    };
}

}  // namespace hvagent::operations
