"""The life of a VM, with a real guest inside."""
import time
import xml.etree.ElementTree as ElementTree

import pytest

from client import ApiError, new_uuid
from conftest import MIB, STOP_GRACE_S
from lab import wait_for


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


@pytest.mark.slow
def test_a_vm_lives_its_whole_life(api, host, world):
    vm = world.create("whole life")
    uuid = vm["uuid"]
    assert vm["state"] == "Running" and vm["hostUuid"] == world.host
    assert (vm["cpuNum"], vm["memorySize"], vm["imageUuid"]) == (1, 256 * MIB, world.image())
    assert host.domain(uuid).isActive()
    said = host.guest_says(uuid, "GUEST-UP")
    assert api.only("/vm-instances", f"uuid={uuid}", "state=Running")["name"] == "whole life"

    stopped = api.start_action(uuid, "stopVmInstance", type="grace").wait()
    assert stopped["inventory"]["state"] == "Stopped" and stopped["stoppedBy"] in ("guestAgent", "acpi")
    assert "hostUuid" not in stopped["inventory"] and stopped["inventory"]["lastHostUuid"] == world.host
    assert not host.domain(uuid).isActive()

    assert api.act(uuid, "startVmInstance")["state"] == "Running"
    said = host.guest_says(uuid, "GUEST-UP", said)

    assert api.act(uuid, "pauseVmInstance")["state"] == "Paused"
    assert host.domain(uuid).info()[0] == 3
    assert api.act(uuid, "resumeVmInstance")["state"] == "Running"

    assert api.act(uuid, "rebootVmInstance")["state"] == "Running"
    host.guest_says(uuid, "GUEST-UP", said)

    cold = api.start_action(uuid, "stopVmInstance", type="cold").wait()
    assert (cold["inventory"]["state"], cold["stoppedBy"]) == ("Stopped", "powerOff")

    root = vm["allVolumes"][0]["installPath"]
    assert api.destroy(uuid) == {}
    assert api.state(uuid) == "Destroyed" and not host.has_domain(uuid)
    recovered = api.act(uuid, "recoverVmInstance")
    assert recovered["state"] == "Stopped" and recovered["allVolumes"][0]["installPath"] == root
    assert api.act(uuid, "startVmInstance")["state"] == "Running"
    assert api.destroy(uuid) == {}
    assert api.act(uuid, "expungeVmInstance") == {}
    assert api.find_vm(uuid) is None and not host.has_file(root)


def test_a_graceful_stop_is_heard_by_the_guest_agent(api, host, guest):
    wait_for(lambda: agent_answers(host, guest), 10, "the guest agent")
    stopped = api.start_action(guest, "stopVmInstance").wait()
    assert stopped["stoppedBy"] == "guestAgent"


def agent_answers(host, vm):
    xml = ElementTree.fromstring(host.xml(vm))
    return any(target.get("state") == "connected" for target in xml.findall("devices/channel/target"))


def test_a_deaf_guest_is_powered_off_when_the_grace_is_over(api, host, vms):
    vm = vms.create("deaf", "deaf_qcow2")["uuid"]
    host.guest_says(vm, "GUEST-UP")
    began = time.monotonic()
    stopped = api.start_action(vm, "stopVmInstance", type="grace").wait()
    took = time.monotonic() - began
    assert (stopped["inventory"]["state"], stopped["stoppedBy"]) == ("Stopped", "powerOff")
    assert STOP_GRACE_S - 0.5 <= took < STOP_GRACE_S + 4
    assert api.start_action(vm, "stopVmInstance").wait()["inventory"]["state"] == "Stopped"


def test_a_guest_without_an_agent_is_stopped_by_its_power_button(api, host, guest):
    wait_for(lambda: agent_answers(host, guest), 10, "the guest agent")
    silence = '{"execute":"guest-exec","arguments":{"path":"/bin/sh","arg":["-c","pkill -f \\"la[b] agent\\"; killall qemu-ga"]}}'
    host.exec("virsh", "qemu-agent-command", guest, silence, check=False)
    wait_for(lambda: not agent_answers(host, guest), 10, "the end of the guest agent")
    stopped = api.start_action(guest, "stopVmInstance").wait()
    assert stopped["stoppedBy"] == "acpi"


