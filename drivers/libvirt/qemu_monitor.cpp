#include "drivers/libvirt/qemu_monitor.h"

#include <libvirt/libvirt-qemu.h>

namespace hvagent::libvirt {

using nlohmann::json;

int ask_qemu(virDomainPtr domain, const json& command, json& answer) {
    char* said = nullptr;
    if (virDomainQemuMonitorCommand(domain, command.dump().c_str(), &said, 0) < 0) return -1;
    const Text text(said);
    answer = json::parse(text ? text.get() : "", nullptr, false);
    return answer.is_object() ? 0 : -1;
}

json asked_qemu(virDomainPtr domain, const std::string& command, const json& arguments, const std::string& what) {
    json request{{"execute", command}};
    if (!arguments.empty()) request["arguments"] = arguments;
    json answer;
    checked(ask_qemu(domain, request, answer), what);
    if (answer.contains("return")) return answer["return"];
    throw Error(Code::operation_failed,
                what + ": QEMU refuses " + command + ": " + answer.value("/error/desc"_json_pointer, answer.dump()));
}

}  // namespace hvagent::libvirt
