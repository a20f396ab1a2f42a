// The system tags a VM can carry (rest-conventions, section 14): which are honoured, and how; all others are refused by
// name.
#pragma once
#include <string>
#include <vector>

#include "agent/operations/services.h"

namespace hvagent::operations {

// Error(invalid_argument) names the first tag that is unknown, malformed or not offered.
void check_vm_tags(const std::vector<std::string>& tags);
// The same for tags of new volumes; `host` is this host's.
void check_volume_tags(const std::vector<std::string>& tags, const HostId& host);

// The text behind "<name>::" in `tags`; empty when there is none.
std::string tag_value(const std::vector<std::string>& tags, std::string_view name);
// The last part of "<name>::<key>::<value>"; empty when there is none.
std::string tag_value(const std::vector<std::string>& tags, std::string_view name, std::string_view key);
bool has_tag(const std::vector<std::string>& tags, std::string_view tag);

// The system tags of a resource as texts.
std::vector<std::string> system_tags_of(const inventory::Inventory& inventory, const std::string& uuid);

}  // namespace hvagent::operations
