"""ISOs in the drives of running, paused and stopped VMs, as their guests see them; what a VM boots from."""
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest

from client import ApiError
from conftest import MIB
from inside import Inside
from lab import wait_for
from test_faults import answers_once

PC = "vmMachineType::pc"  # the guest's kernel drives IDE, but no AHCI


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def attach(api, vm, iso, tags=()):
    return api.run("POST", f"/vm-instances/{vm}/iso/{iso}", {"systemTags": list(tags)})["inventory"]


def detach(api, vm, iso=None):
    return api.run("DELETE", f"/vm-instances/{vm}/iso", query={"isoUuid": iso} if iso else None)["inventory"]


def media(host, vm):
    """What libvirt has in the drives, the first drive first; None: nothing."""
    found = {}
    for disk in ElementTree.fromstring(host.xml(vm)).findall("devices/disk[@device='cdrom']"):
        source = disk.find("source")
        found[disk.find("target").get("dev")] = None if source is None else source.get("file")
    return [found[name] for name in sorted(found, reverse=True)]


@pytest.fixture(scope="session")
def second_iso(world, host):
    """Says "second" in label.txt."""
    directory = host.shared / "second"
    directory.mkdir(exist_ok=True)
    (directory / "label.txt").write_text("second\n")
    path = host.shared / "second.iso"
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-J", "-R", "-o", path, directory], check=True, capture_output=True)
    return world.add_image("second", f"file://{path}", format="iso", mediaType="ISO")["uuid"]


@pytest.fixture(scope="module")
def shared_pc(world, host):
    vm = world.create("cd guest", tags=[PC, "cdroms::Empty::Empty"])["uuid"]
    yield vm
    world.remove(vm)


@pytest.fixture
def pc(api, host, shared_pc):
    """A running VM with two empty drives that its guest sees as sr0 and sr1."""
    yield shared_pc
    for drive in api.vm(shared_pc)["vmCdRoms"]:
        if "isoUuid" in drive:
            detach(api, shared_pc, drive["isoUuid"])


MOUNT = "mount -t iso9660 -o ro $d /run/cd 2>/dev/null"
READ = ("mkdir -p /run/cd; for i in $(seq 20); do for d in /dev/sr*; do " + MOUNT +
        " && { cat /run/cd/label.txt; AFTER exit 0; }; done; sleep 0.1; done; echo nothing")
LOOK = READ.replace("AFTER", "umount /run/cd;")
KEEP_MOUNTED = READ.replace("AFTER", "")
NO_MEDIUM = ("mkdir -p /run/cd; for i in $(seq 50); do n=0; for d in /dev/sr*; do " + MOUNT +
             " && { n=1; umount /run/cd; }; done; [ $n = 0 ] && exit 0; sleep 0.1; done; exit 1")


def test_the_guest_of_a_running_vm_sees_an_iso_come_and_go(api, host, world, pc):
    inside = Inside(host, pc)
    iso = world.image("iso")
    shown = attach(api, pc, iso)
    first, second = sorted(shown["vmCdRoms"], key=lambda drive: drive["deviceId"])
    assert first["isoUuid"] == iso and "isoUuid" not in second
    assert media(host, pc) == [first["isoInstallPath"], None]
    assert inside.sh(LOOK) == "lab guest"
    refused = refusal(lambda: attach(api, pc, iso))
    assert refused.codes[0] == "SYS.1006" and "already" in refused.reason
    shown = detach(api, pc)
    assert not any("isoUuid" in drive for drive in shown["vmCdRoms"])
    assert media(host, pc) == [None, None]
    inside.sh(NO_MEDIUM)
    detach(api, pc)  # not attached is a success


def test_two_drives_hold_two_isos(api, host, world, pc, second_iso):
    inside = Inside(host, pc)
    first = world.image("iso")
    drives = sorted(api.vm(pc)["vmCdRoms"], key=lambda drive: drive["deviceId"])
    attach(api, pc, second_iso, [f"cdromUuid::{drives[1]['uuid']}"])
    assert inside.sh(LOOK) == "second"
    assert media(host, pc)[0] is None
    attach(api, pc, first)
    assert None not in media(host, pc)
    assert refusal(lambda: detach(api, pc)).codes[0] == "SYS.1006"
    shown = detach(api, pc, second_iso)
    assert [drive.get("isoUuid") for drive in sorted(shown["vmCdRoms"], key=lambda drive: drive["deviceId"])] == [first, None]
    assert inside.sh(LOOK) == "lab guest"


def test_a_tray_that_the_guest_has_locked_is_opened_by_force(api, host, world, pc):
    inside = Inside(host, pc)
    attach(api, pc, world.image("iso"))
    assert inside.sh(KEEP_MOUNTED) == "lab guest"
    began = time.monotonic()
    detach(api, pc)
    assert time.monotonic() - began < 15
    assert media(host, pc) == [None, None]
    inside.sh("umount /run/cd || umount -l /run/cd")


def test_a_paused_vm_gets_and_loses_an_iso(api, host, world, pc):
    inside = Inside(host, pc)
    api.act(pc, "pauseVmInstance")
    attach(api, pc, world.image("iso"))
    api.act(pc, "resumeVmInstance")
    assert inside.sh(LOOK) == "lab guest"
    api.act(pc, "pauseVmInstance")
    detach(api, pc)
    api.act(pc, "resumeVmInstance")
    assert media(host, pc) == [None, None]
    inside.sh(NO_MEDIUM)


