#include "drivers/libvirt/libvirt_vm_definitions.h"

#include <libvirt/virterror.h>

#include <array>

#include "drivers/libvirt/domain_state.h"
#include "drivers/libvirt/domain_xml/domain_xml.h"

namespace hvagent::libvirt {
namespace {

// The domain of this uuid or name, whichever there is; null: none.
Domain find_any(virConnectPtr connection, const VmId& vm) {
    Domain found(virDomainLookupByUUIDString(connection, with_dashes(vm.str()).c_str()));
    if (!found && last_error_number() == VIR_ERR_NO_DOMAIN) found.reset(virDomainLookupByName(connection, vm.str().c_str()));
    if (!found && last_error_number() != VIR_ERR_NO_DOMAIN) throw_last_error("look for VM " + vm.str());
    return found;
}

unsigned define_flags(virConnectPtr connection) {
    // The test driver has no schema of its own machine types.
    return std::string(virConnectGetType(connection)) == "TEST" ? 0u : unsigned{VIR_DOMAIN_DEFINE_VALIDATE};
}

void define_domain(Session& session, const VmSpec& spec, OwnedDomains& owned, HostProfileSource& profile) {
    const std::string what = "define VM " + spec.vm.str();
    virConnectPtr connection = session.connection();
    if (const Domain existing = find_any(connection, spec.vm)) owned.require(existing.get(), what);
    const std::string xml = domain_xml(spec, profile.profile(connection));
    Domain defined(virDomainDefineXMLFlags(connection, xml.c_str(), define_flags(connection)));
    if (!defined && last_error_number() == VIR_ERR_CONFIG_UNSUPPORTED)
        throw Error(Code::invalid_argument, what + ": " + last_error_text());
    checked(defined.get(), what);
    owned.remember(spec.vm, true);
}

// Daemons refuse flags they do not know: from all that is known to all that every daemon knows.
constexpr std::array<unsigned, 3> undefine_flags {
#if LIBVIR_VERSION_NUMBER >= 8009000
    VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA |
        VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_TPM,
#endif
        VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
            VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM,
        VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
};

void undefine_domain(virDomainPtr domain, const std::string& what) {
    for (unsigned flags : undefine_flags) {
        if (flags == 0) continue;
        if (virDomainUndefineFlags(domain, flags) == 0 || last_error_number() == VIR_ERR_NO_DOMAIN) return;
        const int number = last_error_number();
        // A transient domain has no definition.
        if (number == VIR_ERR_OPERATION_INVALID && virDomainIsPersistent(domain) == 0) return;
        if (number != VIR_ERR_INVALID_ARG && number != VIR_ERR_ARGUMENT_UNSUPPORTED && number != VIR_ERR_NO_SUPPORT) break;
    }
    throw_last_error(what);
}

const char* state_word(int state) {
    switch (state) {
        case VIR_DOMAIN_RUNNING: return "running";
        case VIR_DOMAIN_BLOCKED: return "blocked";
        case VIR_DOMAIN_PAUSED: return "paused";
        case VIR_DOMAIN_SHUTDOWN: return "shutting down";
        case VIR_DOMAIN_SHUTOFF: return "off";
        case VIR_DOMAIN_CRASHED: return "crashed";
        case VIR_DOMAIN_PMSUSPENDED: return "sleeping";
        default: return "unknown";
    }
}

std::vector<ForeignDomain> foreign_domains(Session& session, OwnedDomains& owned) {
    std::vector<ForeignDomain> foreign;
    for (const Domain& domain : list_domains(session.connection(), 0)) {
        int state = VIR_DOMAIN_NOSTATE;
        try {
            if (owned.owner_of(domain.get())) continue;
        } catch (const LibvirtError& error) {
            if (error.code() == Code::not_found) continue;  // went away meanwhile
            throw;
        }
        if (virDomainGetState(domain.get(), &state, nullptr, 0) < 0) continue;
        char uuid[VIR_UUID_STRING_BUFLEN] = "";
        checked(virDomainGetUUIDString(domain.get(), uuid), "read a domain's uuid");
        foreign.push_back({virDomainGetName(domain.get()), uuid, state_word(state)});
    }
    return foreign;
}

}  // namespace

LibvirtVmDefinitions::LibvirtVmDefinitions(CallRunner& work, CallRunner& queries, std::shared_ptr<OwnedDomains> owned,
                                           std::shared_ptr<HostProfileSource> profile, CallTimeouts timeouts)
    : work_(work), queries_(queries), owned_(std::move(owned)), profile_(std::move(profile)), timeouts_(timeouts) {}

void LibvirtVmDefinitions::define(const VmSpec& spec) {
    work_.run({"define", spec.vm}, timeouts_.call, [spec, owned = owned_, profile = profile_](Session& session) {
        define_domain(session, spec, *owned, *profile);
    });
}

void LibvirtVmDefinitions::undefine(const VmId& vm) {
    work_.run({"undefine", vm}, timeouts_.call, [vm, owned = owned_](Session& session) {
        const std::string what = "undefine VM " + vm.str();
        const Domain domain = find_any(session.connection(), vm);
        if (!domain) return;
        owned->require(domain.get(), what);
        undefine_domain(domain.get(), what);
        owned->forget(vm);
    });
}

bool LibvirtVmDefinitions::is_defined(const VmId& vm) {
    return queries_.run({"look for", vm, false, true}, timeouts_.query, [vm, owned = owned_](Session& session) {
        const Domain domain = find_any(session.connection(), vm);
        return domain && owned->owner_of(domain.get()) && virDomainIsPersistent(domain.get()) == 1;
    });
}

std::vector<ForeignDomain> LibvirtVmDefinitions::list_foreign() {
    return queries_.run({"list domains", VmId(), false, true}, timeouts_.query,
                        [owned = owned_](Session& session) { return foreign_domains(session, *owned); });
}

}  // namespace hvagent::libvirt
