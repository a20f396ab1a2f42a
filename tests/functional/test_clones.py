"""Reimage, change of image, clone: what the disks hold afterwards, as guests see it."""
import json
import shutil
import subprocess
import time

import pytest

from client import ApiError, new_uuid
from conftest import CONFIG, MIB
from inside import Inside
from lab import wait_for
from test_faults import answers_once
from test_flatten import chain, content, large_image, root_of, snapshot  # noqa: F401 (a fixture)


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def action(api, vm, name, /, **params):
    return api.start_action(vm, name, **params).wait(120)


def clone(api, vm, *names, **params):
    return action(api, vm, "cloneVmInstance", names=list(names), **params)["result"]


@pytest.fixture
def cloned(api, vms):
    """cloned(vm, names...): the clones, gone after the test."""
    def cloned(vm, *names, **params):
        result = clone(api, vm, *names, **params)
        made = [one["inventory"] for one in result["inventories"]]
        for one in made:
            vms.own(one["uuid"])
        assert result["numberOfClonedVm"] == len(made) == len(names)
        return made

    return cloned


def mark(inside, text):
    inside.sh(f"echo {text} >/data/marker; sync")


def marker(host, vm):
    return Inside(host, vm).sh("cat /data/marker 2>/dev/null || echo none")


def files(host):
    return set(host.shell("find /var/lib/hvagent -path '*Volumes/*' -type f").split())


# --- reimage ---

def test_a_reimaged_vm_holds_what_its_image_holds(api, host, world, vms):
    vm = vms.create("spoilt")["uuid"]
    fresh = vms.create("fresh", strategy="CreateStopped")["uuid"]
    mark(Inside(host, vm), "spoilt")
    taken = snapshot(api, root_of(api, vm)["uuid"])
    refused = refusal(lambda: action(api, vm, "reimageVmInstance"))
    assert refused.code == "VM.1014" and refused.codes[-1] == "VM.1010"
    api.act(vm, "stopVmInstance", type="cold")
    before = root_of(api, vm)
    after = next(iter(action(api, vm, "reimageVmInstance")["inventory"]["allVolumes"]))
    assert after["uuid"] == before["uuid"] and not host.has_file(before["installPath"])
    assert content(host, after["installPath"]) == content(host, root_of(api, fresh)["installPath"])
    assert len(chain(host, after["installPath"])) == 2
    kept = api.only("/volume-snapshots", f"uuid={taken['uuid']}")
    assert host.has_file(kept["primaryStorageInstallPath"]) and kept["latest"] is False
    api.act(vm, "startVmInstance")
    assert marker(host, vm) == "none"


def test_a_vm_made_from_an_iso_cannot_be_reimaged(api, vms):
    vm = vms.create("installed", "iso", rootDiskSize=64 * MIB, strategy="CreateStopped")["uuid"]
    assert refusal(lambda: action(api, vm, "reimageVmInstance")).code == "VM.1015"


# --- another image ---

def test_another_image_makes_another_root_volume(api, host, world, vms):
    other = world.image("slow_qcow2")
    vm = vms.create("changed", strategy="CreateStopped", dataDiskSizes=[16 * MIB])
    old, root = vm["rootVolumeUuid"], new_uuid()
    candidates = {image["uuid"] for image in api.get(f"/vm-instances/{vm['uuid']}/image-candidates")["inventories"]}
    assert {other, world.image()} <= candidates and world.image("iso") not in candidates
    changed = action(api, vm["uuid"], "changeVmlImage", imageUuid=other, resourceUuid=root)["inventory"]
    assert (changed["imageUuid"], changed["rootVolumeUuid"]) == (other, root)
    assert {volume["type"] for volume in changed["allVolumes"]} == {"Root", "Data"}
    assert api.only("/volumes", f"uuid={old}")["status"] == "Deleted"
    api.act(vm["uuid"], "startVmInstance")
    assert "lab.acpi=slow" in Inside(host, vm["uuid"]).sh("cat /proc/cmdline")
    assert refusal(lambda: action(api, vm["uuid"], "changeVmImage", imageUuid=other)).codes == ["SYS.1006", "VM.1010"]
    api.act(vm["uuid"], "stopVmInstance", type="cold")
    refused = refusal(lambda: action(api, vm["uuid"], "changeVmImage", imageUuid=world.image("iso")))
    assert refused.code == "SYS.1007" and "ISO" in refused.reason
    api.run("PUT", f"/volumes/{old}/actions", {"expungeDataVolume": {}})


# --- clones ---

