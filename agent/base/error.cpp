#include "hvagent/error.h"

#include <array>

namespace hvagent {
namespace {

// Wire codes and texts: rest-conventions, section 13.
constexpr std::array table{
    CodeInfo{Code::internal, "SYS.1000", "An internal error happened in system", 503},
    CodeInfo{Code::timeout, "SYS.1001", "An operation timeout error", 503},
    CodeInfo{Code::create_failed, "SYS.1002", "Unable to create resource", 503},
    CodeInfo{Code::not_found, "SYS.1003", "Unable to find resource", 503},
    CodeInfo{Code::delete_failed, "SYS.1004", "Unable to delete resource", 503},
    CodeInfo{Code::change_state_failed, "SYS.1005", "Unable to change the resource's state", 503},
    CodeInfo{Code::operation_failed, "SYS.1006", "An operation failed", 503},
    CodeInfo{Code::invalid_argument, "SYS.1007", "One or more API argument is invalid", 503},
    CodeInfo{Code::not_ready, "SYS.1010", "The system is not ready", 503},
    CodeInfo{Code::management_unavailable, "SYS.1012", "The management node is not available", 503},
    CodeInfo{Code::no_capability, "SYS.1013", "The resource has no such capability", 503},
    CodeInfo{Code::unimplemented, "SYS.1014", "The operation is not implemented", 503},
    CodeInfo{Code::http_failed, "SYS.1015", "An HTTP error", 503},
    CodeInfo{Code::io_failed, "SYS.1016", "An I/O error", 503},
    CodeInfo{Code::cancelled, "SYS.1017", "The operation was cancelled", 503},
    CodeInfo{Code::vm_create, "VM.1000", "Failed to create vm", 503},
    CodeInfo{Code::vm_start, "VM.1001", "Failed to start vm", 503},
    CodeInfo{Code::vm_stop, "VM.1002", "Failed to stop vm", 503},
    CodeInfo{Code::vm_reboot, "VM.1003", "Failed to reboot vm", 503},
    CodeInfo{Code::vm_destroy, "VM.1004", "Failed to destroy vm", 503},
    CodeInfo{Code::vm_attach_volume, "VM.1005", "Failed to attach volume", 503},
    CodeInfo{Code::vm_detach_volume, "VM.1006", "Failed to detach volume", 503},
    CodeInfo{Code::vm_attach_network, "VM.1007", "Failed to attach network", 503},
    CodeInfo{Code::vm_migrate, "VM.1008", "Failed to migrate vm", 503},
    CodeInfo{Code::vm_wrong_state, "VM.1010", "Not in the right state to perform the operation", 503},
    CodeInfo{Code::vm_change_password, "VM.1011", "Failed to change the vm's password", 503},
    CodeInfo{Code::vm_suspend, "VM.1012", "Failed to suspend vm", 503},
    CodeInfo{Code::vm_resume, "VM.1013", "Failed to resume vm", 503},
    CodeInfo{Code::reimage_not_stopped, "VM.1014", "Not in the right state to reimage", 503},
    CodeInfo{Code::reimage_from_iso, "VM.1015", "Cannot reimage a vm that was made from an ISO", 503},
    CodeInfo{Code::reimage_without_template, "VM.1016", "The image cache of the vm cannot be found", 503},
    CodeInfo{Code::volume_flatten, "VOLUME.1001", "Failed to flatten a volume", 503},
    CodeInfo{Code::snapshot_wrong_status, "VOLUME_SNAPSHOT.1000", "Not in the right status to perform the operation", 503},
    CodeInfo{Code::host_maintenance, "HOST.1001", "Failed to put the host into maintenance", 503},
    CodeInfo{Code::host_connection, "HOST.1003", "Unable to connect to the hypervisor", 503},
    CodeInfo{Code::host_start_vm, "HOST.1005", "Failed to start vm on the hypervisor", 503},
    CodeInfo{Code::host_stop_vm, "HOST.1006", "Failed to stop vm on the hypervisor", 503},
    CodeInfo{Code::host_reboot_vm, "HOST.1007", "Failed to reboot vm on the hypervisor", 503},
    CodeInfo{Code::host_destroy_vm, "HOST.1008", "Failed to destroy vm on the hypervisor", 503},
    CodeInfo{Code::no_available_host, "HOST_ALLOCATION.1000", "No host is available for the vm", 503},
    CodeInfo{Code::storage_allocate, "PS.1000", "Failed to allocate primary storage", 503},
    CodeInfo{Code::storage_disconnected, "PS.1003", "The primary storage is disconnected", 503},
    CodeInfo{Code::image_download, "BS.1000", "Failed to download the image", 503},
    CodeInfo{Code::image_storage_allocate, "BS.1003", "Failed to allocate backup storage", 503},
    CodeInfo{Code::image_from_volume, "IMG.1000", "Failed to create an image from a volume", 503},
    CodeInfo{Code::authentication_failed, "ID.1000", "Wrong account name or password", 503},
    CodeInfo{Code::invalid_session, "ID.1001", "Session expired", 503},
    CodeInfo{Code::permission_denied, "ID.1002", "Permission denied", 503},
    CodeInfo{Code::too_many_sessions, "ID.1006", "Too many sessions", 503},
    CodeInfo{Code::login_refused, "LOGIN_CONTROL.1004", "Login refused", 503},
    CodeInfo{Code::no_free_ip, "L3.1000", "Unable to allocate an IP address", 503},
    CodeInfo{Code::duplicate_tag, "TAG.1000", "Duplicate tag", 503},
    CodeInfo{Code::job_cancelled, "LONG_JOB.1000", "The job was cancelled", 503},
    CodeInfo{Code::job_not_cancelable, "LONG_JOB.1001", "The job cannot be cancelled", 503},
    CodeInfo{Code::job_interrupted, "LONG_JOB.1002", "The job was interrupted", 503},
    CodeInfo{Code::no_progress, "PROGRESS.1000", "No such task is running", 503},
    CodeInfo{Code::bad_request, "SYS.1007", "One or more API argument is invalid", 400},
    CodeInfo{Code::request_time_skewed, "ID.1001", "requestTimeTooSkewed", 403},
    CodeInfo{Code::no_such_path, "SYS.1009", "No route to this path", 404},
    CodeInfo{Code::wrong_method, "SYS.1009", "The method is not allowed for this path", 405},
    CodeInfo{Code::body_too_large, "SYS.1007", "The request body is too large", 413},
};

}  // namespace

const CodeInfo& info_of(Code code) {
    for (const CodeInfo& info : table)
        if (info.code == code) return info;
    return table[0];
}

Code code_from_wire(std::string_view wire) {
    for (const CodeInfo& info : table)
        if (info.wire == wire) return info.code;
    return Code::internal;
}

Error::Error(Code code, std::string details) : code_(code), details_(std::move(details)) {}

Error::Error(Code code, std::string details, Error cause)
    : code_(code), details_(std::move(details)), cause_(std::make_shared<const Error>(std::move(cause))) {}

Error current_error() {
    try {
        throw;
    } catch (const Error& error) {
        return error;
    } catch (const std::exception& error) {
        return Error(Code::internal, error.what());
    } catch (...) {
        return Error(Code::internal, "an exception of unknown type");
    }
}

}  // namespace hvagent
