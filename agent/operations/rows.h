// What the tables of most resources have in common.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "agent/api/operation.h"
#include "agent/operations/services.h"
#include "hvagent/enum_names.h"

namespace hvagent::operations {

enum class StateEvent { enable, disable };

inline EnabledState state_after(StateEvent event) {
    return event == StateEvent::enable ? EnabledState::enabled : EnabledState::disabled;
}

// A Query operation over a resource of the inventory; `refresh` brings its records up to date first.
api::Row query_row(Services& services, std::string name, std::string resource, std::string path, std::string summary,
                   std::function<void()> refresh = {});
// The same for a path without the /{uuid} form.
api::Row query_list_row(Services& services, std::string name, std::string resource, std::string path, std::string summary,
                        std::function<void()> refresh = {});

// The tags of a create call, for resources whose system tags have no meaning here: those are Error(invalid_argument).
void check_no_system_tags(const api::Tags& tags, std::string_view resource);
void add_tags(Services& services, std::string_view resource, const std::string& uuid, const api::Tags& tags);

}  // namespace hvagent::operations

template <>
struct hvagent::EnumNames<hvagent::operations::StateEvent> {
    using E = hvagent::operations::StateEvent;
    static constexpr auto names = hvagent::enum_names<E>({{E::enable, "enable"}, {E::disable, "disable"}});
};
