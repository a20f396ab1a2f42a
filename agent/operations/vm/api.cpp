#include "agent/operations/vm/api.h"

#include "agent/api/operation.h"
#include "agent/api/query_request.h"
#include "agent/operations/vm/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;
using std::chrono::hours;
using enum VmState;

constexpr const char* actions = "/vm-instances/{uuid}/actions";
const std::vector<std::string> platforms{"Linux", "Windows", "Other", "Paravirtualization", "WindowsVirtio"};
const std::vector<std::string> architectures{"x86_64", "aarch64", "mips64el", "loongarch64"};

Row create_row(Services& services) {
    return Operation<CreateVm>{"CreateVmInstance", Method::post, "/vm-instances",
                               "Create a VM, and start it unless told otherwise"}
        .required(In::body, "name", &CreateVm::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &CreateVm::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "instanceOfferingUuid", &CreateVm::offering, "its size; or give cpuNum and memorySize")
        .optional(In::body, "cpuNum", &CreateVm::cpus, "virtual CPUs")
        .range(1, 1024)
        .optional(In::body, "memorySize", &CreateVm::memory, "memory in bytes")
        .range(1)
        .optional(In::body, "reservedMemorySize", &CreateVm::reserved_memory, "memory kept for it in bytes")
        .range(0)
        .optional(In::body, "imageUuid", &CreateVm::image, "image of the root disk, or an ISO to boot from")
        .optional(In::body, "l3NetworkUuids", &CreateVm::l3_networks, "one NIC each, in this order")
        .optional(In::body, "vmNicParams", &CreateVm::nic_params,
                  "JSON text: [{\"l3NetworkUuid\",\"state\",\"driverType\"}]")
        .max_length(65536)
        .optional(In::body, "type", &CreateVm::type, "UserVm")
        .values({"UserVm", "ApplianceVm"})
        .optional(In::body, "rootDiskOfferingUuid", &CreateVm::root_disk_offering,
                  "size of the root disk; for an ISO this or rootDiskSize is required")
        .optional(In::body, "rootDiskSize", &CreateVm::root_disk_size, "size of the root disk in bytes")
        .range(1)
        .optional(In::body, "dataDiskSizes", &CreateVm::data_disk_sizes, "sizes of further data disks in bytes")
        .optional(In::body, "dataDiskOfferingUuids", &CreateVm::data_disk_offerings, "one data disk each")
        .optional(In::body, "zoneUuid", &CreateVm::zone, "where to make it")
        .optional(In::body, "clusterUuid", &CreateVm::cluster, "where to make it")
        .optional(In::body, "hostUuid", &CreateVm::host, "where to make it")
        .optional(In::body, "primaryStorageUuidForRootVolume", &CreateVm::root_storage, "where its volumes lie")
        .optional(In::body, "defaultL3NetworkUuid", &CreateVm::default_l3, "one of l3NetworkUuids; default: the first")
        .optional(In::body, "strategy", &CreateVm::strategy,
                  "JustCreate records it only, CreateStopped makes its volumes too")
        .optional(In::body, "rootVolumeSystemTags", &CreateVm::root_volume_tags, "system tags of the root volume")
        .optional(In::body, "dataVolumeSystemTags", &CreateVm::data_volume_tags, "system tags of every data volume")
        .optional(In::body, "dataVolumeSystemTagsOnIndex", &CreateVm::data_volume_tags_on_index,
                  "system tags of single data volumes, by index from \"0\"")
        .optional(In::body, "platform", &CreateVm::platform, "default: the image's")
        .values(platforms)
        .optional(In::body, "guestOsType", &CreateVm::guest_os_type, "default: the image's")
        .max_length(255)
        .optional(In::body, "architecture", &CreateVm::architecture, "must be the host's")
        .values(architectures)
        .optional(In::body, "virtio", &CreateVm::virtio, "false: emulated devices for guests without virtio drivers")
        .new_id(&CreateVm::uuid)
        .takes_tags(&CreateVm::tags)
        .refuses("sshKeyPairUuids", "there is no metadata service on this network")
        .refuses("diskAOs", "use rootDiskSize, dataDiskSizes and the disk offerings")
        .refuses("tagUuids", "use userTags")
        .returns("inventory", "VmInstance")
        .fails_as(Code::operation_failed)
        .timeout(hours(12))
        .job_class(JobClass::power)
        .runs_as_job(queue_of(&CreateVm::uuid), with(services, create_vm));
}

