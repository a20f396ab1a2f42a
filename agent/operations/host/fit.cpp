#include "agent/operations/host/host_view.h"
#include "agent/operations/place/host_capacity.h"

namespace hvagent::operations {
namespace {

constexpr std::int64_t most_cpus = 1024;

std::int64_t positive(const json& body, const char* key, std::int64_t most) {
    const auto found = body.find(key);
    if (found == body.end()) throw Error(Code::invalid_argument, std::string("'") + key + "' is required");
    if (!found->is_number_integer() || found->get<std::int64_t>() < 1 || found->get<std::int64_t>() > most)
        throw Error(Code::invalid_argument,
                    std::string("'") + key + "' must be a whole number from 1 to " + std::to_string(most));
    return found->get<std::int64_t>();
}

VmId vm_in(const HostView& view, const json& body) {
    const auto found = body.find("vmInstanceUuid");
    if (found == body.end()) return VmId();
    if (!found->is_string() || !is_uuid(found->get<std::string>()))
        throw Error(Code::invalid_argument, "'vmInstanceUuid' must be a uuid");
    const VmId vm(found->get<std::string>());
    view.services.inventory.get<Vm>(vm);
    return vm;
}

}  // namespace

json does_it_fit(const HostView& view, const json& body) {
    if (!body.is_object())
        throw Error(Code::invalid_argument, "the body must be {\"cpuNum\", \"memorySize\", \"vmInstanceUuid\"?}");
    for (const auto& [key, value] : body.items())
        if (key != "cpuNum" && key != "memorySize" && key != "vmInstanceUuid")
            throw Error(Code::invalid_argument, "a fit is asked for without \"" + key.substr(0, 40) + "\"");
    const int cpus = static_cast<int>(positive(body, "cpuNum", most_cpus));
    const Bytes memory = positive(body, "memorySize", 1024 * 1024 * GiB);
    const VmId vm = vm_in(view, body);
    std::vector<std::string> reasons;
    if (!view.services.states.connected())
        reasons.emplace_back("libvirt does not answer");
    else
        reasons = view.services.capacity.reasons_against(vm, cpus, memory);
    return {
        {"fits", reasons.empty()}, {"reasons", reasons}, {"overhead", overhead_of(view.services.settings, cpus, memory)}};
}

}  // namespace hvagent::operations
