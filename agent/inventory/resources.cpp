// The resources of the wire contract: rest-conventions, section 10 (fields) and 8.3.3 (joins).
#include "agent/inventory/records.h"
#include "agent/inventory/resource.h"

namespace hvagent::inventory {
namespace {

class Description {
public:
    Description(const Table& table, std::string wire_class, std::string tag_type) {
        made_.name = table.resource;
        made_.table = table.name;
        made_.wire_class = "org.zstack." + std::move(wire_class);
        made_.tag_type = std::move(tag_type);
        for (const Column& column : table.columns)
            if (column.on_wire)
                made_.fields.push_back(
                    {column.name, column.type, column.values, column.identity, column.always, column.doc, "", column.name});
    }
    // A view over the rows of the table that have this type only.
    Description& only(std::string resource, std::string column, std::string value) {
        made_.name = std::move(resource);
        made_.filter_column = std::move(column);
        made_.filter_value = std::move(value);
        return *this;
    }
    Description& without(std::string_view field) {
        std::erase_if(made_.fields, [&](const Field& one) { return one.name == field; });
        return *this;
    }
    // A field of the contract that is the same for every row.
    Description& constant(std::string name, std::string_view text) {
        made_.fields.push_back({std::move(name), api::FieldType::text, {}, false, true, "", literal(text), ""});
        return *this;
    }
    Description& constant(std::string name, std::int64_t number) {
        made_.fields.push_back({std::move(name), api::FieldType::integer, {}, false, true, "", std::to_string(number), ""});
        return *this;
    }
    // A second name for a field.
    Description& alias(std::string name, std::string_view of) {
        Field field = *made_.find_field(of);
        field.name = std::move(name);
        made_.fields.push_back(std::move(field));
        return *this;
    }
    Description& class_of(std::string type, std::string wire_class) {
        made_.class_by_type.emplace_back(std::move(type), "org.zstack." + std::move(wire_class));
        return *this;
    }
    // A list in the view: the resources whose `other` is our uuid.
    Description& nests(std::string name, std::string resource, std::string other, std::string order_by = "") {
        made_.nested.push_back(
            {{std::move(name), std::move(resource), "uuid", std::move(other), "", "", "", ""}, std::move(order_by)});
        return *this;
    }
    Description& attached(std::string name, std::string kind) {
        made_.lists.push_back({std::move(name), TextList::Source::attachments, std::move(kind), ""});
        return *this;
    }
    Description& comma_list(std::string name, std::string column) {
        made_.lists.push_back({std::move(name), TextList::Source::comma_column, "", std::move(column)});
        return *this;
    }
    Description& system_tags(std::string name) {
        made_.lists.push_back({std::move(name), TextList::Source::system_tags, "", ""});
        return *this;
    }
    Description& empty_list(std::string name) {
        made_.lists.push_back({std::move(name), TextList::Source::none, "", ""});
        return *this;
    }
    // A join to the resource that our column `own` names.
    Description& joins(std::string name, std::string resource, std::string own) {
        made_.expands.push_back({std::move(name), std::move(resource), std::move(own), "uuid", "", "", "", ""});
        return *this;
    }
    // A join to the resources whose column `other` names us.
    Description& joins_back(std::string name, std::string resource, std::string other) {
        made_.expands.push_back({std::move(name), std::move(resource), "uuid", std::move(other), "", "", "", ""});
        return *this;
    }
    // A join over attachments: we are their `from`, or their `to`.
    Description& joins_attached(std::string name, std::string resource, std::string kind, bool we_are_from) {
        made_.expands.push_back({std::move(name), std::move(resource), "uuid", "uuid", "attachment",
                                 we_are_from ? "from" : "to", we_are_from ? "to" : "from", std::move(kind)});
        return *this;
    }
    Description& joins_via(std::string name, std::string resource, std::string table, std::string own, std::string other) {
        made_.expands.push_back(
            {std::move(name), std::move(resource), "uuid", "uuid", std::move(table), std::move(own), std::move(other), ""});
        return *this;
    }
    operator Resource() const { return made_; }

private:
    Resource made_;
};

template <class T>
Description describe(std::string wire_class, std::string tag_type = "") {
    return {record_of<T>().table(), std::move(wire_class), std::move(tag_type)};
}

std::vector<Resource> vm_resources() {
    return {
        describe<Vm>("header.vm.VmInstanceInventory", "VmInstanceVO")
            .constant("cpuSpeed", 0)
            .nests("vmNics", "VmNic", "vmInstanceUuid", "deviceId")
            .nests("allVolumes", "Volume", "vmInstanceUuid", "deviceId")
            .nests("vmCdRoms", "VmCdRom", "vmInstanceUuid", "deviceId")
            .joins("zone", "Zone", "zoneUuid")
            .joins("cluster", "Cluster", "clusterUuid")
            .joins("host", "Host", "hostUuid")
            .joins("image", "Image", "imageUuid")
            .joins("instanceOffering", "InstanceOffering", "instanceOfferingUuid")
            .joins("rootVolume", "Volume", "rootVolumeUuid"),
        describe<VmNic>("header.vm.VmNicInventory", "VmNicVO")
            .constant("hypervisorType", "KVM")
            .constant("type", "VNIC")
            .nests("usedIps", "UsedIp", "vmNicUuid")
            .joins("vmInstance", "VmInstance", "vmInstanceUuid")
            .joins("l3Network", "L3Network", "l3NetworkUuid")
            .joins("usedIp", "UsedIp", "usedIpUuid"),
        describe<VmCdRom>("header.vm.cdrom.VmCdRomInventory", "VmCdRomVO")
            .joins("vmInstance", "VmInstance", "vmInstanceUuid")
            .joins("image", "Image", "isoUuid"),
        describe<InstanceOffering>("header.configuration.InstanceOfferingInventory", "InstanceOfferingVO")
            .joins_back("vmInstance", "VmInstance", "instanceOfferingUuid"),
        describe<DiskOffering>("header.configuration.DiskOfferingInventory", "DiskOfferingVO")
            .joins_back("volume", "Volume", "diskOfferingUuid"),
    };
}

Description backup_storage() {
    return describe<BackupStorage>("header.storage.backup.BackupStorageInventory", "BackupStorageVO")
        .class_of("ImageStoreBackupStorage", "storage.backup.imagestore.ImageStoreBackupStorageInventory")
        .class_of("SftpBackupStorage", "storage.backup.sftp.SftpBackupStorageInventory")
        .attached("attachedZoneUuids", "bs-zone")
        .joins_attached("zone", "Zone", "bs-zone", true)
        .joins_via("image", "Image", "image_ref", "backupStorageUuid", "imageUuid");
}

std::vector<Resource> storage_resources() {
    return {
        describe<Image>("header.image.ImageInventory", "ImageVO")
            .nests("backupStorageRefs", "ImageBackupStorageRef", "imageUuid")
            .system_tags("systemTags")
            .joins_back("volume", "Volume", "rootImageUuid")
            .joins_back("backupStorageRef", "ImageBackupStorageRef", "imageUuid")
            .joins_via("backupStorage", "BackupStorage", "image_ref", "imageUuid", "backupStorageUuid"),
        describe<ImageRef>("header.image.ImageBackupStorageRefInventory")
            .joins("image", "Image", "imageUuid")
            .joins("backupStorage", "BackupStorage", "backupStorageUuid"),
        describe<Volume>("header.volume.VolumeInventory", "VolumeVO")
            .joins("vmInstance", "VmInstance", "vmInstanceUuid")
            .joins("diskOffering", "DiskOffering", "diskOfferingUuid")
            .joins("primaryStorage", "PrimaryStorage", "primaryStorageUuid")
            .joins("image", "Image", "rootImageUuid")
            .joins_back("snapshot", "VolumeSnapshot", "volumeUuid")
            .joins_back("shareableVolumeRef", "ShareableVolumeVmInstanceRef", "volumeUuid"),
        describe<ShareableVolumeRef>("mevoco.ShareableVolumeVmInstanceRefInventory")
            .joins("volume", "Volume", "volumeUuid")
            .joins("vmInstance", "VmInstance", "vmInstanceUuid"),
        describe<VolumeSnapshot>("header.storage.snapshot.VolumeSnapshotInventory", "VolumeSnapshotVO")
            .empty_list("backupStorageRefs")
            .joins("volume", "Volume", "volumeUuid")
            .joins("tree", "VolumeSnapshotTree", "treeUuid")
            .joins("primaryStorage", "PrimaryStorage", "primaryStorageUuid"),
        describe<SnapshotTree>("header.storage.snapshot.VolumeSnapshotTreeInventory", "VolumeSnapshotTreeVO")
            .joins("volume", "Volume", "volumeUuid")
            .joins_back("snapshot", "VolumeSnapshot", "treeUuid"),
        describe<Scheduler>("header.scheduler.SchedulerInventory", "SchedulerVO")
            .constant("jobClassName", "org.zstack.storage.snapshot.CreateVolumeSnapshotJob"),
        describe<PrimaryStorage>("header.storage.primary.PrimaryStorageInventory", "PrimaryStorageVO")
            .alias("mountPath", "url")
            .attached("attachedClusterUuids", "ps-cluster")
            .joins("zone", "Zone", "zoneUuid")
            .joins_back("volume", "Volume", "primaryStorageUuid")
            .joins_back("volumeSnapshot", "VolumeSnapshot", "primaryStorageUuid")
            .joins_attached("cluster", "Cluster", "ps-cluster", true),
        backup_storage(),
        backup_storage().only("ImageStoreBackupStorage", "type", "ImageStoreBackupStorage"),
        backup_storage().only("SftpBackupStorage", "type", "SftpBackupStorage"),
    };
}

std::vector<Resource> place_resources() {
    return {
        describe<Zone>("header.zone.ZoneInventory", "ZoneVO")
            .joins_back("vmInstance", "VmInstance", "zoneUuid")
            .joins_back("cluster", "Cluster", "zoneUuid")
            .joins_back("host", "Host", "zoneUuid")
            .joins_back("primaryStorage", "PrimaryStorage", "zoneUuid")
            .joins_back("l2Network", "L2Network", "zoneUuid")
            .joins_back("l3Network", "L3Network", "zoneUuid")
            .joins_attached("backupStorage", "BackupStorage", "bs-zone", false),
        describe<Cluster>("header.cluster.ClusterInventory", "ClusterVO")
            .joins("zone", "Zone", "zoneUuid")
            .joins_back("host", "Host", "clusterUuid")
            .joins_back("vmInstance", "VmInstance", "clusterUuid")
            .joins_attached("l2Network", "L2Network", "l2-cluster", false)
            .joins_attached("l2VlanNetwork", "L2VlanNetwork", "l2-cluster", false)
            .joins_attached("primaryStorage", "PrimaryStorage", "ps-cluster", false),
        describe<Host>("kvm.KVMHostInventory", "HostVO")
            .joins("zone", "Zone", "zoneUuid")
            .joins("cluster", "Cluster", "clusterUuid")
            .joins_back("vmInstance", "VmInstance", "hostUuid"),
        describe<Account>("header.identity.AccountInventory", "AccountVO"),
        describe<Tag>("header.tag.TagInventory"),
        describe<Tag>("header.tag.SystemTagInventory").only("SystemTag", "type", "System"),
        describe<Tag>("header.tag.UserTagInventory").only("UserTag", "type", "User").without("inherent"),
    };
}

Description l2_network() {
    return describe<L2Network>("header.network.l2.L2NetworkInventory", "L2NetworkVO")
        .class_of("L2VlanNetwork", "header.network.l2.L2VlanNetworkInventory")
        .alias("virtualNetworkId", "vlan")
        .attached("attachedClusterUuids", "l2-cluster")
        .joins("zone", "Zone", "zoneUuid")
        .joins_back("l3Network", "L3Network", "l2NetworkUuid")
        .joins_attached("cluster", "Cluster", "l2-cluster", true);
}

std::vector<Resource> network_resources() {
    return {
        l2_network(),
        l2_network().only("L2VlanNetwork", "type", "L2VlanNetwork"),
        describe<L3Network>("header.network.l3.L3NetworkInventory", "L3NetworkVO")
            .comma_list("dns", "dns")
            .empty_list("hostRoute")
            .nests("ipRanges", "IpRange", "l3NetworkUuid")
            .nests("networkServices", "NetworkServiceL3NetworkRef", "l3NetworkUuid")
            .joins("zone", "Zone", "zoneUuid")
            .joins("l2Network", "L2Network", "l2NetworkUuid")
            .joins_back("vmNic", "VmNic", "l3NetworkUuid")
            .joins_back("usedIp", "UsedIp", "l3NetworkUuid"),
        describe<IpRange>("header.network.l3.IpRangeInventory", "IpRangeVO")
            .joins("l3Network", "L3Network", "l3NetworkUuid")
            .joins_back("usedIp", "UsedIp", "ipRangeUuid"),
        describe<UsedIp>("header.network.l3.UsedIpInventory")
            .joins("ipRange", "IpRange", "ipRangeUuid")
            .joins("l3Network", "L3Network", "l3NetworkUuid")
            .joins("vmNic", "VmNic", "vmNicUuid"),
        describe<NetworkService>("header.network.service.NetworkServiceL3NetworkRefInventory")
            .joins("l3Network", "L3Network", "l3NetworkUuid"),
    };
}

}  // namespace

const std::vector<Resource>& all_resources() {
    static const std::vector<Resource> resources = [] {
        std::vector<Resource> all;
        for (std::vector<Resource>& some :
             std::vector{vm_resources(), storage_resources(), place_resources(), network_resources()})
            for (Resource& one : some) all.push_back(std::move(one));
        return all;
    }();
    return resources;
}

}  // namespace hvagent::inventory
