// QEMU's own commands, for what libvirt has no call for.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "drivers/libvirt/handles.h"

namespace hvagent::libvirt {

// Inside a call. Returns as libvirt's calls do; `answer` is QEMU's object, with "return" or "error".
int ask_qemu(virDomainPtr domain, const nlohmann::json& command, nlohmann::json& answer);
// What "return" holds. Error(operation_failed) with QEMU's words.
nlohmann::json asked_qemu(virDomainPtr domain, const std::string& command, const nlohmann::json& arguments,
                          const std::string& what);

}  // namespace hvagent::libvirt