def test_clones_of_a_running_vm_have_its_data_and_their_own_addresses(api, host, world, vms, cloned):
    source = vms.create("source", tags=["hostname::source"])
    inside = Inside(host, source["uuid"])
    mark(inside, "cloned")
    snapshot(api, source["rootVolumeUuid"])
    inside.sh("dd if=/dev/urandom of=/data/more bs=1M count=2 2>/dev/null; sync")
    more = inside.sh("md5sum </data/more")
    made = cloned(source["uuid"], "one", "two")
    everybody = [source, *made]
    for key in ("mac", "ip"):
        assert len({vm["vmNics"][0][key] for vm in everybody}) == 3
    assert len({vm["rootVolumeUuid"] for vm in everybody}) == 3
    for vm in made:
        assert vm["state"] == "Running" and vm["imageUuid"] == source["imageUuid"]
        path = vm["allVolumes"][0]["installPath"]
        assert chain(host, path) == [path]
        assert api.query("/system-tags", f"resourceUuid={vm['uuid']}") == []
        there = Inside(host, vm["uuid"])
        assert there.sh("cat /data/marker") == "cloned" and there.sh("md5sum </data/more") == more
        host.guest_says(vm["uuid"], f"GUEST-IP {vm['vmNics'][0]['ip']} ")
        assert there.sh("cat /sys/class/net/e*/address") == vm["vmNics"][0]["mac"]
    assert api.state(source["uuid"]) == "Running" and inside.sh("cat /data/marker") == "cloned"
    mark(Inside(host, made[0]["uuid"]), "mine")
    assert marker(host, made[1]["uuid"]) == "cloned" and inside.sh("cat /data/marker") == "cloned"


def test_a_clone_of_a_stopped_vm_lies_on_the_same_image(api, host, world, vms, cloned):
    source = vms.create("source", strategy="CreateStopped", dataDiskSizes=[32 * MIB])
    data = next(volume for volume in source["allVolumes"] if volume["type"] == "Data")
    host.shell(f"qemu-io -f qcow2 -c 'write -P 7 1M 5M' {data['installPath']}")
    full, = cloned(source["uuid"], "full", full=True, strategy="CreateStopped")
    plain, = cloned(source["uuid"], "plain", strategy="CreateStopped")
    assert full["state"] == "Stopped" and len(full["allVolumes"]) == 2 and len(plain["allVolumes"]) == 1
    def paths(vm):
        return [volume["installPath"] for volume in sorted(vm["allVolumes"], key=lambda volume: volume["deviceId"])]
    assert not set(paths(full)) & set(paths(source))
    assert [content(host, path) for path in paths(full)] == [content(host, path) for path in paths(source)]
    assert chain(host, paths(full)[0])[1:] == chain(host, paths(source)[0])[1:]
    api.act(full["uuid"], "startVmInstance")
    assert Inside(host, full["uuid"]).sh("dd if=/dev/vdb bs=1M skip=1 count=5 2>/dev/null | tr -d '\\7' | wc -c") == "0"
    reimaged = action(api, plain["uuid"], "reimageVmInstance")["inventory"]
    assert len(chain(host, reimaged["allVolumes"][0]["installPath"])) == 2


def test_a_clone_of_snapshots_stands_alone_and_a_just_created_one_starts_later(api, host, world, vms, cloned):
    source = vms.create("source")
    mark(Inside(host, source["uuid"]), "deep")
    snapshot(api, source["rootVolumeUuid"])
    api.act(source["uuid"], "stopVmInstance", type="cold")
    made, = cloned(source["uuid"], "later", strategy="JustCreate")
    path = made["allVolumes"][0]["installPath"]
    assert made["state"] == "Created" and chain(host, path) == [path]
    assert content(host, path) == content(host, root_of(api, source["uuid"])["installPath"])
    api.act(made["uuid"], "startVmInstance")
    assert marker(host, made["uuid"]) == "deep"


def test_a_paused_vm_is_cloned_and_stays_paused(api, host, world, vms, cloned):
    source = vms.create("source")["uuid"]
    mark(Inside(host, source), "paused")
    api.act(source, "pauseVmInstance")
    made, = cloned(source, "copy")
    assert marker(host, made["uuid"]) == "paused" and api.state(source) == "Paused"


def test_a_clone_that_cannot_start_leaves_nothing_and_says_why(api, host, world, vms):
    source = vms.create("large", strategy="CreateStopped", memorySize=int(api.only("/hosts")["totalMemoryCapacity"] * 0.6))["uuid"]
    before = files(host)
    result = clone(api, source, "fits", "does not")
    fits, fails = result["inventories"]
    vms.own(fits["inventory"]["uuid"])
    assert result["numberOfClonedVm"] == 1 and fits["inventory"]["state"] == "Running"
    assert fails["error"]["code"] == "SYS.1006" and fails["error"]["cause"]["code"] == "HOST_ALLOCATION.1000"
    assert api.query("/vm-instances", "name=does not") == [] and len(files(host)) == len(before) + 1


def test_what_is_not_offered_is_refused_by_name(api, world, guest):
    for params, named in (({"vmNicParams": ["{}"]}, "vmNicParams"), ({"systemTags": ["cdroms::Empty"]}, "cdroms"),
                          ({"primaryStorageUuidForRootVolume": "0" * 32}, "primaryStorageUuidForRootVolume")):
        refused = refusal(lambda: clone(api, guest, "refused", **params))
        assert refused.codes[-1] in ("SYS.1007", "SYS.1003") and named in refused.reason
    assert refusal(lambda: clone(api, guest)).codes[-1] == "SYS.1007"
    assert refusal(lambda: clone(api, guest, "<b>")).codes[-1] == "SYS.1007"
    assert api.query("/vm-instances", "name=refused") == []


