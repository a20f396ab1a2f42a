#include "agent/operations/cdrom/api.h"

#include "agent/operations/cdrom/handlers.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::queue_of;
using api::Row;
using enum VmState;

Row attach_row(Services& services) {
    return Operation<AttachIso>{"AttachIsoToVmInstance", Method::post, "/vm-instances/{vmInstanceUuid}/iso/{isoUuid}",
                                "Put an ISO into the first empty CD-ROM of a VM, or into the one that the system tag "
                                "cdromUuid::<uuid> names"}
        .required(In::url, "vmInstanceUuid", &AttachIso::vm, "the VM")
        .required(In::url, "isoUuid", &AttachIso::iso, "the ISO, Enabled and Ready")
        .takes_tags(&AttachIso::tags)
        .returns("inventory", "VmInstance")
        .allowed_in({running, stopped, paused}, Code::operation_failed)
        .job_class(JobClass::copy)
        .runs_as_job(queue_of(&AttachIso::vm, &AttachIso::iso), with(services, attach_iso));
}

Row detach_row(Services& services) {
    return Operation<DetachIso>{
        "DetachIsoFromVmInstance", Method::del, "/vm-instances/{vmInstanceUuid}/iso",
        "Eject an ISO: the guest is asked to open the tray, and the medium is taken by force when it "
        "has not within a few seconds. Not attached is a success"}
        .required(In::url, "vmInstanceUuid", &DetachIso::vm, "the VM")
        .optional(In::query, "isoUuid", &DetachIso::iso, "the ISO; may be left out when there is only one")
        .may_be_missing()
        .returns("inventory", "VmInstance")
        .allowed_in({running, stopped, paused}, Code::operation_failed)
        .runs_as_job(queue_of(&DetachIso::vm), with(services, detach_iso));
}

Row iso_candidates_row(Services& services) {
    return Operation<IsoCandidates>{"GetCandidateIsoForAttachingVm", Method::get,
                                    "/vm-instances/{vmInstanceUuid}/iso-candidates",
                                    "ISOs that could be attached to a VM; none unless it is Running or Stopped"}
        .required(In::url, "vmInstanceUuid", &IsoCandidates::vm, "the VM")
        .returns_list("inventories", "Image")
        .answers(with(services, get_isos_for_vm));
}

Row vm_candidates_row(Services& services) {
    return Operation<IsoVmCandidates>{"GetCandidateVmForAttachingIso", Method::get, "/images/iso/{isoUuid}/vm-candidates",
                                      "VMs, Running or Stopped, that an ISO could be attached to"}
        .required(In::url, "isoUuid", &IsoVmCandidates::iso, "the ISO")
        .returns_list("inventories", "VmInstance")
        .answers(with(services, get_vms_for_iso));
}

Row get_order_row(Services& services) {
    const json devices = {{"type", "array"}, {"items", {{"type", "string"}, {"enum", {"HardDisk", "CdRom", "Network"}}}}};
    return Operation<OfBootOrder>{"GetVmBootOrder", Method::get, "/vm-instances/{uuid}/boot-orders",
                                  "What a VM tries to boot from"}
        .required(In::url, "uuid", &OfBootOrder::vm, "the VM")
        .returns_value("orders", devices)
        .returns_value("order", devices)
        .answers(with(services, get_boot_order));
}

Row set_order_row(Services& services) {
    return Operation<SetBootOrder>{"SetVmBootOrder", Method::put, "/vm-instances/{uuid}/actions",
                                   "Say what a VM boots from, from its next start on. With the system tag "
                                   "bootOrderOnce::true the order is for that one start, until the VM is stopped"}
        .action("setVmBootOrder")
        .required(In::url, "uuid", &SetBootOrder::vm, "the VM")
        .optional(In::body, "bootOrder", &SetBootOrder::order, "HardDisk, CdRom, Network; left out: the default")
        .takes_tags(&SetBootOrder::tags)
        .returns("inventory", "VmInstance")
        .runs_as_job(queue_of(&SetBootOrder::vm), with(services, set_boot_order));
}

}  // namespace

api::Table cdrom_api(Services& services) {
    return {attach_row(services),        detach_row(services),    iso_candidates_row(services),
            vm_candidates_row(services), get_order_row(services), set_order_row(services)};
}

}  // namespace hvagent::operations
