"""Data volumes on real files and in real guests: contents are compared by checksum from inside the guest."""
import hashlib
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import libvirt
import pytest

from client import ApiError, new_uuid
from conftest import CONFIG, MIB
from inside import Inside
from lab import wait_for


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


class Volumes:
    """The operations of the contract on volumes, as clients send them."""

    def __init__(self, api, world):
        self.api = api
        self.world = world
        self.made = []

    def create(self, name, mib=64, tags=(), **params):
        body = {"params": {"name": name, "diskSize": mib * MIB, **params}, "systemTags": list(tags)}
        return self.own(self.api.run("POST", "/volumes/data", body)["inventory"])

    def own(self, volume):
        self.made.append(volume["uuid"])
        return volume

    def ready(self, name, mib=64, **params):
        return self.create(name, mib, primaryStorageUuid=self.world.primary, **params)

    def get(self, volume):
        return self.api.only("/volumes", f"uuid={volume}")

    def act(self, volume, action, /, **params):
        result = self.api.run("PUT", f"/volumes/{volume}/actions", {action: params})
        return result.get("inventory", result)

    def attach(self, volume, vm):
        return self.api.run("POST", f"/volumes/{volume}/vm-instances/{vm}")["inventory"]

    def detach(self, volume, vm=None):
        return self.api.run("DELETE", f"/volumes/{volume}/vm-instances", query={"vmUuid": vm} if vm else None)["inventory"]

    def delete(self, volume):
        return self.api.run("DELETE", f"/volumes/{volume}")

    def resize(self, volume, size, kind="data/"):
        body = {"resizeDataVolume" if kind else "resizeRootVolume": {"size": size}}
        return self.api.run("PUT", f"/volumes/{kind}resize/{volume}/actions", body)["inventory"]

    def remove(self, volume):
        for found in self.api.query("/volumes", f"uuid={volume}"):
            if found["status"] != "Deleted":
                self.delete(volume)
        if self.api.query("/volumes", f"uuid={volume}"):
            self.act(volume, "expungeDataVolume")


@pytest.fixture
def volumes(api, world):
    volumes = Volumes(api, world)
    yield volumes
    for volume in volumes.made:
        volumes.remove(volume)


def own_volumes(own):
    return Volumes(own.api, own.world)


@pytest.fixture
def inside(host, guest):
    return Inside(host, guest)


def disks(xml):
    return {disk.findtext("serial"): disk for disk in ElementTree.fromstring(xml).findall("devices/disk") if disk.get("device") == "disk"}


def live(host, vm):
    return disks(host.xml(vm))


def config(host, vm):
    return disks(host.domain(vm).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))


def files_of(host, volume):
    return host.shell(f"find /var/lib/hvagent -path '*vol-{volume}*' -type f").split()


# --- attach and detach ---

def test_what_a_guest_wrote_moves_with_the_volume_to_another_vm(api, host, guest, inside, volumes, vms):
    volume = volumes.create("traveller")["uuid"]
    assert volumes.get(volume)["status"] == "NotInstantiated" and files_of(host, volume) == []
    attached = volumes.attach(volume, guest)
    assert (attached["status"], attached["vmInstanceUuid"], attached["deviceId"]) == ("Ready", guest, 1)
    assert files_of(host, volume) == [attached["installPath"]]
    disk = inside.await_disk(volume)
    assert inside.size_of(disk) == 64 * MIB
    written = inside.fill(disk, 8, at_mib=40)
    assert volume in live(host, guest) and volume in config(host, guest)

    detached = volumes.detach(volume)
    assert "vmInstanceUuid" not in detached and "deviceId" not in detached and detached["lastVmInstanceUuid"] == guest
    assert inside.disk(volume) is None
    assert volume not in live(host, guest) and volume not in config(host, guest)

    other = vms.create("other", strategy="CreateStopped")["uuid"]
    assert volumes.attach(volume, other)["vmInstanceUuid"] == other
    api.act(other, "startVmInstance")
    there = Inside(host, other)
    assert there.checksum(there.await_disk(volume), 8, at_mib=40) == written
    assert refusal(lambda: volumes.attach(volume, guest)).codes == ["SYS.1006"]
    api.destroy(other)
    assert volumes.get(volume)["status"] == "Ready" and "vmInstanceUuid" not in volumes.get(volume)
    volumes.attach(volume, guest)
    assert inside.checksum(inside.await_disk(volume), 8, at_mib=40) == written


