// libvirt's statistics of a domain job, read as those of a move.
#pragma once
#include "drivers/libvirt/handles.h"
#include "hvagent/drivers/vm_migration.h"

namespace hvagent::libvirt {

// Borrows the parameters.
class MoveStats {
public:
    MoveStats(virTypedParameterPtr params, int count) : params_(params), count_(count) {}

    bool is_outgoing() const;
    // All but new_iteration and post-copy, which the job's figures do not show.
    MigrationSight sight() const;
    // Of a job that is over.
    MigrationResult result() const;

private:
    Bytes number(const char* name) const;
    int small(const char* name) const;

    const virTypedParameterPtr params_;
    const int count_;
};

// Inside a call. The job of this domain now.
struct JobNow {
    enum class Kind { none, moves_out, moves_in, other };
    Kind kind = Kind::none;
    MigrationSight sight;  // of moves_out
};
JobNow job_now(virDomainPtr domain, const std::string& what);

}  // namespace hvagent::libvirt
