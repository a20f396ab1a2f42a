#include "agent/operations/migration/api.h"

#include "agent/operations/migration/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::Row;
using enum VmState;

// No job on the VM or its disks runs beside its move.
api::QueueOf<MigrateVm> queues_of_vm(Services& services) {
    return [&services](const MigrateVm& params) { return vm_and_volume_queues(services, params.vm); };
}

Row migrate_row(Services& services) {
    using P = MigrateVm;
    return Operation<P>{"MigrateVm", Method::put, "/vm-instances/{vmInstanceUuid}/actions",
                        "Move a running VM to another host; its disks go along unless the hosts share their storage"}
        .action("migrateVm")
        .required(In::url, "vmInstanceUuid", &P::vm, "the VM")
        .optional(In::body, "hostUuid", &P::host, "where to; default: the host that fits best")
        .optional(In::body, "migrateFromDestination", &P::from_destination,
                  "true: the destination's agent drives the move, through the source's libvirt")
        .optional(In::body, "strategy", &P::strategy, "auto-converge: the guest is slowed down until it converges")
        .values({"auto-converge"})
        .optional(In::body, "downTime", &P::down_time, "the longest pause of the guest, in milliseconds")
        .range(10, 60000)
        .takes_tags(&P::tags)
        .refuses("allowUnknown", "a VM that libvirt does not show cannot be moved; one that it shows can without this")
        .returns("inventory", "VmInstance")
        .returns_value("migration", {{"type", "object"}}, false)
        .allowed_in({running, paused, unknown}, Code::vm_migrate)
        .fails_as(Code::vm_migrate)
        .timeout(std::chrono::hours(1))
        .job_class(JobClass::migrate)
        .runs_as_job(queues_of_vm(services), with(services, migrate_vm));
}

Row candidates_row(Services& services) {
    using P = MigrationQuestion;
    return Operation<P>{"GetVmMigrationCandidateHosts", Method::get, "/vm-instances/{vmInstanceUuid}/migration-target-hosts",
                        "Hosts that the VM could move to now, and why it could not move to the others"}
        .required(In::url, "vmInstanceUuid", &P::vm, "the VM")
        .returns_list("inventories", "Host")
        .returns_value("unsuitable", {{"type", "array"},
                                      {"items",
                                       {{"type", "object"},
                                        {"properties",
                                         {{"hostUuid", {{"type", "string"}}},
                                          {"hostName", {{"type", "string"}}},
                                          {"reasons", {{"type", "array"}, {"items", {{"type", "string"}}}}}}}}}})
        .allowed_in({running, paused}, Code::vm_migrate)
        .answers(with(services, get_migration_candidates));
}

}  // namespace

api::Table migration_api(Services& services) {
    return {migrate_row(services), candidates_row(services)};
}

}  // namespace hvagent::operations