def test_a_scsi_volume_is_plugged_and_unplugged(host, guest, inside, volumes):
    volume = volumes.ready("scsi", tags=["capability::virtio-scsi"])["uuid"]
    volumes.attach(volume, guest)
    assert live(host, guest)[volume].find("target").get("bus") == "scsi"
    assert inside.sh("for i in $(seq 50); do ls /sys/block | grep -q ^sd && break; sleep 0.1; done; ls /sys/block | grep ^sd")
    volumes.detach(volume)
    assert inside.sh("ls /sys/block | grep -c ^sd || true") == "0"


def test_a_running_vm_takes_twenty_four_volumes_and_no_more(api, guest, inside, volumes):
    many = [volumes.ready(f"one of many {i}", 1)["uuid"] for i in range(25)]
    assert [volumes.attach(one, guest)["deviceId"] for one in many[:24]] == list(range(1, 25))
    assert refusal(lambda: volumes.attach(many[24], guest)).codes == ["SYS.1006"]

    def disks_seen():
        return int(inside.sh("ls /sys/block | grep -c '^[vs]d'"))

    wait_for(lambda: disks_seen() == 25, 10, "all disks in the guest", 0.1)
    volumes.detach(many[11])
    assert volumes.attach(many[24], guest)["deviceId"] == 12
    for one in many[12:]:
        volumes.detach(one)
    # Those that stay have their place at the next start too, the shared controller included.
    api.act(guest, "stopVmInstance", type="cold")
    api.act(guest, "startVmInstance")
    Inside(inside.host, guest)
    wait_for(lambda: disks_seen() == 12, 10, "the disks that stayed", 0.1)


def test_a_paused_guest_cannot_let_go_and_keeps_the_volume(api, host, guest, inside, volumes):
    volume = volumes.ready("held")["uuid"]
    volumes.attach(volume, guest)
    written = inside.fill(inside.await_disk(volume), 4)
    api.act(guest, "pauseVmInstance")
    refused = refusal(lambda: volumes.detach(volume))
    assert refused.codes[0] == "SYS.1006"
    kept = volumes.get(volume)
    assert (kept["vmInstanceUuid"], kept["deviceId"]) == (guest, 1)
    assert volume in live(host, guest) and volume in config(host, guest)
    assert refusal(lambda: volumes.delete(volume)).codes[0] == "SYS.1004"
    api.act(guest, "resumeVmInstance")
    assert inside.checksum(inside.disk(volume), 4) == written
    assert "vmInstanceUuid" not in volumes.detach(volume)
    assert inside.disk(volume) is None


def test_a_vm_without_an_operating_system_keeps_its_volume(api, host, world, volumes, vms):
    empty = host.shared / "empty.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", empty, "16M"], check=True)
    vm = vms.create("nobody home", world.add_image("empty", f"file://{empty}")["uuid"])["uuid"]
    volume = volumes.ready("held")["uuid"]
    assert volumes.attach(volume, vm)["vmInstanceUuid"] == vm
    assert refusal(lambda: volumes.detach(volume)).codes[0] == "SYS.1006"
    assert volumes.get(volume)["vmInstanceUuid"] == vm and volume in live(host, vm) and volume in config(host, vm)
    api.act(vm, "stopVmInstance", type="cold")
    assert "vmInstanceUuid" not in volumes.detach(volume)


def test_both_sides_know_what_fits_together(api, guest, volumes, vms):
    stopped = vms.create("stopped", strategy="CreateStopped")["uuid"]
    volume, disabled = volumes.create("free")["uuid"], volumes.create("disabled")["uuid"]
    volumes.act(disabled, "changeVolumeState", stateEvent="disable")

    def vms_for(one):
        return {vm["uuid"] for vm in api.get(f"/volumes/{one}/candidate-vm-instances")["inventories"]}

    def volumes_for(vm):
        return {one["uuid"] for one in api.get(f"/vm-instances/{vm}/data-volume-candidates")["inventories"]}

    assert {guest, stopped} <= vms_for(volume)
    assert volume in volumes_for(guest) and disabled not in volumes_for(guest)
    assert refusal(lambda: vms_for(disabled)).codes == ["SYS.1007"]
    assert refusal(lambda: volumes.attach(disabled, guest)).codes == ["SYS.1006"]
    volumes.attach(volume, stopped)
    assert vms_for(volume) == set() and volume not in volumes_for(guest)
    api.destroy(stopped)
    wrong = refusal(lambda: volumes.attach(volume, stopped))
    assert wrong.codes == ["VM.1005", "VM.1010"]
    assert refusal(lambda: volumes_for(stopped)).codes[0] == "SYS.1006"


