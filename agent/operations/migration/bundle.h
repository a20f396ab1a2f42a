// All that a VM is, as it travels to the agent of another host: its records, and what its files and networks are at the
// source.
#pragma once
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/operations/services.h"
#include "hvagent/drivers/vm_migration.h"
#include "hvagent/model/migration.h"

namespace hvagent::operations {

enum class FileKind {
    base,    // a cached image below a volume
    layer,   // a frozen layer
    active,  // what the guest writes to: moved by libvirt
    iso,     // in a CD-ROM drive
};

struct MovingFile {
    FileKind kind = FileKind::layer;
    std::string path;     // at the source
    std::string format;   // "qcow2", "raw"
    std::string backing;  // path at the source; empty: none
    Bytes virtual_size = 0;
    Bytes allocated = 0;
    PrimaryStorageId storage;
    VolumeId volume;     // of a layer
    ImageId image;       // of a base or an ISO
    std::string ticket;  // opens it to the destination; empty while only asking
};

struct MovingStorage {
    PrimaryStorageId uuid;
    std::string name;
    std::string url;
    std::string probe;  // name of a file in it that the destination finds if it is the same storage
};

struct MovingNetwork {
    L3NetworkId uuid;
    std::string name;
    bool nat = false;    // the source agent's own NAT network
    std::string bridge;  // else
    std::string cidr;    // of its first range
};

struct MovingImage {
    ImageId uuid;
    std::string md5;  // of the stored file; empty: not known
};

struct VmBundle {
    MigrationId migration;
    HostId source;
    std::string source_name;

    Vm vm;
    std::vector<VmNic> nics;
    std::vector<VmCdRom> cdroms;
    std::vector<Volume> volumes;
    std::vector<VolumeSnapshot> snapshots;
    std::vector<SnapshotTree> trees;
    std::vector<Scheduler> schedulers;
    std::vector<Tag> tags;

    std::vector<MovingStorage> storages;
    std::vector<MovingNetwork> networks;
    std::vector<MovingImage> images;
    std::vector<MovingFile> files;  // each after the one it lies on
    std::string serial_log;

    GuestNeeds needs;
    std::string nvram_probe;   // beside needs.nvram, as MovingStorage::probe
    std::string nvram_ticket;  // opens it to the destination
};

// Whether it is where libvirt puts the UEFI variables of this VM: an agent reads, writes and removes no other.
bool is_own_nvram(const std::string& path, const VmId& vm);
// Before any use of such a file. False where the agent may not write there, as under its own user beside a libvirt that
// keeps the directory to itself: the variables are left to libvirt and QEMU then.
bool opens_nvram_directory(Services& services);

nlohmann::json to_json(const VmBundle& bundle);
// Error(invalid_argument) for what no agent sends.
VmBundle bundle_from_json(const nlohmann::json& sent);

// Records, files and networks of a running or paused VM. Error(vm_wrong_state) when it is off.
VmBundle make_bundle(Services& services, const VmId& vm);

// Why the VM cannot leave this host, whatever the destination: what cannot be moved, in words.
std::vector<std::string> obstacles_to_leaving(Services& services, const VmBundle& bundle);

}  // namespace hvagent::operations

template <>
struct hvagent::EnumNames<hvagent::operations::FileKind> {
    using K = hvagent::operations::FileKind;
    static constexpr auto names =
        hvagent::enum_names<K>({{K::base, "base"}, {K::layer, "layer"}, {K::active, "active"}, {K::iso, "iso"}});
};
