// One value of each stored struct in which every member differs from a fresh one.
#pragma once
#include "agent/inventory/records.h"

namespace hvagent::inventory {

inline Time sample_time(int n) {
    return from_unix_ms(1510669257123 + n * 1000);
}

template <class T>
T sample();

template <>
inline Zone sample() {
    return {ZoneId("zone"), "zone-1", "first", EnabledState::disabled, "other", true, sample_time(1), sample_time(2)};
}
template <>
inline Cluster sample() {
    return {ClusterId("cluster"), ZoneId("zone"), "c-1", "first", EnabledState::disabled, "ESX", "other", "aarch64",
            sample_time(1),       sample_time(2)};
}
template <>
inline Host sample() {
    Host host;
    host.uuid = HostId("host");
    host.zone = ZoneId("zone");
    host.cluster = ClusterId("cluster");
    host.name = "kvm-1";
    host.description = "first";
    host.management_ip = "192.0.2.1";
    host.hypervisor_type = "other";
    host.state = "Maintenance";
    host.status = ConnectionStatus::connected;
    host.cpu_num = 8;
    host.cpu_sockets = 2;
    host.total_cpu = 80;
    host.available_cpu = 70;
    host.total_memory = 64 * GiB;
    host.available_memory = 60 * GiB;
    host.architecture = "aarch64";
    host.username = "root";
    host.ssh_port = 2222;
    host.os_distribution = "debian";
    host.os_release = "bookworm";
    host.os_version = "12";
    host.created = sample_time(1);
    host.last_op = sample_time(2);
    return host;
}
template <>
inline L2Network sample() {
    return {L2NetworkId("l2"), ZoneId("zone"), "l2-1", "first",        "eth0",
            "L2VlanNetwork",   "OvsDpdk",      100,    sample_time(1), sample_time(2)};
}
template <>
inline L3Network sample() {
    L3Network l3;
    l3.uuid = L3NetworkId("l3");
    l3.zone = ZoneId("zone");
    l3.l2_network = L2NetworkId("l2");
    l3.name = "l3-1";
    l3.description = "first";
    l3.type = "other";
    l3.state = EnabledState::disabled;
    l3.dns_domain = "example.com";
    l3.category = "Public";
    l3.system = true;
    l3.enable_ipam = false;
    l3.ip_version = 6;
    l3.dns = "9.9.9.9,1.1.1.1";
    l3.created = sample_time(1);
    l3.last_op = sample_time(2);
    return l3;
}
template <>
inline IpRange sample() {
    return {IpRangeId("range"), L3NetworkId("l3"), "r-1", "first", "10.0.0.2",    "10.0.0.99",    "255.255.255.0",
            "10.0.0.1",         "10.0.0.0/24",     6,     25,      "AddressPool", sample_time(1), sample_time(2)};
}
template <>
inline UsedIp sample() {
    return {UsedIpId("ip"),  IpRangeId("range"), L3NetworkId("l3"),
            NicId("nic"),    "10.0.0.2",         167772162,
            "255.255.255.0", "10.0.0.1",         6,
            sample_time(1),  sample_time(2)};
}
template <>
inline InstanceOffering sample() {
    return {InstanceOfferingId("offering"), "small",        "first",       2, 1000, GiB, MiB, "other", "strategy", 7,
            EnabledState::disabled,         sample_time(1), sample_time(2)};
}
template <>
inline DiskOffering sample() {
    return {DiskOfferingId("disk"), "10g",          "first",       10 * GiB, "other", "strategy", 7,
            EnabledState::disabled, sample_time(1), sample_time(2)};
}
template <>
inline Attachment sample() {
    return {"l2-cluster", "l2-cluster", "l2", "cluster", sample_time(1), sample_time(2)};
}
template <>
inline NetworkService sample() {
    return {"l3-DHCP", L3NetworkId("l3"), "provider", "DHCP", sample_time(1), sample_time(2)};
}
template <>
inline Tag sample() {
    return {TagId("tag"), "vm", "VmInstanceVO", "ha::NeverStop", "System", true, sample_time(1), sample_time(2)};
}
template <>
inline Account sample() {
    return {AccountId("account"), "admin", "first", "SystemAdmin", sample_time(1), sample_time(2)};
}
template <>
inline Image sample() {
    Image image;
    image.uuid = ImageId("image");
    image.name = "debian";
    image.description = "first";
    image.state = EnabledState::disabled;
    image.status = ImageStatus::ready;
    image.size = 2 * GiB;
    image.actual_size = GiB;
    image.md5 = "d41d8cd98f00b204e9800998ecf8427e";
    image.url = "file:///images/debian.qcow2";
    image.media_type = MediaType::iso;
    image.guest_os_type = "Debian";
    image.type = "other";
    image.platform = "Windows";
    image.architecture = "aarch64";
    image.format = "iso";
    image.system = true;
    image.virtio = false;
    image.deleted_at = sample_time(3);
    image.created = sample_time(1);
    image.last_op = sample_time(2);
    return image;
}
template <>
inline ImageRef sample() {
    return {"image-bs",         ImageId("image"), BackupStorageId("bs"), "zstore://image",
            ImageStatus::ready, sample_time(1),   sample_time(2)};
}
template <>
inline Volume sample() {
    Volume volume;
    volume.uuid = VolumeId("volume");
    volume.name = "data-1";
    volume.description = "first";
    volume.primary_storage = PrimaryStorageId("ps");
    volume.vm = VmId("vm");
    volume.last_vm = VmId("vm0");
    volume.disk_offering = DiskOfferingId("disk");
    volume.root_image = ImageId("image");
    volume.install_path = "/ps/volume.qcow2";
    volume.type = VolumeType::root;
    volume.format = "raw";
    volume.size = 2 * GiB;
    volume.actual_size = MiB;
    volume.device_id = 0;
    volume.state = EnabledState::disabled;
    volume.status = VolumeStatus::ready;
    volume.shareable = true;
    volume.throttle = {1024, 2048, 4096, 1, 2, 3};
    volume.last_attached = sample_time(3);
    volume.last_detached = sample_time(4);
    volume.deleted_at = sample_time(5);
    volume.created = sample_time(1);
    volume.last_op = sample_time(2);
    return volume;
}
template <>
inline ShareableVolumeRef sample() {
    return {"ref", VolumeId("volume"), VmId("vm"), 3, sample_time(1), sample_time(2)};
}
template <>
inline VolumeSnapshot sample() {
    VolumeSnapshot snapshot;
    snapshot.uuid = SnapshotId("snapshot");
    snapshot.name = "before";
    snapshot.description = "first";
    snapshot.type = "Hypervisor";
    snapshot.volume = VolumeId("volume");
    snapshot.tree = SnapshotTreeId("tree");
    snapshot.parent = SnapshotId("parent");
    snapshot.primary_storage = PrimaryStorageId("ps");
    snapshot.install_path = "/ps/volume.qcow2";
    snapshot.volume_type = VolumeType::data;
    snapshot.format = "raw";
    snapshot.latest = false;
    snapshot.size = MiB;
    snapshot.distance = 4;
    snapshot.state = EnabledState::disabled;
    snapshot.status = SnapshotStatus::ready;
    snapshot.group = "group";
    snapshot.virtual_size = GiB;
    snapshot.created = sample_time(1);
    snapshot.last_op = sample_time(2);
    return snapshot;
}
template <>
inline SnapshotTree sample() {
    return {SnapshotTreeId("tree"), VolumeId("volume"), false, "Creating", sample_time(1), sample_time(2)};
}
template <>
inline Scheduler sample() {
    Scheduler scheduler;
    scheduler.uuid = SchedulerId("scheduler");
    scheduler.target = "volume";
    scheduler.name = "nightly";
    scheduler.description = "first";
    scheduler.job = "createVolumeSnapshot";
    scheduler.job_data = "{}";
    scheduler.type = SchedulerType::cron;
    scheduler.interval = 60;
    scheduler.repeat_count = 5;
    scheduler.cron = "0 0 3 * * ?";
    scheduler.start = sample_time(3);
    scheduler.stop = sample_time(4);
    scheduler.state = EnabledState::disabled;
    scheduler.fired = 2;
    scheduler.last_fired = sample_time(5);
    scheduler.created = sample_time(1);
    scheduler.last_op = sample_time(2);
    return scheduler;
}
template <>
inline PrimaryStorage sample() {
    return {
        PrimaryStorageId("ps"),         ZoneId("zone"), "ps-1",   "first",  "/ps",    "SharedMountPoint", "Maintenance",
        ConnectionStatus::disconnected, 100 * GiB,      90 * GiB, 80 * GiB, 70 * GiB, sample_time(1),     sample_time(2)};
}
template <>
inline BackupStorage sample() {
    return {BackupStorageId("bs"),
            "bs-1",
            "first",
            "/bs",
            "SftpBackupStorage",
            "192.0.2.2",
            "root",
            2222,
            100 * GiB,
            90 * GiB,
            EnabledState::disabled,
            ConnectionStatus::disconnected,
            sample_time(1),
            sample_time(2)};
}
template <>
inline Migration sample() {
    return {MigrationId("migration"), VmId("vm"),     MigrationRole::incoming, MigrationStage::stayed, HostId("host"), "{}",
            "it runs at the source",  sample_time(1), sample_time(2)};
}
template <>
inline Peer sample() {
    return {
        HostId("host"), "https://192.0.2.3:8080", "token",        "hash",        "former hash", "boot", "0.1", "9.0", "7.2",
        "no answer",    sample_time(3),           sample_time(1), sample_time(2)};
}
template <>
inline Vm sample() {
    Vm vm;
    vm.migration = MigrationId("migration");
    vm.restart_order = 2;
    vm.epoch = 7;
    vm.restart_boot = "boot";
    vm.uuid = VmId("vm");
    vm.name = "web-1";
    vm.description = "first";
    vm.zone = ZoneId("zone");
    vm.cluster = ClusterId("cluster");
    vm.image = ImageId("image");
    vm.host = HostId("host");
    vm.last_host = HostId("host0");
    vm.offering = InstanceOfferingId("offering");
    vm.root_volume = VolumeId("volume");
    vm.default_l3 = L3NetworkId("l3");
    vm.platform = "Windows";
    vm.architecture = "aarch64";
    vm.type = "other";
    vm.hypervisor_type = "other";
    vm.allocator_strategy = "strategy";
    vm.guest_os_type = "Windows 11";
    vm.memory = 4 * GiB;
    vm.reserved_memory = GiB;
    vm.cpus = 4;
    vm.virtio = false;
    vm.intent = VmIntent::destroyed;
    vm.observed = VmState::crashed;
    vm.observed_reason = "panicked";
    vm.observed_at = sample_time(3);
    vm.transition = VmState::migrating;
    vm.destroyed_at = sample_time(4);
    vm.should_run = true;
    vm.creation_plan = "{\"zone\":null}";
    vm.created = sample_time(1);
    vm.last_op = sample_time(2);
    return vm;
}
template <>
inline VmNic sample() {
    return {NicId("nic"),        VmId("vm"), L3NetworkId("l3"), "10.0.0.2", "255.255.255.0", "10.0.0.1", UsedIpId("ip"),
            "fa:16:3e:00:00:01", 1,          "vnic1.0",         "e1000",    "disable",       6,          sample_time(1),
            sample_time(2)};
}
template <>
inline VmCdRom sample() {
    return {CdRomId("cdrom"), VmId("vm"),    1, ImageId("image"), "/cache/image.iso", "cd-1", "first",
            sample_time(1),   sample_time(2)};
}

}  // namespace hvagent::inventory
