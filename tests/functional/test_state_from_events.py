"""The inventory follows libvirt, whoever caused the change."""
import os
import time

import pytest

from client import ApiError
from lab import wait_for

LATEST_MS = 1000
KILLS = int(os.environ.get("HVAGENT_LIBVIRTD_KILLS", "12"))


def follows(api, vm, expected, cause):
    """Runs `cause`, then waits for the state in the inventory; returns the milliseconds since libvirt had done it."""
    cause()
    began = time.monotonic()
    wait_for(lambda: api.state(vm) in expected, 10, lambda: f"{vm} should be {expected}, is {api.state(vm)}", 0.001)
    took_ms = (time.monotonic() - began) * 1000
    print(f"inventory shows {api.state(vm)} {took_ms:.1f} ms after libvirt")
    return took_ms


def test_the_inventory_follows_what_is_done_by_hand(api, host, vms):
    vm = vms.create("by hand")["uuid"]
    domain = host.domain(vm)
    took = [follows(api, vm, ["Paused"], domain.suspend), follows(api, vm, ["Running"], domain.resume),
            follows(api, vm, ["Stopped"], domain.destroy), follows(api, vm, ["Running"], domain.create)]
    assert max(took) < LATEST_MS, took
    assert api.vm(vm)["hostUuid"] == vms.world.host


def test_a_guest_that_powers_off_by_itself_is_stopped(api, host, guest):
    host.domain(guest).shutdown()
    wait_for(lambda: not host.domain(guest).isActive(), 20, "the guest off", 0.001)
    assert follows(api, guest, ["Stopped"], lambda: None) < LATEST_MS
    assert "hostUuid" not in api.vm(guest)


def test_a_killed_qemu_is_told_as_it_is(api, host, vms):
    vm = vms.create("to be killed")["uuid"]
    host.signal_qemu(vm, "KILL")
    assert follows(api, vm, ["Crashed", "Stopped"], lambda: None) < LATEST_MS + 500
    assert api.act(vm, "startVmInstance")["state"] == "Running"


@pytest.mark.slow
def test_a_silent_libvirt_is_unknown_and_right_again_when_it_returns(api, host, vms):
    vms_ = {"Running": vms.create("runs")["uuid"], "Paused": vms.create("paused")["uuid"], "Stopped": vms.create("off", strategy="CreateStopped")["uuid"]}
    api.act(vms_["Paused"], "pauseVmInstance")
    host.stop("libvirtd")
    try:
        wait_for(lambda: api.state(vms_["Running"]) == "Unknown", 5, "Unknown")
        assert api.state(vms_["Paused"]) == "Unknown"
        assert api.state(vms_["Stopped"]) in ("Stopped", "Unknown")
        assert api.send("GET", "/hvagent/v1/health").status == 200
        ready = api.send("GET", "/hvagent/v1/ready")
        assert ready.status == 503 and "libvirt" in ready.text
    finally:
        host.start("libvirtd")
    began = time.monotonic()
    wait_for(lambda: all(api.state(vm) == state for state, vm in vms_.items()), 15,
             lambda: str({state: api.state(vm) for state, vm in vms_.items()}))
    print(f"right again {time.monotonic() - began:.2f} s after libvirtd listened")
    assert time.monotonic() - began < 3
    wait_for(lambda: api.send("GET", "/hvagent/v1/ready").status == 200, 2, "readiness")


@pytest.mark.slow
def test_what_happened_while_libvirt_or_the_daemon_was_down_is_found_out(api, host, vms):
    crashed, off = vms.create("dies meanwhile")["uuid"], vms.create("stops meanwhile")["uuid"]
    host.stop("libvirtd")
    host.exec("kill", "-KILL", host.qemu_pid(crashed))
    host.start("libvirtd")
    wait_for(lambda: api.state(crashed) in ("Stopped", "Crashed"), 15, lambda: api.state(crashed))
    assert api.state(off) == "Running"
    host.stop("agent")
    host.domain(off).destroy()
    host.start("agent")
    wait_for(lambda: api.state(off) == "Stopped", 5, lambda: api.state(off))