Row start_row(Services& services) {
    return Operation<StartVm>{"StartVmInstance", Method::put, actions, "Start a VM"}
        .action("startVmInstance")
        .required(In::url, "uuid", &StartVm::vm, "the VM")
        .optional(In::body, "clusterUuid", &StartVm::cluster, "where to start it")
        .optional(In::body, "hostUuid", &StartVm::host, "where to start it")
        .optional(In::body, "epoch", &StartVm::epoch,
                  "the newest epoch of the VM that the caller knows of; refused when the VM was started or moved since")
        .returns("inventory", "VmInstance")
        .allowed_in({created, stopped, crashed, running}, Code::vm_start)
        .job_class(JobClass::power)
        .runs_as_job(queue_of(&StartVm::vm), with(services, start_vm));
}

Row stop_row(Services& services) {
    return Operation<StopVm>{"StopVmInstance", Method::put, actions, "Stop a VM"}
        .action("stopVmInstance")
        .required(In::url, "uuid", &StopVm::vm, "the VM")
        .optional(In::body, "type", &StopVm::type,
                  "grace asks the guest and pulls the plug when it does not obey, cold pulls the plug")
        .optional(In::body, "stopHA", &StopVm::stop_ha, "true: a NeverStop VM stays down")
        .returns("inventory", "VmInstance")
        .returns_value("stoppedBy", {{"type", "string"}, {"enum", {"guestAgent", "acpi", "powerOff", "alreadyOff"}}}, false)
        .allowed_in({no_state, running, unknown, crashed, paused, stopped}, Code::vm_stop)
        .job_class(JobClass::power)
        .runs_as_job(queue_of(&StopVm::vm), with(services, stop_vm));
}

Row reboot_row(Services& services) {
    return Operation<OnVm>{"RebootVmInstance", Method::put, actions, "Stop a VM gracefully and start it again"}
        .action("rebootVmInstance")
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .returns("inventory", "VmInstance")
        .allowed_in({no_state, running, crashed}, Code::vm_reboot)
        .job_class(JobClass::power)
        .runs_as_job(queue_of(&OnVm::vm), with(services, reboot_vm));
}

Row pause_row(Services& services) {
    return Operation<OnVm>{"PauseVmInstance", Method::put, actions, "Suspend a VM's CPUs; its memory stays"}
        .action("pauseVmInstance")
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .returns("inventory", "VmInstance")
        .allowed_in({running}, Code::vm_suspend)
        .runs_as_job(queue_of(&OnVm::vm), with(services, pause_vm));
}

Row resume_row(Services& services) {
    return Operation<ResumeVm>{"ResumeVmInstance", Method::put, actions, "Let a paused VM go on"}
        .action("resumeVmInstance")
        .required(In::url, "uuid", &ResumeVm::vm, "the VM")
        .optional(In::body, "onlyAfterIoError", &ResumeVm::only_after_io_error,
                  "true: only if an I/O error paused it; a VM that somebody paused stays so")
        .returns("inventory", "VmInstance")
        .allowed_in({paused}, Code::vm_resume)
        .runs_as_job(queue_of(&ResumeVm::vm), with(services, resume_vm));
}

Row settle_row(Services& services) {
    return Operation<OnVm>{"SettleVmInstance", Method::put, actions,
                           "End what a lost libvirt left open on a VM: snapshots that are Creating, held guests. The "
                           "agent does so on its own"}
        .action("settleVmInstance")
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .returns("inventory", "VmInstance")
        .fails_as(Code::operation_failed)
        .runs_as_job([&services](const OnVm& params) { return vm_and_volume_queues(services, params.vm); },
                     with(services, settle_vm));
}

