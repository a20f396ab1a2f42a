// The source's side: moving a VM away, deciding what came of it, and leaving nothing behind.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/operations/migration/bundle.h"
#include "agent/operations/migration/verdict.h"
#include "agent/operations/services.h"
#include "hvagent/error.h"

namespace hvagent::operations {

// Files by which another host recognises a storage of ours as one that it sees too. They go with this.
class StorageProbes {
public:
    StorageProbes(Services& services, VmBundle& bundle);
    ~StorageProbes();
    StorageProbes(const StorageProbes&) = delete;
    StorageProbes& operator=(const StorageProbes&) = delete;

private:
    std::string place(const std::string& directory);

    Services& services_;
    std::vector<std::string> paths_;
};

// Why the VM cannot go there, in words; empty: it can. The probes must be there.
std::vector<std::string> reasons_against(Services& services, const HostId& peer, const VmBundle& bundle);
// Its agent has not answered for some heartbeats.
bool is_lost(Services& services, const HostId& peer);

// What is written down of a migration away from here, beside its stage.
struct DepartureFacts {
    bool was_paused = false;  // by its user
    std::set<std::string> shared_storages;
    std::string nvram;  // UEFI variables to remove once it moved; empty: none, or the destination uses the very file
};
std::string store(const DepartureFacts& facts);
DepartureFacts load_departure(const Migration& row);

// What both ends show now. A post-copy that broke off is resumed then; the VM can neither go back nor be left so.
Judgement judge_departure(Services& services, const Migration& row);

// Carries a judgement out, and writes it down before. Error(host_connection) when the destination cannot be told: the
// migration stays open, in the stage that was reached. Repeatable.
nlohmann::json finish_moved(Services& services, const Migration& row, const Judgement& judgement);  // its inventory there
// Returns why the destination could not be told; then the VM is free all the same, and settling goes on.
std::optional<Error> finish_stayed(Services& services, const Migration& row, const Judgement& judgement);

// One try, for a migration that no job works on. Error: it stays open, and why.
void settle_departure(Services& services, const Migration& row);

// A note of where a VM went is not kept for ever.
void forget_departed(Services& services, const Migration& row);

}  // namespace hvagent::operations
