"""A VM whose storage fails: paused with a reason, told to controllers, resumed when the storage works again, as its policy says."""
import pytest

from client import new_uuid
from conftest import CONFIG, MIB
from controllers import Controller, connect
from inside import Inside
from lab import wait_for

PATIENCE_S = 60
SETTINGS = CONFIG + """io_error_first_delay = 1
io_error_longest_delay = 2
io_error_room = 2097152

[storage]
check_interval = 1
full_percent = 80
"""


class SmallStorage:
    """A primary storage of 24 MiB, and a disk of 64 MiB on it that the guest of `vm` has."""

    def __init__(self, own):
        self.own, self.host, api = own, own.host, own.api
        self.path = f"/var/lib/hvagent/small-{new_uuid()[:6]}"
        self.host.exec("mkdir", self.path)
        self.host.exec("mount", "-t", "tmpfs", "-o", "size=24m", "small", self.path)
        params = {"name": "small", "url": self.path, "zoneUuid": own.world.zone}
        self.uuid = api.run("POST", "/primary-storage/local-storage", {"params": params})["inventory"]["uuid"]
        api.run("POST", f"/clusters/{own.world.cluster}/primary-storage/{self.uuid}")
        self.vm = own.world.create("on thin ice")["uuid"]
        disk = {"name": "thin", "diskSize": 20 * MIB, "primaryStorageUuid": self.uuid}
        self.volume = api.run("POST", "/volumes/data", {"params": disk})["inventory"]["uuid"]
        api.run("POST", f"/volumes/{self.volume}/vm-instances/{self.vm}")
        self.inside = Inside(self.host, self.vm)
        self.disk = self.inside.await_disk(self.volume)

    def set_size(self, mib):
        self.host.exec("mount", "-o", f"remount,size={mib}m", self.path)

    def take_room(self, mib):
        self.host.shell(f"dd if=/dev/zero of={self.path}/filler bs=1M count={mib} 2>/dev/null; true")

    def write_beyond_the_end(self):
        """In the guest, for as long as it takes."""
        self.inside.sh(f"(head -c {16 * MIB} /dev/urandom >/run/written; "
                       f"dd if=/run/written of=/dev/{self.disk} bs=1M conv=fsync 2>/dev/null; echo $? >/run/ended) >/dev/null 2>&1 &")

    def await_state(self, state):
        wait_for(lambda: self.own.api.state(self.vm) == state, PATIENCE_S, lambda: f"{self.own.api.state(self.vm)}, not {state}")

    def check_what_was_written(self):
        inside = Inside(self.host, self.vm)
        wait_for(lambda: inside.sh("cat /run/ended 2>/dev/null || true") == "0", PATIENCE_S, "the end of the guest's dd", 0.2)
        assert inside.sh("md5sum </run/written") == inside.sh(f"echo 3 >/proc/sys/vm/drop_caches; head -c {16 * MIB} /dev/{self.disk} | md5sum")


def events(controller, name):
    return [event for body in controller.bodies() for event in body.get("events", []) if event["event"] == name]


def await_event(controller, name):
    wait_for(lambda: events(controller, name), PATIENCE_S, lambda: f"{name} in {[e for b in controller.bodies() for e in b.get('events', [])]}")
    return events(controller, name)[0]


def last_reason(controller, vm):
    told = [one for body in controller.bodies() for one in body.get("vms", []) if one["uuid"] == vm]
    return told[-1].get("reason")


def tag(own, policy):
    body = {"params": {"resourceType": "VmInstanceVO", "resourceUuid": own.vm, "tag": f"ioErrorPolicy::{policy}"}}
    return own.own.api.run("POST", "/system-tags", body)


@pytest.mark.slow
def test_a_vm_without_room_is_paused_and_goes_on_by_itself_when_there_is_room(own_host):
    own = own_host(SETTINGS)
    controller = Controller(own.host)
    connect(own.api, controller)
    small = SmallStorage(own)
    small.take_room(16)
    small.write_beyond_the_end()
    small.await_state("Paused")
    told = await_event(controller, "VmIoError")
    assert told["vmUuid"] == small.vm and "enospc" in told["details"]
    controller.wait_state(own.world.host, small.vm, "Paused", PATIENCE_S)
    assert last_reason(controller, small.vm) == "I/O error: no space"
    assert "small" in await_event(controller, "StorageNearlyFull")["details"]
    assert len(events(controller, "VmIoError")) < 5, "each failed request is told"

    small.set_size(128)
    small.await_state("Running")
    small.check_what_was_written()
    controller.wait_state(own.world.host, small.vm, "Running", PATIENCE_S)
    assert last_reason(controller, small.vm) == "resumed after I/O error"
    assert "small" in await_event(controller, "StorageHasRoom")["details"]
    controller.close()