@pytest.mark.slow
def test_a_killed_libvirtd_harms_no_guest(api, host, guest):
    pid = host.qemu_pid(guest)
    host.kill("libvirtd")
    wait_for(lambda: host.try_connect(), 15, "libvirtd")
    wait_for(lambda: api.state(guest) == "Running", 10, lambda: api.state(guest))
    assert host.qemu_pid(guest) == pid
    assert api.act(guest, "pauseVmInstance")["state"] == "Paused"


@pytest.mark.slow
def test_a_libvirtd_that_is_killed_again_and_again_leaves_no_wrong_state(api, host, vms):
    runs, paused, dies = (vms.create(name)["uuid"] for name in ("runs through", "paused through", "dies now and then"))
    api.act(paused, "pauseVmInstance")
    took_s = []
    for number in range(KILLS):
        if api.state(dies) != "Running":
            api.act(dies, "startVmInstance")
        pid = host.qemu_pid(dies)
        host.kill("libvirtd")
        if number % 3 == 2:
            host.exec("kill", "-KILL", pid)
        expected = {runs: ["Running"], paused: ["Paused"], dies: ["Crashed", "Stopped"] if number % 3 == 2 else ["Running"]}
        host.libvirt.getLibVersion()  # it is back
        began = time.monotonic()
        wait_for(lambda: all(api.state(vm) in states for vm, states in expected.items()), 60, lambda: str({vm: api.state(vm) for vm in expected}))
        took_s.append(time.monotonic() - began)
    print(f"right again after libvirtd's return: {[round(one, 2) for one in took_s]} s")


FOREIGN = """<domain type='qemu'><name>{name}</name>{uuid}<memory unit='MiB'>32</memory><os><type arch='x86_64' machine='pc'>hvm</type></os>
<on_poweroff>destroy</on_poweroff></domain>"""


def test_foreign_domains_are_neither_listed_nor_touched(api, host, guest):
    look_alike = "36c27e8ff05c4780bf6d2fa657001111"
    dashed = f"<uuid>{look_alike[:8]}-{look_alike[8:12]}-{look_alike[12:16]}-{look_alike[16:20]}-{look_alike[20:]}</uuid>"
    foreign = [host.libvirt.defineXML(FOREIGN.format(name="somebody-elses", uuid="")),
               host.libvirt.defineXML(FOREIGN.format(name=look_alike, uuid=dashed))]
    try:
        for domain in foreign:
            domain.create()
        before = {domain.name(): domain.XMLDesc() for domain in foreign}
        assert api.find_vm(look_alike) is None
        for action in ("stopVmInstance", "startVmInstance", "expungeVmInstance"):
            with pytest.raises(ApiError):
                api.act(look_alike, action)
        assert api.destroy(look_alike) == {}  # not there, as far as the API is concerned
        host.restart("agent")
        assert {vm["uuid"] for vm in api.query("/vm-instances")}.isdisjoint({look_alike, foreign[0].UUIDString().replace("-", "")})
        assert {domain.name(): domain.XMLDesc() for domain in foreign} == before
        with pytest.raises(ApiError) as refused:
            api.run("POST", "/vm-instances", {"params": {"name": "same uuid", "resourceUuid": look_alike, "cpuNum": 1, "memorySize": 64 << 20,
                                                         "imageUuid": api.vm(guest)["imageUuid"], "hostUuid": api.vm(guest)["hostUuid"]}})
        assert refused.value.codes
        assert api.find_vm(look_alike) is None
        assert {domain.name(): domain.XMLDesc() for domain in foreign} == before
    finally:
        for domain in foreign:
            if domain.isActive():
                domain.destroy()
            domain.undefine()
