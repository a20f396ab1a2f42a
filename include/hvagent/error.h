// The one exception type of hvagent and the codes it carries.
#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hvagent {

// What went wrong, in the words of the wire contract. error.cpp maps each code to its wire code, its
// description and the HTTP status of a synchronous answer.
enum class Code {
    internal,  // a bug, or a host that broke its promises
    timeout,
    create_failed,
    not_found,
    delete_failed,
    change_state_failed,
    operation_failed,
    invalid_argument,
    not_ready,
    management_unavailable,
    no_capability,
    unimplemented,
    http_failed,
    io_failed,
    cancelled,
    vm_create,
    vm_start,
    vm_stop,
    vm_reboot,
    vm_destroy,
    vm_attach_volume,
    vm_detach_volume,
    vm_attach_network,
    vm_migrate,
    vm_wrong_state,
    vm_change_password,
    vm_suspend,
    vm_resume,
    reimage_not_stopped,
    reimage_from_iso,
    reimage_without_template,
    volume_flatten,
    snapshot_wrong_status,
    host_maintenance,
    host_connection,  // libvirt cannot be reached
    host_start_vm,
    host_stop_vm,
    host_reboot_vm,
    host_destroy_vm,
    no_available_host,
    storage_allocate,
    storage_disconnected,
    image_download,
    image_storage_allocate,
    image_from_volume,
    authentication_failed,
    invalid_session,
    permission_denied,
    too_many_sessions,
    login_refused,  // too many wrong passwords
    no_free_ip,
    duplicate_tag,
    job_cancelled,
    job_not_cancelable,
    job_interrupted,
    no_progress,
    // Errors of the request itself; they never become a job.
    bad_request,          // 400
    request_time_skewed,  // 403
    no_such_path,         // 404
    wrong_method,         // 405
    body_too_large,       // 413
};

struct CodeInfo {
    Code code;
    std::string_view wire;         // "VM.1002"
    std::string_view description;  // text of the real server's error table
    int http_status;               // of a synchronous answer; 503 for all but request errors
};

const CodeInfo& info_of(Code code);
// The code with this wire name; Code::internal when there is none.
Code code_from_wire(std::string_view wire);

// `details` names the thing, the cause and what was expected; it is shown to clients, so no secrets.
class Error : public std::exception {
public:
    Error(Code code, std::string details);
    Error(Code code, std::string details, Error cause);

    Code code() const { return code_; }
    const std::string& details() const { return details_; }
    const Error* cause() const { return cause_.get(); }
    const char* what() const noexcept override { return details_.c_str(); }

private:
    Code code_;
    std::string details_;
    std::shared_ptr<const Error> cause_;
};

// The exception being handled as an Error: itself, or Code::internal with its text. Call inside a catch.
Error current_error();

}  // namespace hvagent
