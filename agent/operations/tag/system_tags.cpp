#include "agent/operations/tag/system_tags.h"

#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

[[noreturn]] void refuse(const std::string& details) {
    throw Error(Code::invalid_argument, details);
}

void check_tag_of_existing_vm(const std::string& tag) {
    check_vm_tags({tag});
    for (const char* name : {"staticIp", "customMac", "createWithoutCdRom", "driver", "cdroms", "iso"})
        if (tag.starts_with(std::string(name) + "::"))
            refuse("system tag '" + std::string(name) + "' is heeded when a VM is created, not later");
}

}  // namespace

std::string resource_of_tag_type(const std::string& tag_type) {
    std::string known;
    for (const api::ResourceShape& shape : inventory::Inventory::shapes()) {
        if (shape.tag_type.empty()) continue;
        if (shape.tag_type == tag_type) return shape.resource;
        if (known.find(shape.tag_type) == std::string::npos) known += (known.empty() ? "" : ", ") + shape.tag_type;
    }
    refuse("parameter 'resourceType' must be one of " + known + ", but is \"" + tag_type + "\"");
}

void check_system_tag(const Services& services, std::string_view resource, const std::string& tag) {
    if (resource == "VmInstance") return check_tag_of_existing_vm(tag);
    if (resource == "InstanceOffering") return check_vm_tags({tag});  // copied onto its VMs
    if (resource == "Volume") return check_volume_tags({tag}, services.host);
    if (resource == "Image" && (tag == "qemuga" || tag == "bootMode::Legacy" || tag == "bootMode::UEFI")) return;
    refuse("no system tag of a " + std::string(resource) + " matches '" + tag + "'");
}

std::string_view tag_key(std::string_view tag) {
    const auto value = tag.rfind("::");
    return value == std::string_view::npos ? tag : tag.substr(0, value);
}

}  // namespace hvagent::operations
