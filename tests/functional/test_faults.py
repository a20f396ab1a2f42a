"""The daemon killed half-way, disks full, QEMU frozen, libvirt gone: one answer for every job, and truth on the host."""
import time

import pytest

from client import ApiError
from conftest import CONFIG, MIB
from lab import wait_for
from test_images import Files


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def answers_once(job):
    """Waits for the end of the job across restarts; it must answer the same ever after."""
    first = job.answer(90, through_restarts=True)
    assert first.status in (200, 503), first
    assert job.poll().body == first.body
    return first


# --- kill -9 of the daemon ---

@pytest.mark.slow
@pytest.mark.parametrize("after_ms", [0, 60, 150, 300, 600])
def test_a_create_interrupted_by_a_kill_ends_with_one_answer_and_the_truth(own_host, after_ms):
    own = own_host()
    own.world.image()
    job = own.api.submit("POST", "/vm-instances", {"params": own.world.vm_params("interrupted", dataDiskSizes=[16 * MIB])})
    time.sleep(after_ms / 1000)
    own.host.kill("agent")
    answer = answers_once(job)
    if answer.status == 200:
        vm = answer.body["inventory"]
        assert vm["state"] == "Running" and own.api.state(vm["uuid"]) == "Running"
    else:
        assert own.api.query("/vm-instances") == []
    own.agrees()


@pytest.mark.slow
def test_a_graceful_stop_interrupted_by_a_kill_is_finished(own_host):
    own = own_host()
    vm = own.world.create("deaf", "deaf_qcow2")["uuid"]
    own.host.guest_says(vm, "GUEST-UP")
    job = own.api.start_action(vm, "stopVmInstance")
    time.sleep(1)
    own.host.kill("agent")
    answer = answers_once(job)
    assert answer.status == 200 and answer.body["inventory"]["state"] == "Stopped"
    assert own.api.state(vm) == "Stopped"
    own.agrees()


@pytest.mark.slow
def test_a_download_interrupted_by_a_kill_is_done_again_or_undone(own_host, images):
    own = own_host()
    with Files(own.host.gateway, images["qcow2"], bytes_per_s=12 * MIB) as files:
        body = {"params": {"name": "interrupted", "url": files.url, "format": "qcow2", "backupStorageUuids": [own.world.backup]}}
        job = own.api.submit("POST", "/images", body)
        assert files.started.wait(10)
        time.sleep(0.4)
        own.host.kill("agent")
        answer = answers_once(job)
    found = own.api.query("/images", "name=interrupted")
    assert [image["status"] for image in found] == (["Ready"] if answer.status == 200 else [])
    own.agrees()


@pytest.mark.slow
def test_destroy_and_expunge_interrupted_by_kills_are_finished(own_host):
    own = own_host()
    vm = own.world.create("going", dataDiskSizes=[16 * MIB])["uuid"]
    destroy = own.api.submit("DELETE", f"/vm-instances/{vm}")
    time.sleep(0.05)
    own.host.kill("agent")
    assert answers_once(destroy).status == 200
    assert own.api.state(vm) == "Destroyed"
    expunge = own.api.start_action(vm, "expungeVmInstance")
    own.host.kill("agent")
    assert answers_once(expunge).status == 200
    assert own.api.find_vm(vm) is None
    own.agrees()


def test_a_daemon_that_keeps_being_killed_gives_up_a_job_rather_than_trying_for_ever(own_host):
    own = own_host()
    vm = own.world.create("deaf", "deaf_qcow2")["uuid"]
    own.host.guest_says(vm, "GUEST-UP")
    job = own.api.start_action(vm, "stopVmInstance")
    for _ in range(4):
        time.sleep(0.4)
        own.host.kill("agent")
        wait_for(lambda: own.host.listens(), 10, "the agent")
    answers_once(job)
    own.agrees()


# --- storage ---

@pytest.mark.slow
def test_a_full_disk_during_create_leaves_nothing_behind(own_host):
    own = own_host(CONFIG + '[primary_storage]\npath = "/var/lib/hvagent/small"\n')
    host = own.host
    own.world.image()
    host.stop("agent")
    host.exec("mount", "-t", "tmpfs", "-o", "size=16m", "small", "/var/lib/hvagent/small")
    host.start("agent")
    refused = refusal(lambda: own.world.create("no room"))
    assert refused.codes[0] == "SYS.1006" or refused.codes[0].startswith(("VM.", "PS."))
    assert "space" in refused.reason.lower() or "capacity" in refused.reason.lower() or "PS.1000" in refused.codes, refused.body
    assert own.api.query("/vm-instances") == []
    assert host.shell("find /var/lib/hvagent/small -type f") == ""
    host.exec("mount", "-o", "remount,size=200m", "/var/lib/hvagent/small")
    assert own.world.create("room")["state"] == "Running"
    own.agrees()


def test_a_read_only_primary_storage_is_told_and_leaves_nothing_behind(own_host):
    own = own_host(CONFIG + '[primary_storage]\npath = "/var/lib/hvagent/small"\n')
    own.world.image()
    own.host.exec("mount", "-t", "tmpfs", "-o", "size=200m,ro", "small", "/var/lib/hvagent/small")
    refused = refusal(lambda: own.world.create("read only"))
    assert own.api.query("/vm-instances") == [] and "/var/lib/hvagent/small" in refused.reason
    own.host.exec("umount", "/var/lib/hvagent/small")
    own.agrees()


