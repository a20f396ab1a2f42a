// Where a VM is after a migration: told from what libvirt at both ends shows, never from how a call ended.
#pragma once
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "hvagent/drivers/vm_migration.h"

namespace hvagent::operations {

enum class Verdict {
    moved,   // the destination has it
    stayed,  // the source has it
    wait,    // libvirt is not through with it, or one end cannot be asked: nothing may be started
};

struct Judgement {
    Verdict verdict = Verdict::wait;
    std::string reason;  // in words
    // Why there is to wait, as far as it is known.
    bool goes_on = false;    // libvirt is at work on it
    bool broke_off = false;  // each end has a part of the memory, and nothing is sent: it has to be resumed
};

// `there` is nullopt while the destination cannot be asked, `here` while this host's libvirt is silent. `was_paused`: by its
// user, before the migration. When both ends run it (libvirt started the source again though the destination had begun), the
// source's is kept: libvirt there has called the migration failed.
Judgement judge(const std::optional<MigrationTruth>& here, const std::optional<MigrationTruth>& there, bool was_paused);

nlohmann::json to_json(const MigrationTruth& truth);
MigrationTruth truth_from_json(const nlohmann::json& sent);

}  // namespace hvagent::operations