def test_a_stop_while_the_guest_boots_still_ends_within_the_grace(api, vms):
    vm = vms.create("booting")["uuid"]
    began = time.monotonic()
    stopped = api.start_action(vm, "stopVmInstance").wait()
    assert stopped["inventory"]["state"] == "Stopped"
    assert time.monotonic() - began < STOP_GRACE_S + 4


def test_a_paused_vm_is_powered_off_at_once(api, guest):
    api.act(guest, "pauseVmInstance")
    began = time.monotonic()
    stopped = api.start_action(guest, "stopVmInstance", type="grace").wait()
    assert stopped["stoppedBy"] == "powerOff" and time.monotonic() - began < STOP_GRACE_S - 1


# --- in the wrong state ---

@pytest.mark.parametrize("action, outer", [("resumeVmInstance", "VM.1013"), ("recoverVmInstance", "SYS.1006"), ("expungeVmInstance", "SYS.1006")])
def test_what_a_running_vm_does_not_allow_is_refused_with_vm_1010(api, guest, action, outer):
    refused = refusal(lambda: api.act(guest, action))
    assert refused.codes[0] == outer and refused.codes[-1] == "VM.1010"
    assert "Running" in refused.reason
    assert api.state(guest) == "Running"


@pytest.mark.parametrize("action, outer", [("pauseVmInstance", "VM.1012"), ("resumeVmInstance", "VM.1013"), ("rebootVmInstance", "VM.1003")])
def test_what_a_stopped_vm_does_not_allow_is_refused_with_vm_1010(api, vms, action, outer):
    vm = vms.create("stopped", strategy="CreateStopped")["uuid"]
    refused = refusal(lambda: api.act(vm, action))
    assert refused.codes[0] == outer and refused.codes[-1] == "VM.1010"
    assert api.state(vm) == "Stopped"


def test_starting_what_runs_and_stopping_what_is_stopped_change_nothing(api, host, guest, vms):
    pid = host.qemu_pid(guest)
    assert api.act(guest, "startVmInstance")["state"] == "Running"
    assert host.qemu_pid(guest) == pid
    vm = vms.create("stopped", strategy="CreateStopped")["uuid"]
    assert api.act(vm, "stopVmInstance")["state"] == "Stopped"


def test_an_unknown_type_of_stop_is_refused_and_the_vm_runs_on(api, guest):
    refused = refusal(lambda: api.act(guest, "stopVmInstance", type="gently"))
    assert refused.codes[-1] == "SYS.1007" and "type" in refused.reason
    assert api.state(guest) == "Running"


# --- size and name ---

def test_a_stopped_vm_takes_its_new_size_at_the_next_start(api, host, vms):
    vm = vms.create("small", strategy="CreateStopped")["uuid"]
    api.act(vm, "updateVmInstance", name="big", description="grown", cpuNum=2, memorySize=320 * MIB)
    started = api.act(vm, "startVmInstance")
    assert (started["name"], started["description"], started["cpuNum"], started["memorySize"]) == ("big", "grown", 2, 320 * MIB)
    _, memory_kib, _, cpus, _ = host.domain(vm).info()
    assert (cpus, memory_kib) == (2, 320 * 1024)


def test_empty_fields_of_generated_clients_mean_not_given(api, guest):
    before = api.vm(guest)
    sent = {"uuid": "", "name": "renamed", "description": "", "state": "", "platform": "", "cpuNum": 0, "memorySize": 0,
            "defaultL3NetworkUuid": None}
    after = api.act(guest, "updateVmInstance", **sent)
    assert after["name"] == "renamed" and (after["cpuNum"], after["memorySize"]) == (before["cpuNum"], before["memorySize"])


def test_a_running_vm_is_not_resized_and_says_why(api, guest):
    refused = refusal(lambda: api.act(guest, "updateVmInstance", memorySize=512 * MIB))
    assert refused.codes[-1] == "SYS.1007" and "hotplug" in refused.reason


def test_a_change_of_offering_is_taken_by_a_stopped_vm(api, vms):
    offering = api.run("POST", "/instance-offerings", {"params": {"name": "two", "cpuNum": 2, "memorySize": 300 * MIB}})["inventory"]
    vm = vms.create("offered", strategy="CreateStopped")["uuid"]
    changed = api.act(vm, "changeInstanceOffering", instanceOfferingUuid=offering["uuid"])
    assert (changed["cpuNum"], changed["memorySize"], changed["instanceOfferingUuid"]) == (2, 300 * MIB, offering["uuid"])
    api.run("DELETE", f"/instance-offerings/{offering['uuid']}")