# --- QEMU ---

def test_a_frozen_qemu_hurts_nobody_but_itself(api, host, guest, vms):
    frozen = vms.create("frozen")["uuid"]
    pid = host.qemu_pid(frozen)
    host.exec("kill", "-STOP", pid)
    try:
        pause = api.start_action(frozen, "pauseVmInstance", timeout_s=5)
        began = time.monotonic()
        for _ in range(3):
            api.act(guest, "pauseVmInstance")
            api.act(guest, "resumeVmInstance")
            assert len(api.query("/vm-instances")) >= 2
        assert time.monotonic() - began < 5
        other = vms.create("beside", strategy="InstantStart")["uuid"]
        assert api.act(other, "stopVmInstance", type="cold")["state"] == "Stopped"
        assert pause.answer(30).status == 503
        stopped = api.start_action(frozen, "stopVmInstance", type="cold").wait(45)
        assert stopped["inventory"]["state"] == "Stopped"
        assert not host.domain(frozen).isActive()
    finally:
        host.exec("kill", "-CONT", pid, check=False)


def test_a_graceful_stop_of_a_frozen_vm_pulls_the_plug(api, host, vms):
    vm = vms.create("frozen")["uuid"]
    host.signal_qemu(vm, "STOP")
    stopped = api.start_action(vm, "stopVmInstance", type="grace").wait(75)
    assert (stopped["inventory"]["state"], stopped["stoppedBy"]) == ("Stopped", "powerOff")


def test_a_qemu_that_dies_during_start_fails_the_start_with_its_reason(api, host, vms):
    vm = vms.create("no disk", strategy="CreateStopped")
    root = vm["allVolumes"][0]["installPath"]
    host.exec("mv", root, root + ".away")
    refused = refusal(lambda: api.act(vm["uuid"], "startVmInstance"))
    assert refused.codes[0] == "VM.1001" and root in refused.reason
    assert api.state(vm["uuid"]) == "Stopped"
    host.exec("mv", root + ".away", root)
    assert api.act(vm["uuid"], "startVmInstance")["state"] == "Running"


# --- libvirt ---

def test_a_job_without_libvirt_is_refused_with_host_1003_when_it_stays_away(own_host):
    own = own_host(CONFIG + "[libvirt]\nwait = 2\n")
    vm = own.world.create("alone", strategy="CreateStopped")["uuid"]
    own.host.stop("libvirtd")
    began = time.monotonic()
    refused = refusal(lambda: own.api.act(vm, "startVmInstance"))
    assert "HOST.1003" in refused.codes and time.monotonic() - began < 10
    own.host.start("libvirtd")
    wait_for(lambda: own.api.send("GET", "/hvagent/v1/ready").status == 200, 10, "readiness")
    assert own.api.act(vm, "startVmInstance")["state"] == "Running"
    own.agrees()


def test_a_job_waits_for_a_libvirt_that_comes_back_in_time(own_host):
    own = own_host(CONFIG + "[libvirt]\nwait = 15\n")
    vm = own.world.create("patient", strategy="CreateStopped")["uuid"]
    own.host.stop("libvirtd")
    job = own.api.start_action(vm, "startVmInstance")
    time.sleep(1)
    assert not job.is_finished()
    own.host.start("libvirtd")
    assert job.wait()["inventory"]["state"] == "Running"
    own.agrees()


@pytest.mark.slow
def test_a_libvirtd_killed_during_a_create_ends_it_truthfully(own_host):
    own = own_host()
    own.world.image()
    job = own.api.submit("POST", "/vm-instances", {"params": own.world.vm_params("interrupted")})
    time.sleep(0.2)
    own.host.kill("libvirtd")
    answer = answers_once(job)
    own.host.libvirt  # waits for it
    vms = own.api.query("/vm-instances")
    assert [vm["uuid"] for vm in vms] == ([answer.body["inventory"]["uuid"]] if answer.status == 200 else [])
    own.agrees(15)


# --- the machine ---

def test_a_start_after_the_power_failed_finds_everything_stopped(own_host):
    """All of the host's processes end at once; files are what is left."""
    own = own_host()
    vm = own.world.create("was running")["uuid"]
    off = own.world.create("was off", strategy="CreateStopped")["uuid"]
    pid = own.host.qemu_pid(vm)
    own.host.kill("agent")
    own.host.kill("libvirtd")
    own.host.exec("kill", "-KILL", pid, check=False)
    own.host.start("libvirtd")
    own.host.start("agent")
    wait_for(lambda: own.api.state(vm) in ("Stopped", "Crashed"), 15, lambda: own.api.state(vm))
    assert own.api.state(off) == "Stopped"
    assert own.api.act(vm, "startVmInstance")["state"] == "Running"
    own.agrees()


def test_the_host_still_answers_after_all_this(api):
    assert api.send("GET", "/hvagent/v1/ready").status == 200
