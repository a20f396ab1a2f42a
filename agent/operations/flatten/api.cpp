#include "agent/operations/flatten/api.h"

#include "agent/api/operation.h"
#include "agent/operations/flatten/handlers.h"
#include "agent/operations/volume/volume_user.h"

namespace hvagent::operations {
namespace {

using api::In;
using api::Method;
using api::Operation;
using api::Row;
using std::chrono::hours;
using enum VmState;

json estimates_schema() {
    const json bytes = {{"type", "integer"}, {"format", "int64"}};
    const json one = {{"type", "object"},
                      {"additionalProperties", false},
                      {"required", {"volumeUuid", "bytesToCopy", "resultingSize", "fits"}},
                      {"properties",
                       {{"volumeUuid", {{"type", "string"}}},
                        {"bytesToCopy", bytes},
                        {"resultingSize", bytes},
                        {"fits", {{"type", "boolean"}}}}}};
    return {{"type", "array"},
            {"items", one},
            {"description",
             "of a dry run: bytes that would be copied, bytes on disk afterwards, and whether the primary "
             "storage has the room when the volumes before it are flattened too"}};
}

Row vm_row(Services& services) {
    return Operation<FlattenVm>{"FlattenVmInstance", Method::put, "/vm-instances/{uuid}/actions",
                                "Make the volumes of a VM stand alone, without image and snapshots below them. Snapshots "
                                "stay; volumes shared by several VMs are passed over"}
        .action("flattenVmInstance", {"flattenvminstance"})
        .required(In::url, "uuid", &FlattenVm::vm, "the VM")
        .optional(In::body, "full", &FlattenVm::full, "false: the root volume only")
        .optional(In::body, "dryRun", &FlattenVm::dry_run,
                  "only predict: allVolumes[].actualSize is what a flatten would make of it")
        .returns("inventory", "VmInstance")
        .returns_value("estimates", estimates_schema(), false)
        .allowed_in({running, stopped, paused}, Code::operation_failed)
        .timeout(hours(36))
        .job_class(JobClass::copy)
        .runs_as_job([&services](const FlattenVm& params) { return vm_and_volume_queues(services, params.vm); },
                     with(services, flatten_vm));
}

Row volume_row(Services& services) {
    return Operation<FlattenVolume>{"FlattenVolume", Method::put, "/volumes/{uuid}/actions",
                                    "Make a volume stand alone, without image and snapshots below it. Snapshots stay"}
        .action("flattenVolume")
        .required(In::url, "uuid", &FlattenVolume::volume, "the volume; its VM, if any, is Running, Stopped or Paused")
        .optional(In::body, "dryRun", &FlattenVolume::dry_run, "only predict: actualSize is what a flatten would make of it")
        .returns("inventory", "Volume")
        .returns_value("estimates", estimates_schema(), false)
        .fails_as(Code::operation_failed)
        .timeout(hours(36))
        .job_class(JobClass::copy)
        .runs_as_job([&services](const FlattenVolume& params) { return volume_queues(services, params.volume); },
                     with(services, flatten_volume));
}

}  // namespace

api::Table flatten_api(Services& services) {
    return {vm_row(services), volume_row(services)};
}

}  // namespace hvagent::operations