# --- shareable volumes ---

def test_two_guests_read_what_either_wrote_to_a_shareable_volume(api, host, guest, inside, volumes, vms):
    other = vms.create("other")["uuid"]
    volume = volumes.ready("shared", tags=["ephemeral::shareable"])
    assert volume["isShareable"] and volume["format"] == "raw"
    volume = volume["uuid"]
    for vm in (guest, other):
        assert "vmInstanceUuid" not in volumes.attach(volume, vm)
        assert live(host, vm)[volume].find("shareable") is not None
    refs = api.query("/volumes/vm-instances/refs", f"volumeUuid={volume}")
    assert {ref["vmInstanceUuid"] for ref in refs} == {guest, other} and {ref["deviceId"] for ref in refs} == {1}
    there = Inside(host, other)
    written = inside.fill(inside.await_disk(volume), 2)
    assert there.checksum(there.await_disk(volume), 2) == written
    answer = there.fill(there.disk(volume), 2, at_mib=8)
    assert inside.checksum(inside.disk(volume), 2, at_mib=8) == answer
    assert refusal(lambda: volumes.detach(volume)).codes[0] == "SYS.1006"
    volumes.detach(volume, guest)
    assert inside.disk(volume) is None
    assert [ref["vmInstanceUuid"] for ref in api.query("/volumes/vm-instances/refs", f"volumeUuid={volume}")] == [other]
    assert there.checksum(there.disk(volume), 2) == written


# --- sizes ---

def test_a_running_guest_sees_its_disks_grow(api, host, guest, inside, volumes):
    volume = volumes.create("growing", 32)["uuid"]
    volumes.attach(volume, guest)
    disk = inside.await_disk(volume)
    written = inside.fill(disk, 4)
    assert volumes.resize(volume, 5.0E7)["size"] == 50000384
    assert wait_for(lambda: inside.size_of(disk) == 50000384, 5, "the new size")
    assert inside.checksum(disk, 4) == written
    for size in (50000384, 32 * MIB):
        assert refusal(lambda: volumes.resize(volume, size)).codes == ["SYS.1007"]
    root = api.vm(guest)["rootVolumeUuid"]
    larger = volumes.get(root)["size"] + 16 * MIB
    assert volumes.resize(root, larger, kind="")["size"] == larger
    assert wait_for(lambda: inside.size_of(inside.disk(root)) == larger, 5, "the new size of the root disk")


def test_a_volume_that_nobody_has_open_grows_and_keeps_its_content(host, guest, inside, volumes):
    volume = volumes.create("growing", 32)["uuid"]
    volumes.attach(volume, guest)
    written = inside.fill(inside.await_disk(volume), 4)
    volumes.detach(volume)
    assert volumes.resize(volume, 96 * MIB)["size"] == 96 * MIB
    synced = volumes.act(volume, "syncVolumeSize")
    assert synced["size"] == 96 * MIB and 4 * MIB <= synced["actualSize"] < 6 * MIB
    volumes.attach(volume, guest)
    disk = inside.await_disk(volume)
    assert inside.size_of(disk) == 96 * MIB and inside.checksum(disk, 4) == written


def test_what_the_storage_cannot_promise_is_refused(api, volumes, world):
    free = api.only("/primary-storage")["availableCapacity"]
    refused = refusal(lambda: volumes.create("too large", primaryStorageUuid=world.primary, diskSize=free * 2))
    assert "PS.1000" in refused.codes
    volume = volumes.ready("small")
    assert "PS.1000" in refusal(lambda: volumes.resize(volume["uuid"], free * 2)).codes
    assert volumes.get(volume["uuid"])["size"] == volume["size"]
    assert api.query("/volumes", "name=too large") == []


# --- limits ---

def limits(host, vm, volume):
    now, later = ({child.tag: int(child.text) for child in disk.findall("iotune/*") if child.text != "0"}
                  for disk in (live(host, vm)[volume], config(host, vm)[volume]))
    assert now == later
    return now