Row destroy_row(Services& services) {
    return Operation<DestroyVm>{"DestroyVmInstance", Method::del, "/vm-instances/{uuid}",
                                "Pull the plug of a VM and put it aside until it is recovered or expunged"}
        .required(In::url, "uuid", &DestroyVm::vm, "the VM; one that is not there is a success")
        .optional(In::query, "deleteMode", &DestroyVm::delete_mode, "the same for both values on a single host")
        .values({"Permissive", "Enforcing"})
        .gone_is_success()
        .allowed_in({created, starting, running, stopping, stopped, rebooting, destroying, destroyed, migrating, pausing,
                     paused, resuming, volume_migrating, volume_recovering, error, no_state, unknown, crashed},
                    Code::delete_failed)
        .job_class(JobClass::power)
        .runs_as_job(queue_of(&DestroyVm::vm), with(services, destroy_vm));
}

Row recover_row(Services& services) {
    return Operation<OnVm>{"RecoverVmInstance", Method::put, actions, "Bring a destroyed VM back, Stopped"}
        .action("recoverVmInstance")
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .returns("inventory", "VmInstance")
        .allowed_in({destroyed}, Code::operation_failed)
        .runs_as_job(queue_of(&OnVm::vm), with(services, recover_vm));
}

Row expunge_row(Services& services) {
    return Operation<OnVm>{"ExpungeVmInstance", Method::put, actions, "Delete a destroyed VM and its root volume for good"}
        .action("expungeVmInstance")
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .allowed_in({destroyed}, Code::operation_failed)
        .timeout(hours(3))
        .job_class(JobClass::power)
        .runs_as_job(queue_of(&OnVm::vm), with(services, expunge_vm));
}

Row update_row(Services& services) {
    return Operation<UpdateVm>{"UpdateVmInstance", Method::put, actions,
                               "Change the name, description, size or platform of a VM"}
        .action("updateVmInstance")
        .required(In::url, "uuid", &UpdateVm::vm, "the VM")
        .optional(In::body, "name", &UpdateVm::name, "what people call it")
        .is_name()
        .optional(In::body, "description", &UpdateVm::description, "what it is for")
        .max_length(2048)
        .optional(In::body, "state", &UpdateVm::state, "must be what the VM is: a state cannot be written")
        .optional(In::body, "defaultL3NetworkUuid", &UpdateVm::default_l3, "the network of its default route")
        .optional(In::body, "platform", &UpdateVm::platform, "takes effect at the next start")
        .values(platforms)
        .optional(In::body, "cpuNum", &UpdateVm::cpus, "virtual CPUs")
        .range(1, 1024)
        .optional(In::body, "memorySize", &UpdateVm::memory, "memory in bytes")
        .range(1)
        .optional(In::body, "reservedMemorySize", &UpdateVm::reserved_memory, "memory kept for it in bytes")
        .range(0)
        .optional(In::body, "guestOsType", &UpdateVm::guest_os_type, "what runs inside")
        .max_length(255)
        .returns("inventory", "VmInstance")
        .fails_as(Code::operation_failed)
        .runs_as_job(queue_of(&UpdateVm::vm), with(services, update_vm));
}

Row change_offering_row(Services& services) {
    return Operation<ChangeOffering>{"ChangeInstanceOffering", Method::put, "/vm-instances/{vmInstanceUuid}/actions",
                                     "Give a VM the size of another offering"}
        .action("changeInstanceOffering")
        .required(In::url, "vmInstanceUuid", &ChangeOffering::vm, "the VM")
        .required(In::body, "instanceOfferingUuid", &ChangeOffering::offering,
                  "the new size; a stopped VM takes it at its next start")
        .returns("inventory", "VmInstance")
        .allowed_in({created, running, stopped}, Code::operation_failed)
        .runs_as_job(queue_of(&ChangeOffering::vm), with(services, change_instance_offering));
}

constexpr const char* ha_path = "/vm-instances/{uuid}/ha-levels";

Row set_ha_row(Services& services) {
    return Operation<SetHaLevel>{"SetVmInstanceHaLevel", Method::post, ha_path, "Say what happens when the VM is found down"}
        .required(In::url, "uuid", &SetHaLevel::vm, "the VM")
        .required(In::body, "level", &SetHaLevel::level, "NeverStop: it is started again, with a growing delay")
        .values({"NeverStop", "OnHostFailure", "FaultTolerance"})
        .fails_as(Code::operation_failed)
        .runs_as_job(queue_of(&SetHaLevel::vm), with(services, set_ha_level));
}

