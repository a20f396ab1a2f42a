#include "agent/inventory/record.h"

#include "agent/inventory/records.h"

namespace hvagent::inventory {

const Column* Table::find(std::string_view column) const {
    for (const Column& one : columns)
        if (one.name == column) return &one;
    return nullptr;
}

const std::vector<const Table*>& all_tables() {
    static const std::vector<const Table*> tables = {
        &record_of<Zone>().table(),
        &record_of<Cluster>().table(),
        &record_of<Host>().table(),
        &record_of<Peer>().table(),
        &record_of<L2Network>().table(),
        &record_of<L3Network>().table(),
        &record_of<IpRange>().table(),
        &record_of<UsedIp>().table(),
        &record_of<NetworkService>().table(),
        &record_of<PrimaryStorage>().table(),
        &record_of<BackupStorage>().table(),
        &record_of<Image>().table(),
        &record_of<ImageRef>().table(),
        &record_of<InstanceOffering>().table(),
        &record_of<DiskOffering>().table(),
        &record_of<Volume>().table(),
        &record_of<ShareableVolumeRef>().table(),
        &record_of<SnapshotTree>().table(),
        &record_of<VolumeSnapshot>().table(),
        &record_of<Scheduler>().table(),
        &record_of<Vm>().table(),
        &record_of<VmNic>().table(),
        &record_of<VmCdRom>().table(),
        &record_of<Migration>().table(),
        &record_of<Attachment>().table(),
        &record_of<Tag>().table(),
        &record_of<Account>().table(),
    };
    return tables;
}

}  // namespace hvagent::inventory