# --- faults ---

SLOW = CONFIG + f"\n[storage]\nblock_job_bandwidth = {8 * MIB}\n"


def under_way(job):
    return wait_for(lambda: job.is_finished() or job.poll().body.get("progress", 0) >= 10, 30, "10 % of the clone", 0.05)


def test_a_clone_that_is_cancelled_leaves_nothing(own_host):
    own = own_host(SLOW)
    vm = own.world.create("source")["uuid"]
    before = files(own.host)
    job = own.api.start_action(vm, "cloneVmInstance", names=["one", "two"])
    under_way(job)
    own.api.call("DELETE", f"/api-jobs/{job.uuid}")
    assert job.answer(20).status == 503
    assert [found["uuid"] for found in own.api.query("/vm-instances")] == [vm] and files(own.host) == before
    assert own.host.shell(f"virsh domblklist {vm}").count("qcow2") == 1
    own.agrees()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["agent", "libvirtd", "QEMU"])
def test_a_clone_of_a_running_vm_killed_half_way_is_finished_or_undone(own_host, victim):
    own = own_host(SLOW)
    vm = own.world.create("source")["uuid"]
    mark(Inside(own.host, vm), "killed")
    before = files(own.host)
    job = own.api.start_action(vm, "cloneVmInstance", names=["one", "two"])
    under_way(job)
    if victim == "QEMU":
        own.host.signal_qemu(vm, "KILL")
    else:
        own.host.kill(victim)
    answer = answers_once(job)
    wait_for(own.host.listens, 10, "the agent")
    own.host.libvirt  # waits for it
    made = [one["inventory"]["uuid"] for one in answer.body.get("result", {}).get("inventories", []) if "inventory" in one]
    assert len(made) == 2 or victim == "libvirtd", answer
    for clone_of_it in made:
        assert marker(own.host, clone_of_it) == "killed"
    wait_for(lambda: own.api.state(vm) == ("Running" if victim != "QEMU" else "Stopped") or own.api.state(vm) == "Crashed", 10,
             lambda: own.api.state(vm))
    assert len(own.api.query("/vm-instances")) == 1 + len(made) and len(files(own.host)) == len(before) + len(made)
    own.agrees(15)
    assert own.api.run("POST", "/storage-checks", {"params": {"deep": False}})["findings"] == []


@pytest.mark.slow
@pytest.mark.parametrize("after_ms", [0, 80, 250])
@pytest.mark.parametrize("name", ["reimageVmInstance", "changeVmImage", "cloneVmInstance"])
def test_kills_at_any_moment_leave_one_truth(own_host, name, after_ms):
    own = own_host()
    vm = own.world.create("stopped", strategy="CreateStopped")["uuid"]
    params = {"changeVmImage": {"imageUuid": own.world.image("slow_qcow2")},
              "cloneVmInstance": {"names": ["a", "b"], "strategy": "CreateStopped"}}.get(name, {})
    job = own.api.start_action(vm, name, **params)
    time.sleep(after_ms / 1000)
    own.host.kill("agent")
    assert answers_once(job).status == 200
    wait_for(own.host.listens, 10, "the agent")
    own.agrees()
    assert own.api.run("POST", "/storage-checks", {"params": {"deep": False}})["findings"] == []
    for made in own.api.query("/vm-instances"):
        path = root_of(own.api, made["uuid"])["installPath"]
        assert len(chain(own.host, path)) == 2


@pytest.mark.slow
def test_a_clone_that_cannot_fit_is_refused_and_one_that_runs_out_of_room_leaves_nothing(own_host, large_image):
    own = own_host(SLOW + '[primary_storage]\npath = "/var/lib/hvagent/small"\n')
    host = own.host
    host.stop("agent")
    host.exec("mount", "-t", "tmpfs", "-o", "size=200m", "small", "/var/lib/hvagent/small")
    host.start("agent")
    shutil.copy(large_image, host.shared)
    image = own.world.add_image("large", f"file://{host.shared}/{large_image.name}")["uuid"]
    vm = own.world.create("source", image)["uuid"]
    before = files(host)
    refused = refusal(lambda: clone(own.api, vm, "no room"))
    assert "PS.1000" in refused.codes and files(host) == before
    host.exec("mount", "-o", "remount,size=400m", "/var/lib/hvagent/small")
    job = own.api.start_action(vm, "cloneVmInstance", names=["no room"])
    wait_for(lambda: job.is_finished() or job.poll().body.get("progress", 0) >= 5, 30, "the clone to begin", 0.05)
    host.shell("fallocate -l 290M /var/lib/hvagent/small/x || dd if=/dev/zero of=/var/lib/hvagent/small/x bs=1M", check=False)
    answer = job.answer(60)
    failed = answer.body["result"]["inventories"][0] if answer.status == 200 else answer.body
    assert "error" in failed, answer
    host.shell("rm /var/lib/hvagent/small/x")
    assert files(host) == before and len(own.api.query("/vm-instances")) == 1
    wait_for(lambda: own.api.state(vm) == "Running", 5, lambda: own.api.state(vm))
    own.agrees()
    own.world.remove(vm)
