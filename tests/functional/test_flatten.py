"""Flatten: what the guest sees stays, what lies below goes; the prediction holds; faults half-way leave one or the other."""
import json
import shutil
import subprocess
import time

import pytest

from client import ApiError
from conftest import CONFIG, MIB
from inside import Inside
from lab import wait_for
from test_faults import answers_once

SLOW = CONFIG + f"\n[storage]\nblock_job_bandwidth = {8 * MIB}\n"  # a flatten of the guest's image takes some seconds


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def flatten(api, vm, **params):
    return api.start_action(vm, "flattenVmInstance", **params).wait(120)


def chain(host, path):
    return [layer["filename"] for layer in json.loads(host.shell(f"qemu-img info -U --backing-chain --output=json {path}"))]


def allocated(host, path):
    return int(host.shell(f"stat -c %b {path}")) * 512


def content(host, path):
    """A checksum of what a guest would see, by a tool that is not ours; of a disk that nobody writes to."""
    return host.shell(f"qemu-img convert -U -f qcow2 -O raw {path} /dev/stdout 2>/dev/null | md5sum || "
                      f"(qemu-img convert -U -f qcow2 -O raw {path} /tmp/content && md5sum </tmp/content; rm -f /tmp/content)").split()[0]


def snapshot(api, volume, name="s"):
    return api.run("POST", f"/volumes/{volume}/volume-snapshots", {"params": {"name": name}})["inventory"]


def root_of(api, vm):
    shown = api.vm(vm)
    return next(volume for volume in shown["allVolumes"] if volume["uuid"] == shown["rootVolumeUuid"])


def is_near(predicted, actual):
    return abs(predicted - actual) <= 0.05 * actual


# --- what it does ---

def test_a_running_vm_is_flattened_under_its_guest(api, host, world, vms):
    vm = vms.create("running")["uuid"]
    inside = Inside(host, vm)
    written = inside.sh("lab fill /data/marker 12").split()[0]
    image = inside.checksum("vda1", 34)
    snapshot(api, root_of(api, vm)["uuid"])
    inside.sh("dd if=/dev/urandom of=/data/later bs=1M count=3 conv=fsync 2>/dev/null")
    later = inside.sh("md5sum /data/later").split()[0]
    path = root_of(api, vm)["installPath"]
    assert len(chain(host, path)) == 3
    estimate, = flatten(api, vm, dryRun=True)["estimates"]
    assert len(chain(host, path)) == 3 and estimate["fits"] and estimate["bytesToCopy"] > 12 * MIB
    shown = flatten(api, vm)["inventory"]["allVolumes"][0]
    assert chain(host, path) == [path] and shown["installPath"] == path
    assert shown["actualSize"] == allocated(host, path)
    assert is_near(estimate["resultingSize"], shown["actualSize"]), (estimate, shown["actualSize"])
    assert inside.checksum("vda1", 34) == image
    inside.sh("echo 3 >/proc/sys/vm/drop_caches")
    assert inside.sh("md5sum /data/marker /data/later | cut -d' ' -f1").split() == [written, later]
    tree = api.only("/volume-snapshots/trees", f"volumeUuid={shown['uuid']}")
    assert tree["current"] is False
    assert host.has_file(api.only("/volume-snapshots", f"volumeUuid={shown['uuid']}")["primaryStorageInstallPath"])
    api.act(vm, "stopVmInstance", type="cold")
    api.act(vm, "startVmInstance")
    assert Inside(host, vm).sh("md5sum </data/marker").split()[0] == written


def test_a_paused_vm_is_flattened(api, host, world, vms):
    vm = vms.create("paused")["uuid"]
    api.act(vm, "pauseVmInstance")
    path = root_of(api, vm)["installPath"]
    before = content(host, path)
    flatten(api, vm)
    assert chain(host, path) == [path] and content(host, path) == before
    assert api.state(vm) == "Paused"


def test_a_stopped_vm_is_flattened_into_one_file_that_boots(api, host, world, vms):
    vm = vms.create("stopped", strategy="CreateStopped")["uuid"]
    old = root_of(api, vm)["installPath"]
    before = content(host, old)
    estimate, = flatten(api, vm, dryRun=True)["estimates"]
    shown = flatten(api, vm)["inventory"]["allVolumes"][0]
    path = shown["installPath"]
    assert chain(host, path) == [path] and content(host, path) == before
    assert path == old or not host.has_file(old)
    assert shown["actualSize"] == allocated(host, path)
    assert is_near(estimate["resultingSize"], shown["actualSize"]), (estimate, shown["actualSize"])
    api.act(vm, "startVmInstance")
    assert chain(host, path) == [path]
    Inside(host, vm).sh("true")


