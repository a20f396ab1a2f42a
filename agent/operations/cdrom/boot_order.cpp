#include "agent/operations/cdrom/boot_order.h"

#include <algorithm>
#include <sstream>

#include "agent/operations/cdrom/drives.h"
#include "agent/operations/cdrom/handlers.h"
#include "agent/operations/vm/tags.h"
#include "hvagent/error.h"

namespace hvagent::operations {
namespace {

constexpr const char* order_tag = "bootOrder";
constexpr const char* once_tag = "bootOrderOnce";
constexpr const char* once = "bootOrderOnce::true";
constexpr const char* not_once = "bootOrderOnce::false";

std::string to_text(const std::vector<BootDevice>& order) {
    std::string text;
    for (const BootDevice device : order) text += (text.empty() ? "" : ",") + std::string(hvagent::to_text(device));
    return text;
}

bool has_iso(const Services& services, const VmId& vm) {
    const auto drives = drives_of(services.inventory, vm);
    return std::any_of(drives.begin(), drives.end(), [](const VmCdRom& drive) { return !drive.iso.empty(); });
}

// Whether the order is for one boot. Nothing else can be said by a tag here.
bool wants_one_boot(const api::Tags& tags) {
    if (!tags.user.empty()) throw Error(Code::invalid_argument, "'userTags' are not taken here; use CreateUserTag");
    for (const std::string& tag : tags.system)
        if (tag != once && tag != not_once)
            throw Error(Code::invalid_argument,
                        "system tag '" + tag + "' is not known here; an order can have bootOrderOnce::true|false");
    return has_tag(tags.system, once);
}

void check(const std::vector<BootDevice>& order) {
    for (const BootDevice device : order)
        if (std::count(order.begin(), order.end(), device) > 1)
            throw Error(Code::invalid_argument,
                        "parameter 'bootOrder': " + std::string(hvagent::to_text(device)) + " stands twice");
}

}  // namespace

std::vector<BootDevice> stored_boot_order(const std::vector<std::string>& tags) {
    std::vector<BootDevice> order;
    std::istringstream text(tag_value(tags, order_tag));
    for (std::string word; std::getline(text, word, ',');)
        if (const auto device = parse_enum<BootDevice>(word)) order.push_back(*device);
    return order;
}

std::vector<BootDevice> boot_order_of(const std::vector<std::string>& tags) {
    const std::vector<BootDevice> order = stored_boot_order(tags);
    return order.empty() ? std::vector{BootDevice::hard_disk, BootDevice::cdrom, BootDevice::network} : order;
}

void forget_order_of_one_boot(Services& services, const VmId& vm) {
    if (services.inventory.system_tag(vm.str(), once_tag) != "true") return;
    services.inventory.transaction([&] {
        services.inventory.remove_system_tags(vm.str(), order_tag);
        services.inventory.remove_system_tags(vm.str(), once_tag);
    });
}

json get_boot_order(Services& services, const api::Call&, const OfBootOrder& params) {
    std::vector<BootDevice> order = stored_boot_order(system_tags_of(services.inventory, params.vm.str()));
    if (order.empty()) {
        order = {BootDevice::hard_disk, BootDevice::network};
        if (has_iso(services, params.vm)) order.insert(order.begin() + 1, BootDevice::cdrom);
    }
    json names = json::array();
    for (const BootDevice device : order) names.push_back(hvagent::to_text(device));
    // The manual's sample has the one key, the real server the other.
    return {{"orders", names}, {"order", names}};
}

json set_boot_order(Services& services, Job&, const SetBootOrder& params) {
    check(params.order);
    const bool for_one_boot = wants_one_boot(params.tags);
    if (for_one_boot && params.order.empty())
        throw Error(Code::invalid_argument, "system tag 'bootOrderOnce' needs a 'bootOrder' that it is about");
    services.inventory.transaction([&] {
        services.inventory.remove_system_tags(params.vm.str(), order_tag);
        services.inventory.remove_system_tags(params.vm.str(), once_tag);
        const auto add = [&](const std::string& tag) {
            services.inventory.add_tag("VmInstance", params.vm.str(), tag, "System");
        };
        if (!params.order.empty()) add(std::string(order_tag) + "::" + to_text(params.order));
        if (for_one_boot) add(once);
    });
    return services.inventory.answer("VmInstance", params.vm.str());
}

}  // namespace hvagent::operations
