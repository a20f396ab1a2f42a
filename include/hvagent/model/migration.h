// A VM on its way between two hosts, as each of the two agents writes it down.
#pragma once
#include <string>

#include "hvagent/clock.h"
#include "hvagent/enum_names.h"
#include "hvagent/ids.h"

namespace hvagent {

enum class MigrationRole { outgoing, incoming };
template <>
struct EnumNames<MigrationRole> {
    static constexpr auto names =
        enum_names<MigrationRole>({{MigrationRole::outgoing, "outgoing"}, {MigrationRole::incoming, "incoming"}});
};

// Written before it is acted upon. The source decides; the destination decides alone only when it runs the VM and the source
// cannot be asked.
enum class MigrationStage {
    open,      // undecided: the VM is where libvirt shows it
    moved,     // the destination has it: records and files here go (outgoing)
    stayed,    // the source has it: what was made for it goes (incoming), or the destination is still to be told (outgoing)
    departed,  // all done; tells where the VM is now (outgoing)
};
template <>
struct EnumNames<MigrationStage> {
    static constexpr auto names = enum_names<MigrationStage>({{MigrationStage::open, "open"},
                                                              {MigrationStage::moved, "moved"},
                                                              {MigrationStage::stayed, "stayed"},
                                                              {MigrationStage::departed, "departed"}});
};

struct Migration {
    MigrationId uuid;  // the same at both ends
    VmId vm;
    MigrationRole role = MigrationRole::outgoing;
    MigrationStage stage = MigrationStage::open;
    HostId peer;         // the other end
    std::string bundle;  // JSON text: incoming, the VM's records as the source sent them and where they go here
    std::string reason;  // of the stage, in words
    Time created{};
    Time last_op{};
};

}  // namespace hvagent
