#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "drivers/libvirt/call_observer.h"
#include "drivers/libvirt/call_runner.h"
#include "drivers/libvirt/call_threads.h"
#include "drivers/libvirt/domain_calls.h"
#include "hvagent/drivers/vm_migration.h"

namespace hvagent::libvirt {

class LibvirtVmMigration final : public VmMigration {
public:
    LibvirtVmMigration(std::shared_ptr<ConnectionSource> source, CallRunner& work, CallRunner& queries,
                       std::shared_ptr<OwnedDomains> owned, CallTimeouts timeouts);
    // Before the first call.
    void observe_with(CallObserver observer) { observer_ = std::move(observer); }

    MigrationResult migrate(const VmId& vm, const MigrationWay& way, MigrationJudge& judge, Cancellation& cancel) override;
    MigrationTruth truth(const VmId& vm) override;
    void abort(const VmId& vm) override;
    void adopt(const VmId& vm, const std::string& host_uuid) override;
    GuestNeeds needs_of(const VmId& vm) override;
    std::vector<std::string> misfits(const GuestNeeds& needs) override;
    std::vector<std::string> obstacles(const VmId& vm) override;
    void resume_post_copy(const VmId& vm, const MigrationWay& way) override;
    std::optional<std::string> why_unreachable(const std::string& uri) override;

private:
    struct Resumptions {
        std::mutex mutex;
        std::map<VmId, Moment> not_before;  // Moment::max() while one goes on
    };
    const std::shared_ptr<ConnectionSource> source_;
    CallRunner& work_;
    CallRunner& queries_;
    const std::shared_ptr<OwnedDomains> owned_;
    const DomainCalls calls_;
    const CallTimeouts timeouts_;
    const std::shared_ptr<Resumptions> resumptions_ = std::make_shared<Resumptions>();
    CallThreads movers_;
    CallObserver observer_;
};

}  // namespace hvagent::libvirt
