#include "drivers/libvirt/vm_stats_record.h"

#include <charconv>
#include <unordered_map>

namespace hvagent::libvirt {
namespace {

constexpr std::size_t most_devices = 1024;  // an index beyond that is a fault of libvirt's

std::uint64_t number_in(const virTypedParameter& param) {
    switch (param.type) {
        case VIR_TYPED_PARAM_INT: return param.value.i < 0 ? 0 : static_cast<std::uint64_t>(param.value.i);
        case VIR_TYPED_PARAM_UINT: return param.value.ui;
        case VIR_TYPED_PARAM_LLONG: return param.value.l < 0 ? 0 : static_cast<std::uint64_t>(param.value.l);
        case VIR_TYPED_PARAM_ULLONG: return param.value.ul;
        default: return 0;
    }
}

std::string text_in(const virTypedParameter& param) {
    return param.type == VIR_TYPED_PARAM_STRING && param.value.s ? param.value.s : "";
}

template <class Value>
Value& make(std::optional<Value>& place) {
    return place ? *place : place.emplace();
}

template <class Target>
using Setters = std::unordered_map<std::string_view, void (*)(Target&, const virTypedParameter&)>;

template <class Target>
void set(const Setters<Target>& setters, std::string_view name, Target& target, const virTypedParameter& param) {
    if (const auto found = setters.find(name); found != setters.end()) found->second(target, param);
}

template <auto member>
void number(VmStats& stats, const virTypedParameter& param) {
    stats.*member = number_in(param);
}
template <auto member>
void kibibytes(VmStats& stats, const virTypedParameter& param) {
    stats.*member = static_cast<Bytes>(number_in(param)) * KiB;
}
template <auto member, auto part>
void traffic(auto& device, const virTypedParameter& param) {
    make(device.*member).*part = number_in(param);
}

const Setters<VmStats>& vm_setters() {
    using S = VmStats;
    static const Setters<VmStats> setters{
        {"state.state",
         [](S& stats, const virTypedParameter& param) {
             const auto state = number_in(param);
             stats.active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED && state != VIR_DOMAIN_NOSTATE;
         }},
        {"cpu.time", number<&S::cpu_nanoseconds>},
        {"cpu.user", number<&S::cpu_user_nanoseconds>},
        {"cpu.system", number<&S::cpu_system_nanoseconds>},
        {"vcpu.current", number<&S::vcpus>},
        {"balloon.current", kibibytes<&S::memory>},
        {"balloon.maximum", kibibytes<&S::maximum_memory>},
        {"balloon.rss", kibibytes<&S::rss>},
        {"balloon.unused", kibibytes<&S::guest_unused>},
        {"balloon.available", kibibytes<&S::guest_available>},
        {"balloon.usable", kibibytes<&S::guest_usable>},
        {"balloon.disk_caches", kibibytes<&S::guest_disk_caches>},
        {"balloon.swap_in", kibibytes<&S::swapped_in>},
        {"balloon.swap_out", kibibytes<&S::swapped_out>},
        {"balloon.major_fault", number<&S::major_faults>},
        {"balloon.minor_fault", number<&S::minor_faults>},
    };
    return setters;
}

const Setters<VmDiskStats>& disk_setters() {
    using D = VmDiskStats;
    using T = VmDiskStats::Traffic;
    static const Setters<VmDiskStats> setters{
        {"name", [](D& disk, const virTypedParameter& param) { disk.target = text_in(param); }},
        {"path", [](D& disk, const virTypedParameter& param) { disk.source = text_in(param); }},
        {"rd.bytes", traffic<&D::read, &T::bytes>},
        {"rd.reqs", traffic<&D::read, &T::requests>},
        {"rd.times", traffic<&D::read, &T::nanoseconds>},
        {"wr.bytes", traffic<&D::written, &T::bytes>},
        {"wr.reqs", traffic<&D::written, &T::requests>},
        {"wr.times", traffic<&D::written, &T::nanoseconds>},
        {"fl.reqs", [](D& disk, const virTypedParameter& param) { disk.flushes = number_in(param); }},
        {"capacity", [](D& disk, const virTypedParameter& param) { disk.capacity = number_in(param); }},
        {"allocation", [](D& disk, const virTypedParameter& param) { disk.allocation = number_in(param); }},
        {"physical", [](D& disk, const virTypedParameter& param) { disk.physical = number_in(param); }},
    };
    return setters;
}

const Setters<VmNicStats>& nic_setters() {
    using N = VmNicStats;
    using T = VmNicStats::Traffic;
    static const Setters<VmNicStats> setters{
        {"name", [](N& nic, const virTypedParameter& param) { nic.target = text_in(param); }},
        {"rx.bytes", traffic<&N::received, &T::bytes>},
        {"rx.pkts", traffic<&N::received, &T::packets>},
        {"rx.errs", traffic<&N::received, &T::errors>},
        {"rx.drop", traffic<&N::received, &T::drops>},
        {"tx.bytes", traffic<&N::transmitted, &T::bytes>},
        {"tx.pkts", traffic<&N::transmitted, &T::packets>},
        {"tx.errs", traffic<&N::transmitted, &T::errors>},
        {"tx.drop", traffic<&N::transmitted, &T::drops>},
    };
    return setters;
}

// "block.3.rd.bytes": the device's number and "rd.bytes". False when it has another form.
bool split(std::string_view name, std::string_view group, std::size_t& index, std::string_view& field) {
    if (name.substr(0, group.size()) != group) return false;
    const char* const end = name.data() + name.size();
    const auto [after, error] = std::from_chars(name.data() + group.size(), end, index);
    if (error != std::errc() || after == end || *after != '.' || index >= most_devices) return false;
    field = std::string_view(after + 1, static_cast<std::size_t>(end - after - 1));
    return true;
}

template <class Device>
Device& device_at(std::vector<Device>& devices, std::size_t index) {
    if (devices.size() <= index) devices.resize(index + 1);
    return devices[index];
}

void set_vcpu(VmStats& stats, std::size_t index, std::string_view field, const virTypedParameter& param) {
    if (field != "time" && field != "delay") return;
    if (stats.each_vcpu.empty() || stats.each_vcpu.back().number != static_cast<int>(index)) {
        stats.each_vcpu.emplace_back();
        stats.each_vcpu.back().number = static_cast<int>(index);
    }
    if (field == "time") stats.each_vcpu.back().nanoseconds = number_in(param);
    if (field == "delay") stats.each_vcpu.back().waited_nanoseconds = number_in(param);
}

}  // namespace

VmStats read_stats(VmId vm, const virTypedParameter* params, int count) {
    VmStats stats;
    stats.vm = std::move(vm);
    for (int i = 0; i < count; ++i) {
        const virTypedParameter& param = params[i];
        const std::string_view name = param.field;
        std::size_t index = 0;
        std::string_view field;
        if (split(name, "block.", index, field))
            set(disk_setters(), field, device_at(stats.disks, index), param);
        else if (split(name, "net.", index, field))
            set(nic_setters(), field, device_at(stats.nics, index), param);
        else if (split(name, "vcpu.", index, field))
            set_vcpu(stats, index, field, param);
        else
            set(vm_setters(), name, stats, param);
    }
    return stats;
}

}  // namespace hvagent::libvirt
