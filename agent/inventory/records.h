// What is stored: one record description per struct of include/hvagent/model.
#pragma once
#include "agent/inventory/record.h"
#include "hvagent/model/host.h"
#include "hvagent/model/migration.h"
#include "hvagent/model/peer.h"
#include "hvagent/model/storage.h"
#include "hvagent/model/vm.h"

namespace hvagent::inventory {

template <class T>
const Record<T>& record_of();

template <>
const Record<Vm>& record_of<Vm>();
template <>
const Record<VmNic>& record_of<VmNic>();
template <>
const Record<VmCdRom>& record_of<VmCdRom>();
template <>
const Record<Migration>& record_of<Migration>();
template <>
const Record<Image>& record_of<Image>();
template <>
const Record<ImageRef>& record_of<ImageRef>();
template <>
const Record<Volume>& record_of<Volume>();
template <>
const Record<ShareableVolumeRef>& record_of<ShareableVolumeRef>();
template <>
const Record<VolumeSnapshot>& record_of<VolumeSnapshot>();
template <>
const Record<SnapshotTree>& record_of<SnapshotTree>();
template <>
const Record<Scheduler>& record_of<Scheduler>();
template <>
const Record<PrimaryStorage>& record_of<PrimaryStorage>();
template <>
const Record<BackupStorage>& record_of<BackupStorage>();
template <>
const Record<Zone>& record_of<Zone>();
template <>
const Record<Cluster>& record_of<Cluster>();
template <>
const Record<Host>& record_of<Host>();
template <>
const Record<Peer>& record_of<Peer>();
template <>
const Record<L2Network>& record_of<L2Network>();
template <>
const Record<L3Network>& record_of<L3Network>();
template <>
const Record<IpRange>& record_of<IpRange>();
template <>
const Record<UsedIp>& record_of<UsedIp>();
template <>
const Record<InstanceOffering>& record_of<InstanceOffering>();
template <>
const Record<DiskOffering>& record_of<DiskOffering>();
template <>
const Record<Attachment>& record_of<Attachment>();
template <>
const Record<NetworkService>& record_of<NetworkService>();
template <>
const Record<Tag>& record_of<Tag>();
template <>
const Record<Account>& record_of<Account>();

// The tables of all of them.
const std::vector<const Table*>& all_tables();

}  // namespace hvagent::inventory
