#include "drivers/libvirt/owned_domains.h"

#include <libvirt/virterror.h>

#include <unordered_set>

namespace hvagent::libvirt {
namespace {

VmId id_of(virDomainPtr domain) {
    char uuid[VIR_UUID_STRING_BUFLEN];
    checked(virDomainGetUUIDString(domain, uuid), "read a domain's uuid");
    return VmId(without_dashes(uuid));
}

bool has_mark(virDomainPtr domain) {
    const std::string name = virDomainGetName(domain);  // asked first: it would wipe the error of what follows
    Text mark(virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, mark_namespace, VIR_DOMAIN_AFFECT_CURRENT));
    if (mark) return true;
    if (last_error_number() == VIR_ERR_NO_DOMAIN_METADATA) return false;
    throw_last_error("read the owner's mark of domain " + name);
}

}  // namespace

std::optional<VmId> OwnedDomains::owner_of(virDomainPtr domain) {
    VmId vm = id_of(domain);
    // Ours are named by their uuid: most foreign ones are known by that alone.
    if (vm.str() != virDomainGetName(domain)) return std::nullopt;
    {
        std::lock_guard lock(mutex_);
        if (auto found = known_.find(vm); found != known_.end()) return found->second ? std::optional(vm) : std::nullopt;
    }
    const bool owned = has_mark(domain);
    remember(vm, owned);
    return owned ? std::optional(vm) : std::nullopt;
}

void OwnedDomains::require(virDomainPtr domain, const std::string& what) {
    if (owner_of(domain)) return;
    throw Error(Code::operation_failed, what + ": the domain " + std::string(virDomainGetName(domain)) +
                                            " does not carry hvagent's mark; foreign domains are not touched");
}

void OwnedDomains::remember(const VmId& vm, bool owned) {
    std::lock_guard lock(mutex_);
    known_[vm] = owned;
}

void OwnedDomains::forget(const VmId& vm) {
    std::lock_guard lock(mutex_);
    known_.erase(vm);
}

void OwnedDomains::keep_only(const std::vector<VmId>& present) {
    const std::unordered_set<VmId> names(present.begin(), present.end());
    std::lock_guard lock(mutex_);
    std::erase_if(known_, [&](const auto& entry) { return !names.contains(entry.first); });
}

}  // namespace hvagent::libvirt