def test_the_root_only_or_all_volumes(api, host, world, vms):
    vm = vms.create("full", strategy="CreateStopped", dataDiskSizes=[32 * MIB])
    root, data = sorted(vm["allVolumes"], key=lambda volume: volume["deviceId"])
    host.shell(f"qemu-io -f qcow2 -c 'write -P 7 1M 5M' {data['installPath']}")
    snapshot(api, data["uuid"])
    def paths():
        return [volume["installPath"] for volume in sorted(api.vm(vm["uuid"])["allVolumes"], key=lambda volume: volume["deviceId"])]
    before = content(host, paths()[1])
    flatten(api, vm["uuid"], full="false")
    assert [len(chain(host, path)) for path in paths()] == [1, 2]
    result = flatten(api, vm["uuid"], dryRun="true")
    assert [one["bytesToCopy"] for one in result["estimates"]] == [0, 5 * MIB]
    flatten(api, vm["uuid"])
    assert [len(chain(host, path)) for path in paths()] == [1, 1]
    assert content(host, paths()[1]) == before


def test_one_volume_alone_is_flattened(api, host, world, vms):
    vm = vms.create("alone", strategy="CreateStopped")["uuid"]
    volume = root_of(api, vm)["uuid"]
    action = f"/volumes/{volume}/actions"
    predicted = api.run("PUT", action, {"flattenVolume": {"dryRun": True}})
    flat = api.run("PUT", action, {"flattenVolume": {}})["inventory"]
    assert is_near(predicted["estimates"][0]["resultingSize"], flat["actualSize"])
    assert predicted["inventory"]["actualSize"] == predicted["estimates"][0]["resultingSize"]
    assert chain(host, flat["installPath"]) == [flat["installPath"]]


def test_a_disk_that_is_nearly_all_in_its_own_layer_is_completed_in_place(api, host, world, vms):
    vm = vms.create("written", strategy="CreateStopped")["uuid"]
    path = root_of(api, vm)["installPath"]
    host.shell(f"qemu-io -f qcow2 -c 'write -P 9 0 67M' {path}")
    before = content(host, path)
    estimate, = flatten(api, vm, dryRun=True)["estimates"]
    shown = flatten(api, vm)["inventory"]["allVolumes"][0]
    assert shown["installPath"] == path and chain(host, path) == [path] and content(host, path) == before
    assert is_near(estimate["resultingSize"], shown["actualSize"])


def test_it_is_refused_in_other_states_and_for_shareable_volumes(api, world, vms):
    vm = vms.create("recorded", strategy="JustCreate")["uuid"]
    refused = refusal(lambda: flatten(api, vm))
    assert refused.codes == ["SYS.1006", "VM.1010"]


# --- faults ---

def running(own):
    vm = own.world.create("flat")["uuid"]
    inside = Inside(own.host, vm)
    return vm, root_of(own.api, vm)["installPath"], inside, inside.sh("lab fill /data/marker 6").split()[0]


def under_way(job):
    return wait_for(lambda: job.is_finished() or job.poll().body.get("progress", 0) >= 20, 30, "20 % of the flatten", 0.1)


def test_a_flatten_that_is_cancelled_half_way_leaves_the_chain(own_host):
    own = own_host(SLOW)
    vm, path, inside, written = running(own)
    before = chain(own.host, path)
    job = own.api.start_action(vm, "flattenVmInstance")
    under_way(job)
    own.api.call("DELETE", f"/api-jobs/{job.uuid}")
    answer = job.answer(20)
    assert answer.status == 503 and answer.body["error"]["code"].startswith("LONG_JOB"), answer
    assert chain(own.host, path) == before
    assert inside.sh("echo 3 >/proc/sys/vm/drop_caches; md5sum </data/marker").split()[0] == written
    own.agrees()
    again = own.api.start_action(vm, "flattenVmInstance")  # what was pulled stays pulled
    assert again.answer(60).status == 200 and chain(own.host, path) == [path]