def test_what_could_be_done_is_told(api, world, guest, vms):
    assert set(api.get(f"/vm-instances/{guest}/capabilities")["capabilities"].values()) <= {True, False}
    stopped = vms.create("candidate", strategy="CreateStopped")["uuid"]
    places = api.get(f"/vm-instances/{stopped}/starting-target-hosts")
    assert [place["uuid"] for place in places["hosts"]] == [world.host]
    assert [place["uuid"] for place in places["clusters"]] == [world.cluster]
    for memory, expected in ((256 * MIB, [world.host]), (1 << 44, [])):
        places = api.get("/vm-instances/candidate-destinations",
                         {"imageUuid": world.image(), "l3NetworkUuids": [world.l3], "cpuNum": 1, "memorySize": memory})
        assert [place["uuid"] for place in places["hosts"]] == expected


# --- high availability ---

@pytest.mark.slow
def test_a_never_stop_vm_comes_back_after_its_qemu_was_killed(api, host, vms):
    vm = vms.create("phoenix", tags=["ha::NeverStop"])["uuid"]
    assert api.get(f"/vm-instances/{vm}/ha-levels") == {"level": "NeverStop"}
    killed = host.qemu_pid(vm)
    host.signal_qemu(vm, "KILL")
    wait_for(lambda: host.qemu_pid(vm) not in (0, killed) and api.state(vm) == "Running", 20, "the VM back")
    # The administrator's word counts: with stopHA it stays down.
    api.act(vm, "stopVmInstance", type="cold", stopHA="true")
    time.sleep(3)
    assert api.state(vm) == "Stopped"


def test_a_vm_without_a_level_stays_down_after_its_qemu_was_killed(api, host, vms):
    vm = vms.create("mortal")["uuid"]
    host.signal_qemu(vm, "KILL")
    wait_for(lambda: api.state(vm) in ("Stopped", "Crashed"), 5, "the truth")
    time.sleep(2.5)
    assert api.state(vm) in ("Stopped", "Crashed")


def test_the_level_can_be_set_read_and_removed(api, guest):
    assert api.get(f"/vm-instances/{guest}/ha-levels") == {}
    assert api.run("POST", f"/vm-instances/{guest}/ha-levels", {"params": {"level": "NeverStop"}}) == {}
    assert api.get(f"/vm-instances/{guest}/ha-levels") == {"level": "NeverStop"}
    assert api.query("/vm-instances", "__systemTag__=ha::NeverStop")[0]["uuid"] == guest
    assert api.run("DELETE", f"/vm-instances/{guest}/ha-levels") == {}
    assert api.get(f"/vm-instances/{guest}/ha-levels") == {}


# --- the end ---

@pytest.mark.slow
def test_a_destroyed_vm_is_expunged_when_its_time_is_over(own_host):
    own = own_host("[vm]\nexpunge_after = 2\n")
    vm = own.world.create("short-lived", strategy="CreateStopped")
    root = vm["allVolumes"][0]["installPath"]
    assert own.host.has_file(root)
    own.api.destroy(vm["uuid"])
    assert own.api.state(vm["uuid"]) == "Destroyed"
    wait_for(lambda: own.api.find_vm(vm["uuid"]) is None, 10, "the end of the VM")
    assert not own.host.has_file(root)
    own.agrees()


def test_direct_deletion_leaves_nothing_to_recover(own_host):
    own = own_host('[vm]\ndeletion_policy = "Direct"\n')
    vm = own.world.create("direct")["uuid"]
    own.api.destroy(vm)
    assert own.api.find_vm(vm) is None
    own.agrees()


def test_the_same_uuid_is_not_given_twice(api, vms):
    wished = new_uuid()[:12] + "4" + new_uuid()[13:16] + "8" + new_uuid()[17:]
    vms.own(wished)
    assert vms.world.create("first", resourceUuid=wished, strategy="JustCreate")["uuid"] == wished
    refused = refusal(lambda: vms.world.create("second", resourceUuid=wished, strategy="JustCreate"))
    assert wished in refused.reason
    assert api.vm(wished)["name"] == "first"
