#include "drivers/libvirt/libvirt_error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <mutex>

namespace hvagent::libvirt {
namespace {

Code code_of(const virError& error) {
    // Whatever the RPC layer complains about, the daemon did not get or did not answer the call.
    if (error.domain == VIR_FROM_RPC || error.domain == VIR_FROM_REMOTE) {
        switch (error.code) {
            case VIR_ERR_NO_SUPPORT:
            case VIR_ERR_ARGUMENT_UNSUPPORTED: return Code::no_capability;
            default: return Code::host_connection;
        }
    }
    switch (error.code) {
        case VIR_ERR_NO_DOMAIN:
        case VIR_ERR_NO_NETWORK:
        case VIR_ERR_NO_DOMAIN_METADATA: return Code::not_found;
        case VIR_ERR_NO_CONNECT:
        case VIR_ERR_INVALID_CONN:
        case VIR_ERR_AUTH_FAILED:
        case VIR_ERR_AUTH_CANCELLED:
        case VIR_ERR_AUTH_UNAVAILABLE:
        case VIR_ERR_RPC: return Code::host_connection;
        case VIR_ERR_OPERATION_TIMEOUT: return Code::timeout;
        case VIR_ERR_XML_ERROR:
        case VIR_ERR_XML_DETAIL:
        case VIR_ERR_XML_INVALID_SCHEMA:
        case VIR_ERR_INVALID_ARG: return Code::invalid_argument;
        case VIR_ERR_NO_SUPPORT:
        case VIR_ERR_ARGUMENT_UNSUPPORTED:
        case VIR_ERR_CONFIG_UNSUPPORTED:
        case VIR_ERR_OPERATION_UNSUPPORTED:
        case VIR_ERR_AGENT_UNRESPONSIVE: return Code::no_capability;
        default: return Code::operation_failed;
    }
}

}  // namespace

LibvirtError last_error(std::string_view what) {
    const virError* error = virGetLastError();
    if (!error) return LibvirtError(Code::operation_failed, std::string(what) + ": libvirt gave no reason", 0);
    std::string details = std::string(what) + ": " + (error->message ? error->message : "libvirt gave no text") +
                          " (libvirt error " + std::to_string(error->code) + ")";
    return LibvirtError(code_of(*error), std::move(details), error->code);
}

void throw_last_error(std::string_view what) {
    throw last_error(what);
}

int last_error_number() {
    return virGetLastErrorCode();
}

std::string last_error_text() {
    return virGetLastErrorMessage();
}

void silence_error_output() {
    static std::once_flag once;
    std::call_once(once, [] { virSetErrorFunc(nullptr, [](void*, virErrorPtr) {}); });
}

}  // namespace hvagent::libvirt