@pytest.mark.slow
def test_policies_of_vms_and_the_users_own_pause_come_first(own_host):
    own = own_host(SETTINGS)
    small = SmallStorage(own)
    small.take_room(16)
    tag(small, "leave")
    with pytest.raises(Exception, match="ioErrorPolicy"):
        tag(small, "retry")
    small.write_beyond_the_end()
    small.await_state("Paused")
    small.set_size(128)
    # A VM that its user paused stays so, while the keeper looks at the storage all the time.
    other = own.world.create("paused by its user")["uuid"]
    own.api.act(other, "pauseVmInstance")
    marks = [entry for entry in own.api.query("/system-tags", f"resourceUuid={small.vm}") if entry["tag"].startswith("ioErrorPolicy")]
    assert own.api.state(small.vm) == "Paused", "it was to be left"
    own.api.run("DELETE", f"/tags/{marks[0]['uuid']}")
    small.await_state("Running")
    small.check_what_was_written()
    assert own.api.state(other) == "Paused"
    assert own.api.act(other, "resumeVmInstance", onlyAfterIoError=True)["state"] == "Paused"
    assert own.api.act(other, "resumeVmInstance")["state"] == "Running"


@pytest.mark.slow
def test_a_vm_may_be_stopped_by_its_policy(own_host):
    own = own_host(SETTINGS)
    small = SmallStorage(own)
    small.take_room(16)
    tag(small, "stop")
    small.write_beyond_the_end()
    small.await_state("Stopped")


@pytest.mark.slow
def test_a_paused_vm_is_taken_care_of_after_restarts_of_agent_and_libvirtd(own_host):
    own = own_host(SETTINGS)
    small = SmallStorage(own)
    small.take_room(16)
    small.write_beyond_the_end()
    small.await_state("Paused")
    own.host.restart("libvirtd")
    own.host.kill("agent")
    wait_for(own.host.listens, PATIENCE_S, "the agent")
    small.set_size(128)
    small.await_state("Running")
    small.check_what_was_written()


@pytest.mark.slow
def test_a_storage_that_becomes_read_only_is_told_and_its_recovery_too(own_host):
    own = own_host(SETTINGS)
    controller = Controller(own.host)
    connect(own.api, controller)
    small = SmallStorage(own)
    own.api.act(small.vm, "stopVmInstance", type="cold")
    own.host.exec("mount", "-o", "remount,ro", small.path)
    assert "small" in await_event(controller, "StorageReadOnly")["details"]
    own.host.exec("mount", "-o", "remount,rw", small.path)
    await_event(controller, "StorageRecovered")
    controller.close()


@pytest.mark.slow
def test_a_guest_that_panics_reboots_or_powers_off_is_told_apart(host, api, world, vms, controller):
    vm = vms.create("of many ends")["uuid"]
    inside = Inside(host, vm)
    mark = len(host.serial(vm))
    inside.sh("(sleep 3; reboot -f || echo b >/proc/sysrq-trigger) >/dev/null 2>&1 &")
    wait_for(lambda: [e for e in events(controller, "VmRebootedByGuest") if e["vmUuid"] == vm], PATIENCE_S, "the reboot")
    assert api.state(vm) == "Running"
    host.guest_says(vm, "GUEST-UP", mark, PATIENCE_S)
    inside = Inside(host, vm)
    if not inside.sh("modprobe -a pvpanic pvpanic_mmio 2>/dev/null; ls -d /sys/bus/platform/drivers/pvpanic*/*:* 2>/dev/null || true"):
        pytest.skip("the guest's kernel has no driver for the panic device")
    inside.sh("(sleep 3; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
    wait_for(lambda: [e for e in events(controller, "VmCrashed") if e["vmUuid"] == vm], PATIENCE_S, "the crash")
    wait_for(lambda: api.state(vm) == "Crashed", PATIENCE_S, lambda: api.state(vm))