@pytest.mark.slow
@pytest.mark.parametrize("daemon", ["agent", "libvirtd"])
def test_a_flatten_under_which_a_daemon_was_killed_is_finished_or_as_before(own_host, daemon):
    own = own_host(SLOW)
    vm, path, inside, written = running(own)
    job = own.api.start_action(vm, "flattenVmInstance")
    under_way(job)
    own.host.kill(daemon)
    answer = answers_once(job)
    wait_for(own.host.listens, 10, "the agent")
    assert answer.status == 200 or daemon == "libvirtd", answer
    if answer.status != 200:
        wait_for(own.host.try_connect, 10, "libvirtd")
        wait_for(lambda: own.api.state(vm) == "Running", 10, lambda: own.api.state(vm))
        assert len(chain(own.host, path)) == 2
        flatten(own.api, vm)
    assert chain(own.host, path) == [path]
    assert inside.sh("echo 3 >/proc/sys/vm/drop_caches; md5sum </data/marker").split()[0] == written
    own.agrees()


@pytest.mark.slow
def test_a_guest_that_dies_under_a_flatten_loses_nothing(own_host):
    own = own_host(SLOW)
    vm, path, inside, written = running(own)
    inside.sh("sync")
    job = own.api.start_action(vm, "flattenVmInstance")
    under_way(job)
    own.host.signal_qemu(vm, "KILL")
    answer = answers_once(job)
    now = root_of(own.api, vm)["installPath"]
    assert len(chain(own.host, now)) == (1 if answer.status == 200 else 2), answer
    wait_for(lambda: own.api.state(vm) in ("Stopped", "Crashed"), 10, lambda: own.api.state(vm))
    own.agrees()
    own.api.act(vm, "startVmInstance")
    assert Inside(own.host, vm).sh("md5sum </data/marker").split()[0] == written


@pytest.fixture(scope="session")
def large_image(tmp_path_factory):
    """96 MiB that nobody can compress, in 1 GiB."""
    path = tmp_path_factory.mktemp("images") / "large.qcow2"
    script = (f"head -c 96M /dev/urandom >{path}.raw && truncate -s 1G {path}.raw && "
              f"qemu-img convert -f raw -O qcow2 {path}.raw {path} && rm {path}.raw")
    subprocess.run(["sh", "-c", script], check=True)
    return path


def add_large(own, path):
    shutil.copy(path, own.host.shared)
    return own.world.add_image("large", f"file://{own.host.shared}/{path.name}")["uuid"]


@pytest.mark.slow
@pytest.mark.parametrize("after_ms", [30, 150, 350])
def test_a_flatten_of_a_stopped_vm_killed_half_way_is_finished(own_host, large_image, after_ms):
    own = own_host()
    image = add_large(own, large_image)
    vm = own.world.create("killed", image, strategy="CreateStopped")["uuid"]
    before = content(own.host, root_of(own.api, vm)["installPath"])
    job = own.api.start_action(vm, "flattenVmInstance")
    time.sleep(after_ms / 1000)
    own.host.kill("agent")
    assert answers_once(job).status == 200
    path = root_of(own.api, vm)["installPath"]
    assert chain(own.host, path) == [path] and content(own.host, path) == before
    own.agrees()
    assert own.api.run("POST", "/storage-checks", {"params": {"deep": True}})["findings"] == []


@pytest.mark.slow
def test_a_flatten_that_cannot_fit_is_refused_and_one_that_runs_out_of_room_leaves_the_chain(own_host, large_image):
    own = own_host(SLOW + '[primary_storage]\npath = "/var/lib/hvagent/small"\n')
    host = own.host
    host.stop("agent")
    host.exec("mount", "-t", "tmpfs", "-o", "size=200m", "small", "/var/lib/hvagent/small")
    host.start("agent")
    image = add_large(own, large_image)
    vm = own.world.create("full", image)["uuid"]
    path = root_of(own.api, vm)["installPath"]
    before = chain(host, path)
    estimate, = flatten(own.api, vm, dryRun=True)["estimates"]
    assert not estimate["fits"]
    refused = refusal(lambda: flatten(own.api, vm))
    assert "PS.1000" in refused.codes and "VOLUME.1001" in refused.codes, refused.body
    host.exec("mount", "-o", "remount,size=400m", "/var/lib/hvagent/small")
    job = own.api.start_action(vm, "flattenVmInstance")
    wait_for(lambda: job.is_finished() or job.poll().body.get("progress", 0) >= 3, 30, "the flatten to begin", 0.1)
    host.shell("fallocate -l 290M /var/lib/hvagent/small/x || dd if=/dev/zero of=/var/lib/hvagent/small/x bs=1M", check=False)
    answer = job.answer(60)
    assert answer.status == 503, answer
    assert chain(host, path) == before
    host.shell("rm /var/lib/hvagent/small/x")
    own.agrees()
    own.world.remove(vm)
