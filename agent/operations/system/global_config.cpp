#include "agent/operations/system/global_config.h"

#include <sstream>

namespace hvagent::operations {
namespace {

using config::Settings;
using nlohmann::json;

struct Known {
    const char* category;
    const char* name;
    const char* description;
    std::string (*value)(const Settings& settings);
};

std::string text(bool value) {
    return value ? "true" : "false";
}

std::string text(seconds value) {
    return std::to_string(value.count());
}

std::string text(double value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

// Names and units of the contract.
constexpr Known known[] = {
    {"host", "cpu.overProvisioning.ratio", "virtual CPUs per CPU: [host] cpu_ratio",
     [](const Settings& s) { return text(s.cpu_ratio); }},
    {"identity", "session.timeout", "seconds a session lives: [admin] session_timeout",
     [](const Settings& s) { return text(s.session_timeout); }},
    {"identity", "session.maxConcurrent", "sessions open at once: [admin] max_sessions",
     [](const Settings& s) { return std::to_string(s.max_sessions); }},
    {"image", "deletionPolicy", "what deleting an image does: [image] deletion_policy",
     [](const Settings& s) { return s.image_deletion_policy; }},
    {"image", "expungePeriod", "seconds until a deleted image is expunged: [image] expunge_after",
     [](const Settings& s) { return text(s.image_expunge_after); }},
    {"kvm", "reservedMemory", "bytes never given to VMs: [host] reserved_memory",
     [](const Settings& s) { return std::to_string(s.reserved_memory); }},
    {"mevoco", "overProvisioning.memory", "memory promised to VMs per memory of the host: [host] memory_ratio",
     [](const Settings& s) { return text(s.memory_ratio); }},
    {"rest", "completedApi.expiredPeriod", "seconds the result of a job is kept: [job] result_lifetime",
     [](const Settings& s) { return text(s.job_result_lifetime); }},
    {"vm", "deletionPolicy", "what destroying a VM does: [vm] deletion_policy",
     [](const Settings& s) { return s.deletion_policy; }},
    {"vm", "expungePeriod", "seconds until a destroyed VM is expunged: [vm] expunge_after",
     [](const Settings& s) { return text(s.expunge_after); }},
    {"vm", "numa", "CPUs and memory of running VMs may grow: [vm] hotplug",
     [](const Settings& s) { return text(s.hotplug); }},
    {"vm", "vmDefaultCdRomNum", "CD-ROM drives of a new VM: [vm] cdroms",
     [](const Settings& s) { return std::to_string(s.cdroms); }},
    {"volume", "deletionPolicy", "what deleting a data volume does: [volume] deletion_policy",
     [](const Settings& s) { return s.volume_deletion_policy; }},
    {"volume", "expungePeriod", "seconds until a deleted data volume is expunged: [volume] expunge_after",
     [](const Settings& s) { return text(s.volume_expunge_after); }},
};

}  // namespace

const api::ResourceShape& global_config_shape() {
    using api::FieldType;
    static const api::ResourceShape shape{
        "GlobalConfig",
        "org.zstack.core.config.GlobalConfigInventory",
        "",
        {{"id", FieldType::integer, {}, true, true, ""},
         {"name", FieldType::text, {}, true, true, ""},
         {"category", FieldType::text, {}, true, true, ""},
         {"description", FieldType::text, {}, true, true, "and the setting of the configuration file"},
         {"defaultValue", FieldType::text, {}, true, true, ""},
         {"value", FieldType::text, {}, true, true, ""}},
        {},
        {},
        {}};
    return shape;
}

std::vector<json> global_configs(const Settings& settings) {
    const Settings defaults;
    std::vector<json> records;
    for (const Known& one : known)
        records.push_back({{"id", records.size() + 1},
                           {"category", one.category},
                           {"name", one.name},
                           {"description", one.description},
                           {"defaultValue", one.value(defaults)},
                           {"value", one.value(settings)}});
    return records;
}

}  // namespace hvagent::operations