def test_limits_are_in_force_live_and_after_the_next_start(api, host, guest, volumes):
    volume = volumes.ready("slow")["uuid"]
    volumes.attach(volume, guest)
    answer = volumes.act(volume, "setVolumeQos", volumeBandwidth=4 * MIB)
    assert answer["volumeQos"] == f"total={4 * MIB}"
    assert limits(host, guest, volume) == {"total_bytes_sec": 4 * MIB}
    for method, path, body in (("PUT", "actions", {"setVolumeQoS": {"mode": "read", "volumeBandwidth": 2 * MIB}}),
                               ("POST", "QoS", {"params": {"writeBandwidth": 3 * MIB}}),
                               ("POST", "qos", {"setVolumeQoS": {"totalIOPS": 500}}),
                               ("PUT", "actions", {"params": {"readBandwidth": 5 * MIB}})):
        api.run(method, f"/volumes/{volume}/{path}", body)
    expected = {"read_bytes_sec": 5 * MIB, "write_bytes_sec": 3 * MIB, "total_iops_sec": 500}
    assert limits(host, guest, volume) == expected
    shown = api.get(f"/volumes/{volume}/QoS")
    assert shown["volumeUuid"] == volume and shown["volumeBandwidth"] == -1
    assert (shown["volumeBandwidthRead"], shown["volumeBandwidthWrite"], shown["iopsTotal"]) == (5 * MIB, 3 * MIB, 500)
    api.act(guest, "stopVmInstance", type="cold")
    api.act(guest, "startVmInstance")
    assert limits(host, guest, volume) == expected
    target = live(host, guest)[volume].find("target").get("dev")
    host.exec("virsh", "blkdeviotune", guest, target, "--total-bytes-sec", str(6 * MIB), "--read-bytes-sec", "0", "--write-bytes-sec", "0", "--live")
    assert api.get(f"/volumes/{volume}/qos", {"forceSync": "true"})["volumeBandwidth"] == 6 * MIB
    api.run("DELETE", f"/volumes/{volume}/qos")
    assert limits(host, guest, volume) == {}
    assert api.get(f"/volumes/{volume}/qos")["volumeBandwidth"] == -1


# --- copies ---

def test_a_template_becomes_a_volume(api, host, world, guest, inside, images, volumes):
    template = world.add_image("template", f"file://{images['qcow2']}", mediaType="DataVolumeTemplate")["uuid"]

    def create(image):
        body = {"params": {"name": "from template", "primaryStorageUuid": world.primary, "hostUuid": world.host}}
        return volumes.own(api.run("POST", f"/volumes/data/from/data-volume-templates/{image}", body)["inventory"])

    volume = create(template)
    assert volume["status"] == "Ready" and volume["rootImageUuid"] == template
    volumes.attach(volume["uuid"], guest)
    disk = inside.await_disk(volume["uuid"])
    whole = host.shared / "template.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", images["qcow2"], whole], check=True)
    with open(whole, "rb") as file:
        expected = hashlib.md5(file.read(16 * MIB)).hexdigest()
    whole.unlink()
    assert inside.checksum(disk, 16) == expected
    assert refusal(lambda: create(world.image())).codes == ["SYS.1007"]


def test_a_copy_of_a_snapshot_stands_alone_with_the_content_of_then(api, host, guest, inside, volumes):
    volume = volumes.ready("source")["uuid"]
    volumes.attach(volume, guest)
    disk = inside.await_disk(volume)
    then = inside.fill(disk, 4)
    snapshot = api.run("POST", f"/volumes/{volume}/volume-snapshots", {"params": {"name": "then"}})["inventory"]["uuid"]
    assert inside.fill(disk, 4) != then
    copy = volumes.own(api.run("POST", f"/volumes/data/from/volume-snapshots/{snapshot}", {"params": {"name": "copy"}})["inventory"])
    assert copy["status"] == "Ready" and copy["size"] == 64 * MIB
    assert "backing" not in host.shell(f"qemu-img info {copy['installPath']}")
    api.run("DELETE", f"/volume-snapshots/{snapshot}")
    volumes.attach(copy["uuid"], guest)
    assert inside.checksum(inside.await_disk(copy["uuid"]), 4) == then
    layers = volumes.act(volume, "syncVolumeSize")["actualSize"]
    assert layers >= 4 * MIB


# --- the end of volumes ---

def test_a_deleted_volume_comes_back_as_it_was_or_goes_for_good(api, host, guest, inside, volumes):
    volume = volumes.create("going")["uuid"]
    volumes.attach(volume, guest)
    written = inside.fill(inside.await_disk(volume), 4)
    assert volumes.delete(volume) == {}
    assert inside.disk(volume) is None and volumes.get(volume)["status"] == "Deleted"
    assert refusal(lambda: volumes.attach(volume, guest)).codes == ["SYS.1006"]
    assert refusal(lambda: volumes.delete(volume)).codes == ["SYS.1006"]
    assert volumes.act(volume, "recoverDataVolume")["status"] == "Ready"
    volumes.attach(volume, guest)
    assert inside.checksum(inside.await_disk(volume), 4) == written
    assert refusal(lambda: volumes.act(volume, "expungeDataVolume")).codes[0] == "SYS.1006"
    volumes.delete(volume)
    assert volumes.act(volume, "expungeDataVolume") == {}
    assert api.query("/volumes", f"uuid={volume}") == [] and files_of(host, volume) == []
    assert volumes.delete(volume) == {}, "what is not there is a success"


