// A small world for views and queries: two zones, two hosts, three VMs with NICs, volumes and tags.
#pragma once
#include "tests/unit/inventory/fixture.h"

namespace hvagent::inventory {

class World : public StoreTest {
protected:
    World() {
        add_places();
        add_networks();
        add_storages();
        add_vms();
    }

    void add_places() {
        for (const auto& [number, name] : {std::pair{1, "north"}, {2, "south"}}) {
            Zone place;
            place.uuid = ZoneId(uuid(number));
            place.name = name;
            place.is_default = number == 1;
            inventory.insert(place);
            Cluster cluster;
            cluster.uuid = ClusterId(uuid(10 + number));
            cluster.zone = place.uuid;
            cluster.name = std::string("cluster-") + name;
            inventory.insert(cluster);
            Host host;
            host.uuid = HostId(uuid(20 + number));
            host.zone = place.uuid;
            host.cluster = cluster.uuid;
            host.name = std::string("kvm-") + name;
            host.management_ip = "192.0.2." + std::to_string(number);
            host.status = ConnectionStatus::connected;
            host.cpu_num = 8;
            host.total_cpu = 80;
            host.available_cpu = 76;
            host.total_memory = 64 * GiB;
            host.available_memory = 60 * GiB;
            host.username = "root";
            host.os_distribution = "debian";
            host.os_release = "bookworm";
            host.os_version = "12";
            inventory.insert(host);
        }
    }
    void attach(const std::string& kind, const std::string& from, const std::string& to) {
        Attachment attachment;
        attachment.uuid = from + "-" + to;
        attachment.kind = kind;
        attachment.from = from;
        attachment.to = to;
        inventory.insert(attachment);
    }
    void add_networks() {
        L2Network l2;
        l2.uuid = L2NetworkId(uuid(31));
        l2.zone = ZoneId(uuid(1));
        l2.name = "l2-flat";
        l2.physical_interface = "eth0";
        inventory.insert(l2);
        l2.uuid = L2NetworkId(uuid(32));
        l2.name = "l2-vlan";
        l2.type = "L2VlanNetwork";
        l2.vlan = 100;
        inventory.insert(l2);
        attach("l2-cluster", uuid(31), uuid(11));
        attach("l2-cluster", uuid(32), uuid(11));
        attach("l2-cluster", uuid(32), uuid(12));

        L3Network l3;
        l3.uuid = L3NetworkId(uuid(41));
        l3.zone = ZoneId(uuid(1));
        l3.l2_network = L2NetworkId(uuid(31));
        l3.name = "private";
        l3.dns = "9.9.9.9,1.1.1.1";
        inventory.insert(l3);
        l3.uuid = L3NetworkId(uuid(42));
        l3.name = "public";
        l3.category = "Public";
        l3.dns = "";
        inventory.insert(l3);
        IpRange range;
        range.uuid = IpRangeId(uuid(51));
        range.l3_network = L3NetworkId(uuid(41));
        range.name = "first";
        range.start_ip = "10.0.0.2";
        range.end_ip = "10.0.0.99";
        range.netmask = "255.255.255.0";
        range.gateway = "10.0.0.1";
        range.network_cidr = "10.0.0.0/24";
        inventory.insert(range);
        for (const char* type : {"DHCP", "DNS"}) {
            NetworkService service;
            service.uuid = uuid(41) + "-" + type;
            service.l3_network = L3NetworkId(uuid(41));
            service.provider = uuid(59);
            service.type = type;
            inventory.insert(service);
        }
    }
    void add_storages() {
        PrimaryStorage ps;
        ps.uuid = PrimaryStorageId(uuid(61));
        ps.zone = ZoneId(uuid(1));
        ps.name = "local";
        ps.url = "/var/lib/hvagent/ps";
        ps.total_capacity = 100 * GiB;
        ps.available_capacity = 90 * GiB;
        ps.total_physical = 100 * GiB;
        ps.available_physical = 95 * GiB;
        inventory.insert(ps);
        attach("ps-cluster", uuid(61), uuid(11));
        attach("ps-cluster", uuid(61), uuid(12));
        BackupStorage bs;
        bs.uuid = BackupStorageId(uuid(62));
        bs.name = "images";
        bs.url = "/var/lib/hvagent/bs";
        bs.hostname = "192.0.2.1";
        bs.username = "root";
        bs.total_capacity = 100 * GiB;
        bs.available_capacity = 90 * GiB;
        inventory.insert(bs);
        attach("bs-zone", uuid(62), uuid(1));
        Image image;
        image.uuid = ImageId(uuid(63));
        image.name = "debian";
        image.status = ImageStatus::ready;
        image.size = 2 * GiB;
        image.actual_size = GiB;
        image.url = "file:///images/debian.qcow2";
        inventory.insert(image);
        ImageRef ref;
        ref.uuid = uuid(63) + "-" + uuid(62);
        ref.image = image.uuid;
        ref.backup_storage = bs.uuid;
        ref.install_path = "zstore://debian/" + uuid(63);
        ref.status = ImageStatus::ready;
        inventory.insert(ref);
        inventory.add_tag("Image", uuid(63), "qemuga", "System");
        inventory.add_tag("Image", uuid(63), "bootMode::UEFI", "System");
        inventory.add_tag("Image", uuid(63), "gold", "User");
        InstanceOffering offering;
        offering.uuid = InstanceOfferingId(uuid(71));
        offering.name = "small";
        offering.cpu_num = 2;
        offering.memory = GiB;
        inventory.insert(offering);
        DiskOffering disk;
        disk.uuid = DiskOfferingId(uuid(72));
        disk.name = "10g";
        disk.disk_size = 10 * GiB;
        inventory.insert(disk);
        Account account;
        account.uuid = AccountId("36c27e8ff05c4780bf6d2fa65700f22e");
        account.name = "admin";
        account.type = "SystemAdmin";
        inventory.insert(account);
    }
    void add_vms() {
        // web-1: running in the north, two NICs, root and data volume, an ISO.
        Vm vm;
        vm.uuid = VmId(uuid(101));
        vm.name = "web-1";
        vm.description = "front";
        vm.zone = ZoneId(uuid(1));
        vm.cluster = ClusterId(uuid(11));
        vm.host = HostId(uuid(21));
        vm.image = ImageId(uuid(63));
        vm.offering = InstanceOfferingId(uuid(71));
        vm.root_volume = VolumeId(uuid(301));
        vm.default_l3 = L3NetworkId(uuid(41));
        vm.memory = GiB;
        vm.cpus = 2;
        vm.observed = VmState::running;
        inventory.insert(vm);
        clock.unix_ms += 60000;
        // Db-2: stopped in the south, one NIC, nothing described.
        vm.uuid = VmId(uuid(102));
        vm.name = "Db-2";
        vm.description = "";
        vm.zone = ZoneId(uuid(2));
        vm.cluster = ClusterId(uuid(12));
        vm.host = HostId();
        vm.last_host = HostId(uuid(22));
        vm.root_volume = VolumeId(uuid(302));
        vm.memory = 4 * GiB;
        vm.cpus = 8;
        vm.observed = VmState::stopped;
        inventory.insert(vm);
        clock.unix_ms += 60000;
        // bare: only recorded.
        Vm bare;
        bare.uuid = VmId(uuid(103));
        bare.name = "bare 100%";
        bare.intent = VmIntent::created;
        bare.memory = 512 * MiB;
        inventory.insert(bare);

        add_nic(202, 101, 42, 1, "203.0.113.7");
        add_nic(201, 101, 41, 0, "10.0.0.2");
        add_nic(203, 102, 41, 0, "10.0.0.3");
        add_volume(301, 101, 0, VolumeType::root);
        add_volume(303, 101, 1, VolumeType::data);
        add_volume(302, 102, 0, VolumeType::root);
        add_volume(304, 0, {}, VolumeType::data);
        add_what_hangs_on_volumes();
        VmCdRom cdrom;
        cdrom.uuid = CdRomId(uuid(351));
        cdrom.vm = VmId(uuid(101));
        cdrom.name = "vm-cdRom";
        cdrom.iso = ImageId(uuid(64));
        cdrom.iso_path = "/cache/iso";
        inventory.insert(cdrom);
        tag_ids.push_back(inventory.add_tag("VmInstance", uuid(101), "ha::NeverStop", "System").uuid.str());
        inventory.add_tag("VmInstance", uuid(101), "staticIp::" + uuid(41) + "::10.0.0.2", "System");
        inventory.add_tag("VmInstance", uuid(102), "hostname::db", "System");
        tag_ids.push_back(inventory.add_tag("VmInstance", uuid(101), "production", "User").uuid.str());
        inventory.add_tag("VmNic", uuid(203), "slow", "User");
    }
    void add_nic(int number, int vm, int l3, int device_id, const std::string& ip) {
        VmNic nic;
        nic.uuid = NicId(uuid(number));
        nic.vm = VmId(uuid(vm));
        nic.l3_network = L3NetworkId(uuid(l3));
        nic.ip = ip;
        nic.netmask = "255.255.255.0";
        nic.gateway = "10.0.0.1";
        nic.used_ip = UsedIpId(uuid(number + 1000));
        nic.mac = "fa:16:3e:00:00:" + std::to_string(number % 100 + 10);
        nic.device_id = device_id;
        nic.internal_name = "vnic" + std::to_string(vm) + "." + std::to_string(device_id);
        inventory.insert(nic);
        UsedIp used;
        used.uuid = nic.used_ip;
        used.nic = nic.uuid;
        used.l3_network = nic.l3_network;
        used.ip_range = IpRangeId(uuid(51));
        used.ip = ip;
        used.ip_number = number;
        used.netmask = nic.netmask;
        used.gateway = nic.gateway;
        inventory.insert(used);
    }
    void add_what_hangs_on_volumes() {
        SnapshotTree tree;
        tree.uuid = SnapshotTreeId(uuid(401));
        tree.volume = VolumeId(uuid(303));
        inventory.insert(tree);
        VolumeSnapshot snapshot;
        snapshot.uuid = SnapshotId(uuid(402));
        snapshot.name = "before";
        snapshot.volume = tree.volume;
        snapshot.tree = tree.uuid;
        snapshot.primary_storage = PrimaryStorageId(uuid(61));
        inventory.insert(snapshot);
        inventory.insert(ShareableVolumeRef{uuid(403), VolumeId(uuid(304)), VmId(uuid(102)), 1, {}, {}});
        Scheduler scheduler;
        scheduler.uuid = SchedulerId(uuid(404));
        scheduler.target = uuid(303);
        scheduler.name = "nightly";
        inventory.insert(scheduler);
    }
    void add_volume(int number, int vm, std::optional<int> device_id, VolumeType type) {
        Volume volume;
        volume.uuid = VolumeId(uuid(number));
        volume.name = "volume-" + std::to_string(number);
        volume.type = type;
        volume.device_id = device_id;
        volume.size = number * MiB;
        if (vm != 0) {
            volume.vm = VmId(uuid(vm));
            volume.primary_storage = PrimaryStorageId(uuid(61));
            volume.install_path = "/var/lib/hvagent/ps/" + uuid(number) + ".qcow2";
            volume.status = VolumeStatus::ready;
        }
        if (type == VolumeType::root) volume.root_image = ImageId(uuid(63));
        inventory.insert(volume);
    }

    std::vector<std::string> tag_ids;  // ha::NeverStop, production
};

}  // namespace hvagent::inventory
