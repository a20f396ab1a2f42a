#include "drivers/libvirt/migration/libvirt_vm_migration.h"

#include <libvirt/virterror.h>

#include "drivers/libvirt/domain_state.h"
#include "drivers/libvirt/domain_xml/moved_definition.h"
#include "drivers/libvirt/migration/move.h"
#include "drivers/libvirt/migration/move_call.h"
#include "drivers/libvirt/migration/move_stats.h"
#include "hvagent/log.h"

namespace hvagent::libvirt {
namespace {

constexpr int most_moves = 256;  // each keeps a thread while it goes on
constexpr milliseconds abort_again(300);
constexpr seconds abort_patience(10);
constexpr milliseconds reach_patience(5000);
constexpr milliseconds resume_again(3000);

CallLimits limits_of_a_move() {
    CallLimits limits;
    limits.connections = 2;
    return limits;
}

MigrationTruth truth_of(virDomainPtr domain, const std::string& what) {
    MigrationTruth seen;
    int state = VIR_DOMAIN_NOSTATE;
    int reason = 0;
    seen.defined = is_persistent(domain);
    seen.active = checked(virDomainIsActive(domain), what) == 1;
    checked(virDomainGetState(domain, &state, &reason, 0), what);
    const StateAndReason shown = state_of(state, reason);
    seen.state = shown.state;
    seen.reason = shown.reason;
    if (!seen.active) return seen;
    const JobNow job = job_now(domain, what);
    seen.migrating_out = job.kind == JobNow::Kind::moves_out;
    seen.migrating_in = job.kind == JobNow::Kind::moves_in;
    return seen;
}

std::string capabilities(virConnectPtr connection, const GuestNeeds& needs, const std::string& what) {
    return Text(checked(virConnectGetDomainCapabilities(connection, nullptr, needs.architecture.c_str(),
                                                        needs.machine.c_str(), needs.virt_type.c_str(), 0),
                        what))
        .get();
}

// What libvirt refuses about the guest, apart from failures to ask it.
bool is_refusal(const Error& error) {
    return error.code() == Code::invalid_argument || error.code() == Code::no_capability ||
           error.code() == Code::operation_failed;
}

std::optional<std::string> why_cpu_does_not_fit(virConnectPtr connection, const GuestNeeds& needs) {
    if (needs.cpu.empty()) return std::nullopt;
    const std::string what = "compare the VM's CPU with the host's";
    const int fit = virConnectCompareHypervisorCPU(connection, nullptr, needs.architecture.c_str(), needs.machine.c_str(),
                                                   needs.virt_type.c_str(), needs.cpu.c_str(),
                                                   VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);
    if (fit == VIR_CPU_COMPARE_IDENTICAL || fit == VIR_CPU_COMPARE_SUPERSET) return std::nullopt;
    if (fit == VIR_CPU_COMPARE_INCOMPATIBLE) return what + ": the CPU is incompatible with the host's";
    const LibvirtError error = last_error(what);
    if (is_refusal(error)) return error.details();
    throw error;
}

}  // namespace

LibvirtVmMigration::LibvirtVmMigration(std::shared_ptr<ConnectionSource> source, CallRunner& work, CallRunner& queries,
                                       std::shared_ptr<OwnedDomains> owned, CallTimeouts timeouts)
    : source_(std::move(source)),
      work_(work),
      queries_(queries),
      owned_(std::move(owned)),
      calls_(work, queries, owned_, timeouts),
      timeouts_(timeouts),
      movers_(most_moves) {}

MigrationResult LibvirtVmMigration::migrate(const VmId& vm, const MigrationWay& way, MigrationJudge& judge,
                                            Cancellation& cancel) {
    const bool is_ours = way.source_uri.empty();
    const auto source = is_ours ? source_ : std::make_shared<ConnectionSource>(way.source_uri);
    CallRunner calls(source, limits_of_a_move());
    if (observer_) calls.observe_with(observer_);
    // What is known of domains here says nothing of those there.
    return Move({source, is_ours ? owned_ : std::make_shared<OwnedDomains>(), calls, movers_}, vm, way, judge, cancel).run();
}

MigrationTruth LibvirtVmMigration::truth(const VmId& vm) {
    try {
        return calls_.read(vm, "look at the moves", truth_of);
    } catch (const Error& error) {
        if (error.code() != Code::not_found) throw;
        owned_->forget(vm);
        return {};
    }
}

void LibvirtVmMigration::abort(const VmId& vm) {
    const Moment deadline = std::chrono::steady_clock::now() + abort_patience;
    while (truth(vm).migrating_out) {
        calls_.change(vm, "abort the move", [](virDomainPtr domain, const std::string& what) {
            if (virDomainAbortJob(domain) == 0) return;
            const LibvirtError error = last_error(what);
            if (job_now(domain, what).kind == JobNow::Kind::moves_out) throw error;
        });
        if (std::chrono::steady_clock::now() > deadline)
            throw Error(Code::timeout, "abort the move of VM " + vm.str() + ": it still goes on");
        std::this_thread::sleep_for(abort_again);
    }
}

void LibvirtVmMigration::adopt(const VmId& vm, const std::string& host_uuid) {
    calls_.change(vm, "take over", [mark = mark_element(host_uuid)](virDomainPtr domain, const std::string& what) {
        unsigned scope = 0;
        if (checked(virDomainIsActive(domain), what) == 1) scope |= VIR_DOMAIN_AFFECT_LIVE;
        if (is_persistent(domain)) scope |= VIR_DOMAIN_AFFECT_CONFIG;
        checked(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, mark.c_str(), mark_prefix, mark_namespace, scope),
                what);
    });
}

