// Identities: a uuid written as 32 lower-case hex digits, typed by what it names.
#pragma once
#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hvagent {

// A random version-4 uuid, 32 hex digits. Safe from any thread.
std::string make_uuid();
// True for 32 hex digits of lower case that form an RFC 4122 uuid, as the contract asks of `resourceUuid`.
bool is_resource_uuid(std::string_view text);
// True for any 32 hex digits of lower case.
bool is_uuid(std::string_view text);
// "8-4-4-4-12" form, as libvirt prints it, and back. Input that is no uuid comes back unchanged.
std::string with_dashes(std::string_view uuid);
std::string without_dashes(std::string_view uuid);

template <class Tag>
class Id {
public:
    Id() = default;  // empty: names nothing
    explicit Id(std::string uuid) : value_(std::move(uuid)) {}
    static Id make() { return Id(make_uuid()); }

    const std::string& str() const { return value_; }
    bool empty() const { return value_.empty(); }
    auto operator<=>(const Id&) const = default;

private:
    std::string value_;
};

using AccountId = Id<struct AccountTag>;
using BackupStorageId = Id<struct BackupStorageTag>;
using CdRomId = Id<struct CdRomTag>;
using ClusterId = Id<struct ClusterTag>;
using DiskOfferingId = Id<struct DiskOfferingTag>;
using HostId = Id<struct HostTag>;
using ImageId = Id<struct ImageTag>;
using InstanceOfferingId = Id<struct InstanceOfferingTag>;
using IpRangeId = Id<struct IpRangeTag>;
using JobId = Id<struct JobTag>;
using L2NetworkId = Id<struct L2NetworkTag>;
using L3NetworkId = Id<struct L3NetworkTag>;
using MigrationId = Id<struct MigrationTag>;
using NicId = Id<struct NicTag>;
using PrimaryStorageId = Id<struct PrimaryStorageTag>;
using SchedulerId = Id<struct SchedulerTag>;
using SessionId = Id<struct SessionTag>;
using SnapshotId = Id<struct SnapshotTag>;
using SnapshotTreeId = Id<struct SnapshotTreeTag>;
using TagId = Id<struct TagTag>;
using UsedIpId = Id<struct UsedIpTag>;
using VmId = Id<struct VmTag>;
using VolumeId = Id<struct VolumeTag>;
using ZoneId = Id<struct ZoneTag>;

}  // namespace hvagent

template <class Tag>
struct std::hash<hvagent::Id<Tag>> {
    std::size_t operator()(const hvagent::Id<Tag>& id) const noexcept { return std::hash<std::string>()(id.str()); }
};
