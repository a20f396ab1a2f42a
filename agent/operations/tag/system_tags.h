// Which system tags can be set on which resource.
#pragma once
#include <string>
#include <string_view>

#include "agent/operations/services.h"

namespace hvagent::operations {

// "VmInstanceVO" -> "VmInstance". Error(invalid_argument) for what cannot carry tags.
std::string resource_of_tag_type(const std::string& tag_type);

// Error(invalid_argument) unless the tag means something on an existing resource of this kind.
void check_system_tag(const Services& services, std::string_view resource, const std::string& tag);

// What a resource has one of: the tag without its value.
std::string_view tag_key(std::string_view tag);

}  // namespace hvagent::operations
