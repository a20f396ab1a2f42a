"""A watchdog that fires is told as such: neither a reboot by the guest nor a crash."""
import json

import pytest

from client import ApiError
from conftest import MIB
from inside import Inside
from lab import wait_for

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def guest_image(host, world):
    """The cloud kernel, which other tests run, knows no watchdog."""
    built = host.lab.run("image", "--kernel", "generic", check=False, timeout=600)
    if built.returncode:
        pytest.skip(f"the guest with the generic kernel cannot be built here: {built.stderr.strip()[-300:]}")
    return world.add_image("generic", f"file://{json.loads(built.stdout)['qcow2']}")["uuid"]


def create(vms, image, action):
    return vms.create(f"watched, {action}", image, tags=[f"watchdog::{action}"], memorySize=512 * MIB)["uuid"]


def starve(host, vm):
    """The guest arms its watchdog, and feeds it no more."""
    inside = Inside(host, vm)
    inside.sh("for i in $(seq 100); do [ -c /dev/watchdog ] && break; sleep 0.1; done; [ -c /dev/watchdog ]")
    inside.sh("(sleep 1; exec watchdog -F -T 2 -t 600 /dev/watchdog) >/dev/null 2>&1 &")


def events_of(controller, vm):
    return [(one["event"], one.get("details", "")) for body in controller.bodies() if body["kind"] == "hostEvents"
            for one in body["events"] if one.get("vmUuid") == vm and not one["event"].startswith("VmGuestAgent")]


def await_fired(controller, vm):
    wait_for(lambda: any(name == "VmWatchdogFired" for name, _ in events_of(controller, vm)), 60, lambda: str(events_of(controller, vm)))


def test_a_watchdog_pauses_its_guest(api, host, world, vms, controller, guest_image):
    vm = create(vms, guest_image, "pause")
    starve(host, vm)
    await_fired(controller, vm)
    controller.wait_state(world.host, vm, "Paused")
    assert events_of(controller, vm) == [("VmWatchdogFired", "paused")]
    with controller.lock:
        assert controller.hosts[world.host].vms[vm]["reason"] == "watchdog"
    api.act(vm, "stopVmInstance", type="cold")


def test_a_reset_by_the_watchdog_is_no_reboot_by_the_guest(api, host, world, vms, controller, guest_image):
    vm = create(vms, guest_image, "reset")
    host.guest_says(vm, "GUEST-UP")
    mark = len(host.serial(vm))
    starve(host, vm)
    await_fired(controller, vm)
    host.guest_says(vm, "GUEST-UP", mark)
    assert events_of(controller, vm) == [("VmWatchdogFired", "reset")]
    mark = len(host.serial(vm))
    Inside(host, vm).sh("(sleep 1; lab reboot) >/dev/null 2>&1 &")
    host.guest_says(vm, "GUEST-UP", mark)
    assert events_of(controller, vm) == [("VmWatchdogFired", "reset"), ("VmRebootedByGuest", "rebooted by guest")]
    assert api.state(vm) == "Running"


def test_a_guest_that_its_watchdog_powered_off_has_not_crashed_by_itself(api, host, world, vms, controller, guest_image):
    vm = create(vms, guest_image, "poweroff")
    starve(host, vm)
    await_fired(controller, vm)
    controller.wait_state(world.host, vm, "Crashed")
    with controller.lock:
        assert controller.hosts[world.host].vms[vm]["reason"] == "watchdog"
    api.act(vm, "startVmInstance")
    host.signal_qemu(vm, "KILL")
    wait_for(lambda: len(events_of(controller, vm)) > 1, 10, "the crash")
    assert events_of(controller, vm) == [("VmWatchdogFired", "powered off"), ("VmCrashed", "crashed")]


def test_a_vm_without_the_tag_has_no_watchdog_and_a_wrong_one_is_refused(api, host, guest, world):
    assert "<watchdog" not in host.domain(guest).XMLDesc()
    with pytest.raises(ApiError) as refused:
        world.create("wrongly watched", tags=["watchdog::explode"])
    assert "watchdog::reset|poweroff|pause|inject-nmi|none" in refused.value.details