Row get_ha_row(Services& services) {
    return Operation<OnVm>{"GetVmInstanceHaLevel", Method::get, ha_path, "What happens when the VM is found down"}
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .returns_value("level", {{"type", "string"}}, false)
        .answers(with(services, get_ha_level));
}

Row delete_ha_row(Services& services) {
    return Operation<OnVm>{"DeleteVmInstanceHaLevel", Method::del, ha_path, "Leave the VM alone when it is found down"}
        .also_at("/instances/{uuid}/ha-levels")
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .runs_as_job(queue_of(&OnVm::vm), with(services, delete_ha_level));
}

Row capabilities_row(Services& services) {
    return Operation<OnVm>{"GetVmCapabilities", Method::get, "/vm-instances/{uuid}/capabilities",
                           "What can be done with the VM"}
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .returns_value("capabilities", {{"type", "object"}, {"additionalProperties", {{"type", "boolean"}}}})
        .answers(with(services, get_vm_capabilities));
}

Row starting_candidates_row(Services& services) {
    return Operation<OnVm>{"GetVmStartingCandidateClustersHosts", Method::get, "/vm-instances/{uuid}/starting-target-hosts",
                           "Where the VM could be started"}
        .required(In::url, "uuid", &OnVm::vm, "the VM")
        .returns_list("hosts", "Host")
        .returns_list("clusters", "Cluster")
        .returns_list("hostInventories", "Host")
        .returns_list("clusterInventories", "Cluster")
        .allowed_in({stopped}, Code::operation_failed)
        .answers(with(services, get_starting_candidates));
}

Row creating_candidates_row(Services& services) {
    using P = FindPlaceForVm;
    return Operation<P>{"GetCandidateZonesClustersHostsForCreatingVm", Method::get, "/vm-instances/candidate-destinations",
                        "Where such a VM could be made"}
        .optional(In::query, "instanceOfferingUuid", &P::offering, "its size; or give cpuNum and memorySize")
        .required(In::query, "imageUuid", &P::image, "image of the root disk")
        .required(In::query, "l3NetworkUuids", &P::l3_networks, "its networks")
        .not_empty()
        .optional(In::query, "rootDiskOfferingUuid", &P::root_disk_offering, "size of the root disk")
        .optional(In::query, "rootDiskSize", &P::root_disk_size, "size of the root disk in bytes")
        .range(1)
        .optional(In::query, "dataDiskOfferingUuids", &P::data_disk_offerings, "its data disks")
        .optional(In::query, "cpuNum", &P::cpus, "virtual CPUs")
        .range(1, 1024)
        .optional(In::query, "memorySize", &P::memory, "memory in bytes")
        .range(1)
        .optional(In::query, "zoneUuid", &P::zone, "only in this zone")
        .optional(In::query, "clusterUuid", &P::cluster, "only in this cluster")
        .optional(In::query, "defaultL3NetworkUuid", &P::default_l3, "one of l3NetworkUuids")
        .returns_list("zones", "Zone")
        .returns_list("clusters", "Cluster")
        .returns_list("hosts", "Host")
        .returns_value("success", {{"type", "boolean"}})
        .answers(with(services, get_places_for_creating));
}

}  // namespace

api::Table vm_api(Services& services) {
    const auto query = [&services](const std::string& resource, const api::QueryRequest& request) {
        return services.inventory.query(resource, request);
    };
    return {
        create_row(services),
        destroy_row(services),
        recover_row(services),
        expunge_row(services),
        start_row(services),
        stop_row(services),
        reboot_row(services),
        pause_row(services),
        resume_row(services),
        settle_row(services),
        update_row(services),
        change_offering_row(services),
        set_ha_row(services),
        get_ha_row(services),
        delete_ha_row(services),
        capabilities_row(services),
        starting_candidates_row(services),
        creating_candidates_row(services),
        api::query_operation("QueryVmInstance", "VmInstance", "/vm-instances", "List VMs", query),
        api::query_operation("QueryVmNic", "VmNic", "/vm-instances/nics", "List NICs", query),
        api::query_operation("QueryVmCdRom", "VmCdRom", "/vm-instances/cdroms", "List CD-ROM drives", query),
    };
}

}  // namespace hvagent::operations
