// Compares the storages with the inventory, and changes nothing.
#pragma once
#include <string>
#include <vector>

#include "agent/operations/services.h"
#include "hvagent/enum_names.h"
#include "hvagent/job.h"

namespace hvagent::operations {

enum class FindingKind {
    orphan,        // a file that nothing in the inventory owns
    missing,       // the inventory names it, it is not there
    wrong_format,  // or size: the file is not what the inventory says
    wrong_chain,   // a layer lies on something else than the inventory says, or cannot be read
    corrupt,       // qemu-img check finds the metadata damaged
    leak           // space that the image holds and does not use
};

struct Finding {
    FindingKind kind;
    std::string path;
    std::string resource;  // "Volume", "VolumeSnapshot", "Image"; empty: none
    std::string uuid;      // of the resource
    std::string details;
    bool operator==(const Finding& other) const { return kind == other.kind && path == other.path; }
};

struct CheckStorage {
    bool deep = false;
};

// Two looks, one after the other: what a job was just doing is in one of them only.
nlohmann::json check_storage(Services& services, Job& job, const CheckStorage& params);

}  // namespace hvagent::operations

template <>
struct hvagent::EnumNames<hvagent::operations::FindingKind> {
    using E = hvagent::operations::FindingKind;
    static constexpr auto names = hvagent::enum_names<E>({{E::orphan, "orphan"},
                                                          {E::missing, "missing"},
                                                          {E::wrong_format, "wrongFormat"},
                                                          {E::wrong_chain, "wrongChain"},
                                                          {E::corrupt, "corrupt"},
                                                          {E::leak, "leak"}});
};