def test_an_iso_given_to_a_stopped_vm_is_there_when_it_starts(api, host, world, vms):
    vm = vms.create("later", strategy="CreateStopped", tags=[PC])["uuid"]
    iso = world.image("iso")
    assert attach(api, vm, iso)["vmCdRoms"][0]["isoUuid"] == iso
    api.act(vm, "startVmInstance")
    assert Inside(host, vm).sh(LOOK) == "lab guest"


def test_candidates_both_ways(api, world, pc, second_iso, vms):
    first = world.image("iso")
    def isos(vm):
        return {image["uuid"] for image in api.get(f"/vm-instances/{vm}/iso-candidates")["inventories"]}
    def of(iso):
        return {vm["uuid"] for vm in api.get(f"/images/iso/{iso}/vm-candidates")["inventories"]}
    recorded = vms.create("recorded", strategy="JustCreate")["uuid"]
    assert {first, second_iso} <= isos(pc)
    assert pc in of(first) and recorded not in of(first)
    attach(api, pc, first)
    assert first not in isos(pc) and second_iso in isos(pc)
    assert isos(recorded) == set()
    assert refusal(lambda: api.get(f"/images/iso/{world.image()}/vm-candidates")).codes[-1] == "SYS.1007"
    assert refusal(lambda: attach(api, pc, world.image())).codes[-1] == "SYS.1007"


def test_drives_as_the_creation_wants_them(api, host, world, second_iso, vms):
    vm = vms.create("drives", tags=[f"cdroms::Empty::{second_iso}::Empty", PC])
    path = vm["vmCdRoms"][1]["isoInstallPath"]
    assert [drive.get("isoUuid") for drive in vm["vmCdRoms"]] == [None, second_iso, None]
    assert media(host, vm["uuid"]) == [None, path, None]
    assert Inside(host, vm["uuid"]).sh(LOOK) == "second"


# --- boot ---

def from_disk(host, vm):
    """The slow guest's disk names itself on the kernel's command line; the CD does not."""
    return "lab.acpi=slow" in Inside(host, vm).sh("cat /proc/cmdline")


def restart(api, vm):
    api.act(vm, "stopVmInstance", type="cold")
    api.act(vm, "startVmInstance")


def order(api, vm):
    return api.get(f"/vm-instances/{vm}/boot-orders")["orders"]


def test_a_vm_made_from_an_iso_boots_it_and_has_an_empty_disk(api, host, world, vms):
    offering = api.run("POST", "/disk-offerings", {"params": {"name": "root", "diskSize": 64 * MIB}})["inventory"]["uuid"]
    vm = vms.create("installer", "iso", rootDiskOfferingUuid=offering)
    assert vm["vmCdRoms"][0]["isoUuid"] == world.image("iso") and vm["allVolumes"][0]["size"] == 64 * MIB
    host.guest_says(vm["uuid"], "GUEST-UP")
    inside = Inside(host, vm["uuid"])
    assert inside.size_of("vda") == 64 * MIB
    assert inside.sh("head -c 1048576 /dev/vda | tr -d '\\0' | wc -c") == "0"


def test_one_boot_from_the_iso_and_then_from_the_disk_again(api, host, world, vms):
    vm = vms.create("rescued", "slow_qcow2", strategy="CreateStopped")["uuid"]
    assert order(api, vm) == ["HardDisk", "Network"]
    attach(api, vm, world.image("iso"))
    assert order(api, vm) == ["HardDisk", "CdRom", "Network"]
    api.run("PUT", f"/vm-instances/{vm}/actions",
            {"setVmBootOrder": {"bootOrder": ["CdRom", "HardDisk"]}, "systemTags": ["bootOrderOnce::true"]})
    assert order(api, vm) == ["CdRom", "HardDisk"]
    api.act(vm, "startVmInstance")
    assert not from_disk(host, vm)
    assert order(api, vm) == ["HardDisk", "CdRom", "Network"]
    restart(api, vm)
    assert from_disk(host, vm)


def test_a_boot_order_stays_until_it_is_changed(api, host, world, vms):
    vm = vms.create("ordered", "slow_qcow2", strategy="CreateStopped")["uuid"]
    attach(api, vm, world.image("iso"))
    api.act(vm, "setVmBootOrder", bootOrder=["CdRom", "HardDisk"])
    api.act(vm, "startVmInstance")
    assert not from_disk(host, vm)
    assert order(api, vm) == ["CdRom", "HardDisk"]
    api.act(vm, "setVmBootOrder")
    assert order(api, vm) == ["HardDisk", "CdRom", "Network"]
    assert refusal(lambda: api.act(vm, "setVmBootOrder", bootOrder=["Floppy"])).codes[-1] == "SYS.1007"


# --- faults ---

@pytest.mark.slow
@pytest.mark.parametrize("after_ms", [0, 20, 60])
def test_an_attach_and_a_detach_interrupted_by_a_kill_are_finished(own_host, after_ms):
    own = own_host()
    vm = own.world.create("interrupted", tags=["cdroms::Empty::Empty"])["uuid"]
    iso = own.world.image("iso")
    for submit in (lambda: own.api.submit("POST", f"/vm-instances/{vm}/iso/{iso}"),
                   lambda: own.api.submit("DELETE", f"/vm-instances/{vm}/iso")):
        job = submit()
        time.sleep(after_ms / 1000)
        own.host.kill("agent")
        assert answers_once(job).status == 200
        wait_for(own.host.listens, 10, "the agent")
        drives = own.api.vm(vm)["vmCdRoms"]
        assert media(own.host, vm) == [drive.get("isoInstallPath") for drive in drives]
    assert media(own.host, vm) == [None, None]
    own.agrees()
