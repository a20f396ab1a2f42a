// Which domains carry our mark. Decided once per domain, so that events and calls need not ask libvirt again.
#pragma once
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "drivers/libvirt/handles.h"
#include "hvagent/ids.h"

namespace hvagent::libvirt {

inline constexpr const char* mark_namespace = "https://hvagent.org/xmlns/vm/1";
inline constexpr const char* mark_prefix = "hvagent";

// Thread-safe.
class OwnedDomains {
public:
    // The VM behind a domain; nullopt for foreign ones. Asks libvirt for the mark the first time.
    std::optional<VmId> owner_of(virDomainPtr domain);
    // Error(operation_failed) for a domain without our mark: nobody asked us to touch it.
    void require(virDomainPtr domain, const std::string& what);
    void remember(const VmId& vm, bool owned);
    void forget(const VmId& vm);
    // Forgets all VMs that are not in `present`.
    void keep_only(const std::vector<VmId>& present);

private:
    std::mutex mutex_;
    std::unordered_map<VmId, bool> known_;
};

}  // namespace hvagent::libvirt