GuestNeeds LibvirtVmMigration::needs_of(const VmId& vm) {
    return calls_.change(vm, "read the needs", [](virDomainPtr domain, const std::string& what) {
        require_active(domain, what);
        GuestNeeds needs = guest_needs(Text(checked(virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_MIGRATABLE), what)).get());
        if (is_host_cpu(needs.cpu)) needs.cpu = host_model(capabilities(virDomainGetConnect(domain), needs, what));
        return needs;
    });
}

std::vector<std::string> LibvirtVmMigration::misfits(const GuestNeeds& needs) {
    // The first such question of libvirt's life starts QEMU to learn its abilities.
    return work_.run({"compare the host with a VM", {}, false, true}, timeouts_.call, [needs](Session& session) {
        std::vector<std::string> sentences;
        try {
            capabilities(session.connection(), needs,
                         "run a " + needs.virt_type + " VM of machine type " + needs.machine + " here");
        } catch (const Error& error) {
            if (!is_refusal(error)) throw;
            sentences.push_back(error.details());
            return sentences;
        }
        if (auto why = why_cpu_does_not_fit(session.connection(), needs)) sentences.push_back(*why);
        return sentences;
    });
}

std::vector<std::string> LibvirtVmMigration::obstacles(const VmId& vm) {
    return calls_.read(vm, "read the devices",
                       [](virDomainPtr domain, const std::string&) { return devices_that_stay(live_xml(domain)); });
}

void LibvirtVmMigration::resume_post_copy(const VmId& vm, const MigrationWay& way) {
    {
        const std::lock_guard lock(resumptions_->mutex);
        Moment& not_before = resumptions_->not_before[vm];
        if (std::chrono::steady_clock::now() < not_before) return;
        not_before = Moment::max();
    }
    movers_.submit([source = source_, resumptions = resumptions_, vm, way] {
        try {
            const std::string what = "resume the post-copy of VM " + vm.str();
            const Connect connection = source->open();
            const Domain domain(checked(virDomainLookupByUUIDString(connection.get(), with_dashes(vm.str()).c_str()), what));
            call_resumption(domain.get(), way, what);
            log::info("a post-copy that had broken off is complete", {{"vm", vm.str()}});
        } catch (...) {
            // QEMU itself goes on when its connection comes back in time, and refuses then.
            log::info("a post-copy that broke off was not resumed",
                      {{"vm", vm.str()}, {"error", current_error().details()}});
        }
        const std::lock_guard lock(resumptions->mutex);
        resumptions->not_before[vm] = std::chrono::steady_clock::now() + resume_again;
    });
}

std::optional<std::string> LibvirtVmMigration::why_unreachable(const std::string& uri) {
    CallLimits limits;
    limits.connections = 1;
    limits.connect_wait = milliseconds(0);
    CallRunner calls(std::make_shared<ConnectionSource>(uri), limits);
    try {
        calls.run({"reach " + uri, {}}, reach_patience, [uri](Session& session) {
            unsigned long version = 0;
            checked(virConnectGetLibVersion(session.connection(), &version), "talk to libvirt at " + uri);
        });
        return std::nullopt;
    } catch (const Error& error) {
        return error.details();
    }
}

}  // namespace hvagent::libvirt