def test_names_formats_and_capabilities(api, volumes):
    volume = volumes.ready("old")["uuid"]
    assert volumes.act(volume, "updateVolume", name="new", description="d")["name"] == "new"
    assert {one["format"] for one in api.get("/volumes/formats")["formats"]} == {"qcow2", "raw", "vmdk", "iso"}
    assert set(api.get(f"/volumes/{volume}/capabilities")["capabilities"]) == {"MigrationInCurrentPrimaryStorage",
                                                                             "MigrationToOtherPrimaryStorage"}


# --- faults ---

def settled(own, volume, job, expected):
    """One answer for the job, and what it says is so: attached to the VM `expected` names, or to none."""
    answer = job.answer(90, through_restarts=True)
    assert answer.status in (200, 503), answer
    assert job.poll().body == answer.body
    attached = own.api.only("/volumes", f"uuid={volume}").get("vmInstanceUuid")
    if answer.status == 200:
        assert attached == expected, answer
    own.agrees(10)
    return attached


@pytest.mark.slow
def test_a_kill_of_the_agent_while_it_plugs_and_unplugs_leaves_one_truth(own_host):
    own = own_host(CONFIG + "\n[volume]\nexpunge_after = 1\n")
    volumes = own_volumes(own)
    vm = own.world.create("plugged")["uuid"]
    volume = volumes.create("traveller")["uuid"]
    guest = Inside(own.host, vm)
    volumes.attach(volume, vm)
    written = guest.fill(guest.await_disk(volume), 4)
    attached = vm
    for after_ms in (0, 8, 20, 40, 80, 120, 200, 300):
        if attached:
            job = own.api.submit("DELETE", f"/volumes/{volume}/vm-instances")
        else:
            job = own.api.submit("POST", f"/volumes/{volume}/vm-instances/{vm}")
        time.sleep(after_ms / 1000)
        own.host.kill("agent")
        attached = settled(own, volume, job, None if attached else vm)
    if not attached:
        volumes.attach(volume, vm)
    assert guest.checksum(guest.await_disk(volume), 4) == written

    # Files that a first attachment makes, and the copy of a snapshot.
    for after_ms in (0, 15, 40):
        fresh = volumes.create("fresh")["uuid"]
        job = own.api.submit("POST", f"/volumes/{fresh}/vm-instances/{vm}")
        time.sleep(after_ms / 1000)
        own.host.kill("agent")
        settled(own, fresh, job, vm)
        assert own.api.only("/volumes", f"uuid={fresh}")["status"] in ("Ready", "NotInstantiated")

    volumes.delete(volume)
    wait_for(lambda: own.api.query("/volumes", f"uuid={volume}") == [], 15, "the deleted volume to expire", 0.2)
    assert files_of(own.host, volume) == []
    own.agrees(10)


def test_a_full_storage_leaves_the_volume_without_a_file(own_host):
    own = own_host(CONFIG + '[primary_storage]\npath = "/var/lib/hvagent/small"\n')
    host, volumes = own.host, own_volumes(own)
    host.stop("agent")
    host.exec("mount", "-t", "tmpfs", "-o", "size=300m", "small", "/var/lib/hvagent/small")
    host.start("agent")
    vm = own.world.create("small", strategy="CreateStopped")["uuid"]
    volume = volumes.create("no room")["uuid"]
    host.shell("dd if=/dev/zero of=/var/lib/hvagent/small/filler bs=1M >/dev/null 2>&1; true")
    assert "PS.1000" in refusal(lambda: volumes.attach(volume, vm)).codes
    assert volumes.get(volume)["status"] == "NotInstantiated" and "primaryStorageUuid" not in volumes.get(volume)
    uuid = new_uuid()
    assert "PS.1000" in refusal(lambda: volumes.ready("no room", resourceUuid=uuid)).codes
    assert own.api.query("/volumes", f"uuid={uuid}") == []
    assert host.shell(f"find /var/lib/hvagent/small -name '*{volume}*' -o -name '*{uuid}*'") == ""
    host.exec("rm", "/var/lib/hvagent/small/filler")
    assert volumes.attach(volume, vm)["status"] == "Ready"
    own.agrees()
