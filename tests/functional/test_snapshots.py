"""Snapshots on real chains: what a volume and each snapshot hold is compared, block by block, with what was written."""
import hashlib
import os
import random
import time

import libvirt
import pytest

from agree import await_agreement
from client import ApiError, new_uuid
from conftest import CONFIG, MIB
from inside import Inside
from lab import wait_for

BLOCKS = 16  # of one MiB: the size of the volumes here
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
LENGTH_S = float(os.environ.get("SECONDS", 40))


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def sum_of(blocks):
    digest = hashlib.md5()
    for value in blocks:
        digest.update(bytes([value]) * MIB)
    return digest.hexdigest()


class Disk:
    """A volume, what was written to it, and what its snapshots must hold for ever."""

    def __init__(self, api, host, volume, blocks=BLOCKS):
        self.api = api
        self.host = host
        self.volume = volume
        self.blocks = [0] * blocks
        self.held = {}  # snapshot -> its blocks
        self.vm = None  # the one that runs with it
        self.inside = None

    # --- the inventory ---

    def record(self):
        return self.api.only("/volumes", f"uuid={self.volume}")

    def snapshot(self, uuid):
        found = self.api.query("/volume-snapshots", f"uuid={uuid}")
        return found[0] if found else None

    def snapshots(self):
        return {found["uuid"]: found for found in self.api.query("/volume-snapshots", f"volumeUuid={self.volume}", limit=1000)}

    def tree(self):
        return self.api.only("/volume-snapshots/trees", f"volumeUuid={self.volume}", "current=true")

    # --- operations ---

    def start_taking(self, name="s", job=None, **params):
        body = {"params": {"name": name, **params}}
        return self.api.submit("POST", f"/volumes/{self.volume}/volume-snapshots", body, job=job)

    def take(self, name="s", **params):
        taken = self.start_taking(name, **params).wait()["inventory"]["uuid"]
        self.held[taken] = list(self.blocks)
        return taken

    def start_deleting(self, snapshot, job=None):
        return self.api.submit("DELETE", f"/volume-snapshots/{snapshot}", job=job)

    def delete(self, snapshot):
        assert self.start_deleting(snapshot).wait() == {}
        self.forget_deleted()

    def start_reverting(self, snapshot, job=None):
        return self.api.submit("PUT", f"/volume-snapshots/{snapshot}/actions", {"revertVolumeFromSnapshot": {}}, job=job)

    def revert(self, snapshot):
        assert self.start_reverting(snapshot).wait() == {}
        self.blocks = list(self.held[snapshot])

    def forget_deleted(self):
        there = self.snapshots()
        self.held = {uuid: blocks for uuid, blocks in self.held.items() if uuid in there}

    # --- contents ---

    def write(self, block, value):
        if self.inside:
            octal = f"\\{value:03o}"
            self.inside.sh(f"head -c 1048576 /dev/zero | tr '\\000' '{octal}' | dd of=/dev/{self.inside.disk(self.volume)} bs=1M seek={block} conv=fsync 2>/dev/null")
        else:
            self.host.exec("qemu-io", "-f", "qcow2", "-c", f"write -P {value} {block}M 1M", self.record()["installPath"])
        self.blocks[block] = value

    def sums_of_files(self, paths):
        script = 'f=$(mktemp); for p; do qemu-img convert -U -f qcow2 -O raw "$p" $f && md5sum <$f; done; rm -f $f'
        return [line.split()[0] for line in self.host.exec("sh", "-c", script, "sh", *paths).stdout.splitlines()]

    def holds(self, *legal):
        """The volume holds one of these (what was written, when none is given), and every snapshot what it froze."""
        legal = legal or (self.blocks,)
        frozen = {uuid: found for uuid, found in self.snapshots().items() if uuid in self.held}
        paths = [found["primaryStorageInstallPath"] for found in frozen.values()]
        if self.inside:
            actual = self.inside.checksum(self.inside.disk(self.volume), len(self.blocks))
        else:
            paths.append(self.record()["installPath"])
        sums = self.sums_of_files(paths) if paths else []
        assert len(sums) == len(paths)
        if not self.inside:
            actual = sums.pop()
        for (uuid, found), there in zip(frozen.items(), sums):
            assert there == sum_of(self.held[uuid]), f"snapshot {found} does not hold what it froze"
        assert actual in [sum_of(blocks) for blocks in legal], f"{self.volume} holds something else than {legal}"
        return next(blocks for blocks in legal if sum_of(blocks) == actual)

    def chain(self):
        lines = self.host.shell(f"qemu-img info -U --backing-chain {self.record()['installPath']}").splitlines()
        return [line.partition(": ")[2] for line in lines if line.startswith("image: ")]

    def files(self):
        return sorted(self.host.shell(f"find /var/lib/hvagent -path '*vol-{self.volume}/*' -type f").split())


class Disks:
    def __init__(self, api, host, world):
        self.api = api
        self.host = host
        self.world = world
        self.made = []

    def create(self, name, blocks=BLOCKS):
        body = {"params": {"name": name, "diskSize": blocks * MIB, "primaryStorageUuid": self.world.primary}}
        volume = self.api.run("POST", "/volumes/data", body)["inventory"]["uuid"]
        disk = Disk(self.api, self.host, volume, blocks)
        self.made.append(disk)
        return disk

    def plug(self, disk, vm):
        """Attached to a VM whose guest is up."""
        self.api.run("POST", f"/volumes/{disk.volume}/vm-instances/{vm}")
        disk.vm, disk.inside = vm, Inside(self.host, vm)
        disk.inside.await_disk(disk.volume)
        return disk

    def unplug(self, disk):
        self.api.run("DELETE", f"/volumes/{disk.volume}/vm-instances")
        disk.vm = disk.inside = None

    def remove(self, disk):
        for found in self.api.query("/volumes", f"uuid={disk.volume}"):
            if found.get("vmInstanceUuid"):
                if self.api.state(found["vmInstanceUuid"]) == "Crashed":
                    self.api.act(found["vmInstanceUuid"], "stopVmInstance", type="cold")
                self.unplug(disk)
            if found["status"] != "Deleted":
                self.api.run("DELETE", f"/volumes/{disk.volume}")
            self.api.run("PUT", f"/volumes/{disk.volume}/actions", {"expungeDataVolume": {}})


@pytest.fixture
def disks(api, host, world):
    disks = Disks(api, host, world)
    yield disks
    for disk in disks.made:
        disks.remove(disk)


@pytest.fixture
def offline(disks):
    """A volume that no VM has."""
    return disks.create("offline")


@pytest.fixture
def live(disks, guest):
    """A volume of a running guest."""
    return disks.plug(disks.create("live"), guest)


@pytest.fixture(params=["offline", "live"])
def disk(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def host_and_inventory_agree_after_each_test(request):
    yield
    if not {"own_host"} & set(request.fixturenames):
        await_agreement(request.getfixturevalue("api"), request.getfixturevalue("host"), 10)


# --- create ---

def test_a_snapshot_keeps_what_the_volume_held(disk):
    first = disk.record()["installPath"]
    disk.write(0, 1)
    one = disk.take("one", description="first")
    disk.write(0, 2)
    disk.write(5, 3)
    two = disk.take("two")
    disk.write(5, 4)
    disk.holds()
    shown = disk.snapshot(one)
    assert (shown["name"], shown["description"], shown["status"], shown["state"]) == ("one", "first", "Ready", "Enabled")
    assert (shown["latest"], shown["distance"], shown["volumeType"], shown["format"]) == (False, 1, "Data", "qcow2")
    assert shown["primaryStorageInstallPath"] == first and "parentUuid" not in shown and shown["size"] >= MIB
    assert (disk.snapshot(two)["parentUuid"], disk.snapshot(two)["latest"], disk.snapshot(two)["distance"]) == (one, True, 2)
    assert disk.chain() == [disk.record()["installPath"], disk.snapshot(two)["primaryStorageInstallPath"], first]
    assert disk.record()["installPath"].endswith(f"/snapshots/{two}.qcow2")


def test_a_running_guest_is_quiet_while_its_disk_is_frozen(live):
    assert live.start_taking("quiet").wait()["quiesced"] is True
    states = live.inside.agent("guest-fsfreeze-status")
    assert states == "thawed"


def test_a_paused_guest_can_be_frozen(api, live):
    live.write(1, 7)
    api.act(live.vm, "pauseVmInstance")
    live.take("paused")
    api.act(live.vm, "resumeVmInstance")
    live.write(1, 8)
    live.holds()


def test_a_vm_starts_from_the_layer_that_a_snapshot_opened(api, host, disks, guest, live):
    live.take("one")
    live.write(3, 9)
    api.act(guest, "stopVmInstance", type="cold")
    live.inside = None
    live.holds()
    live.take("stopped")
    live.write(4, 10)
    api.act(guest, "startVmInstance")
    live.inside = Inside(host, guest)
    live.inside.await_disk(live.volume)
    live.holds()


def test_what_cannot_be_frozen_is_refused(api, world, offline):
    created = api.run("POST", "/volumes/data", {"params": {"name": "later", "diskSize": MIB}})["inventory"]["uuid"]
    later = Disk(api, offline.host, created)
    assert refusal(lambda: later.take()).codes == ["SYS.1006"]
    api.run("DELETE", f"/volumes/{created}")
    api.run("PUT", f"/volumes/{offline.volume}/actions", {"changeVolumeState": {"stateEvent": "disable"}})
    assert "Disabled" in refusal(lambda: offline.take()).reason
    api.run("PUT", f"/volumes/{offline.volume}/actions", {"changeVolumeState": {"stateEvent": "enable"}})
    assert refusal(lambda: api.run("POST", f"/volumes/{new_uuid()}/volume-snapshots", {"params": {"name": "x"}})).codes == ["SYS.1003"]
    for found in api.query("/volumes", f"uuid={created}"):
        api.run("PUT", f"/volumes/{created}/actions", {"expungeDataVolume": {}})


def test_a_chain_at_its_limit_begins_a_new_tree(offline):
    for number in range(64):
        if number % 16 == 0:
            offline.write(number % BLOCKS, number + 1)
        last = offline.take(f"s{number}")
    assert offline.snapshot(last)["distance"] == 64 and len(offline.chain()) == 65
    offline.write(0, 200)
    new = offline.take("over the limit")
    assert offline.snapshot(new)["distance"] == 1 and "parentUuid" not in offline.snapshot(new)
    assert offline.tree()["uuid"] == offline.snapshot(new)["treeUuid"] != offline.snapshot(last)["treeUuid"]
    assert len(offline.chain()) == 2
    offline.holds()


# --- trees, revert ---

def test_a_tree_with_branches_is_shown_and_gone_back_in(disks, guest, offline):
    offline.write(0, 1)
    one = offline.take("one")
    offline.write(0, 2)
    two = offline.take("two")
    offline.write(1, 3)
    three = offline.take("three")
    offline.revert(one)
    offline.holds()
    offline.write(2, 4)
    branch = offline.take("branch")
    offline.holds()
    for target in (three, two, branch, one, three):
        offline.revert(target)
        offline.write(9, 50)
        offline.holds()
        assert offline.snapshot(target)["latest"]
    tree = offline.tree()["tree"]
    assert tree["inventory"]["uuid"] == one and "parentUuid" not in tree
    assert {leaf["inventory"]["uuid"]: [child["inventory"]["uuid"] for child in leaf["children"]] for leaf in tree["children"]} == {two: [three], branch: []}
    # What a guest sees is what is shown from outside.
    disks.plug(offline, guest)
    offline.holds()


def test_a_revert_is_refused_while_the_vm_runs_and_gives_the_size_of_that_time(api, disks, live):
    live.write(0, 1)
    one = live.take("one")
    refused = refusal(lambda: live.revert(one))
    assert refused.codes == ["SYS.1006", "VM.1010"]
    live.write(0, 2)
    disks.unplug(live)
    api.run("PUT", f"/volumes/data/resize/{live.volume}/actions", {"resizeDataVolume": {"size": 2 * BLOCKS * MIB}})
    live.revert(one)
    assert live.record()["size"] == BLOCKS * MIB
    live.holds()


# --- delete ---

def test_every_node_of_a_tree_can_be_deleted(disk):
    disk.write(0, 1)
    one = disk.take("one")
    disk.write(1, 2)
    two = disk.take("two")
    disk.write(2, 3)
    three = disk.take("three")
    disk.write(3, 4)
    disk.delete(two)
    assert disk.snapshots().keys() == {one} and disk.snapshot(one)["latest"]
    assert disk.chain() == [disk.record()["installPath"], disk.snapshot(one)["primaryStorageInstallPath"]]
    disk.holds()
    disk.delete(one)
    assert disk.snapshots() == {} and disk.chain() == [disk.record()["installPath"]] == disk.files()
    disk.holds()
    disk.delete(three)
    assert disk.start_deleting(new_uuid()).wait() == {}


def test_a_branch_that_was_left_is_deleted_without_touching_the_volume(offline):
    offline.write(0, 1)
    one = offline.take("one")
    offline.write(1, 2)
    two = offline.take("two")
    offline.revert(one)
    offline.write(1, 5)
    before = offline.chain()
    offline.delete(two)
    assert offline.chain() == before
    offline.holds()


def test_snapshots_of_a_root_volume_lie_on_the_image_again_when_they_are_gone(api, host, guest):
    root = Disk(api, host, api.vm(guest)["rootVolumeUuid"])
    base = root.chain()
    one = root.take("one")
    root.take("two")
    assert len(root.chain()) == len(base) + 2
    root.delete(one)
    assert root.chain()[1:] == base[1:]
    assert host.domain(guest).isActive()


def test_a_snapshot_is_renamed(api, offline):
    one = offline.take("before")
    body = {"updateVolumeSnapshot": {"name": "after", "description": "renamed"}}
    assert api.run("PUT", f"/volume-snapshots/{one}/actions", body)["inventory"]["name"] == "after"
    assert api.only("/volume-snapshots", "name=after", f"volume.uuid={offline.volume}")["description"] == "renamed"


# --- faults ---

LOAD_MIB = 192  # so much to copy that a fault finds the copy at work


class Loaded:
    """A volume of a running guest whose first layer holds much."""

    def __init__(self, disks, guest):
        self.host = disks.host
        self.api = disks.api
        self.disk = disks.create("loaded", BLOCKS + LOAD_MIB)
        self.host.exec("qemu-io", "-f", "qcow2", "-c", f"write -P 77 {BLOCKS}M {LOAD_MIB}M", self.disk.record()["installPath"])
        disks.plug(self.disk, guest)
        self.disk.write(0, 1)

    def is_whole(self):
        """Read from outside, through the chain that is there now."""
        read = ["-c", f"read -P 77 {BLOCKS}M {LOAD_MIB}M", *(word for block in range(BLOCKS) for word in ("-c", f"read -P {self.disk.blocks[block]} {block}M 1M"))]
        said = self.host.exec("qemu-io", "-U", "-r", "-f", "qcow2", *read, self.disk.record()["installPath"], check=False).stdout
        assert "verification failed" not in said and said.count("read ") == BLOCKS + 1, said


def kill(disk, fault):
    if fault == "qemu":
        disk.host.signal_qemu(disk.vm, "KILL")
    else:
        disk.host.kill(fault)


def settle(disk, fault):
    """What the host goes on with is known again."""
    wait_for(disk.host.listens, 20, "the agent")
    wait_for(disk.host.try_connect, 20, "libvirtd")
    expected = ("Stopped", "Crashed") if fault == "qemu" else ("Running",)
    wait_for(lambda: disk.api.state(disk.vm) in expected, 20, "the truth")
    disk.inside = None if fault == "qemu" else Inside(disk.host, disk.vm)


@pytest.fixture
def loaded(disks, guest):
    return Loaded(disks, guest)


def await_deletion(job, disk, snapshot):
    """Until it is at work."""
    wait_for(lambda: job.is_finished() or (disk.snapshot(snapshot) or {"status": "Deleting"})["status"] == "Deleting", 10, "the deletion at work", 0.005)


@pytest.mark.parametrize("fault", ["agent", "libvirtd", "qemu"])
def test_a_death_in_the_middle_of_a_deletion_costs_no_content(loaded, fault):
    disk = loaded.disk
    one = disk.take("one")
    disk.write(1, 2)
    two = disk.take("two")
    job = disk.start_deleting(one)
    await_deletion(job, disk, one)
    time.sleep(random.uniform(0, 0.1))
    kill(disk, fault)
    answer = job.answer(60, through_restarts=True)
    settle(disk, fault)
    loaded.is_whole()
    assert fault == "qemu" or answer.status == 200, answer
    assert disk.snapshots().keys() == (set() if answer.status == 200 else {one, two})
    disk.start_deleting(one).wait()
    assert disk.snapshots() == {} and disk.files() == [disk.record()["installPath"]]
    loaded.is_whole()


def test_what_was_merged_while_the_guest_ran_outlives_its_qemu(loaded):
    """QEMU keeps in memory where the data lies that it has copied, until somebody makes it write that down."""
    disk = loaded.disk
    one = disk.take("one")
    disk.delete(one)
    kill(disk, "qemu")
    settle(disk, "qemu")
    loaded.is_whole()


@pytest.mark.parametrize("fault", ["agent", "libvirtd", "qemu"])
def test_a_death_in_the_middle_of_a_creation_costs_no_content(live, fault):
    for number in range(1 if fault == "qemu" else 3):
        live.write(number, number + 1)
        job = live.start_taking(f"s{number}")
        time.sleep(random.uniform(0, 0.15))
        kill(live, fault)
        job.answer(60, through_restarts=True)
        settle(live, fault)
        live.write(8 + number, 100 + number)
    live.holds()
    live.take("after")
    live.write(15, 15)
    live.holds()


@pytest.mark.parametrize("fault", ["agent", "libvirtd"])
def test_a_guest_that_was_held_when_somebody_died_is_let_go(live, fault):
    """As a snapshot leaves it whose libvirtd or agent dies between the freeze and the thaw; and a live copy, with its CPUs."""
    domain = live.host.domain(live.vm)
    for key, name in (("quiet", "quiet"), ("hold", "hold")):
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<moment/>", key, f"https://hvagent.org/xmlns/{name}/1", libvirt.VIR_DOMAIN_AFFECT_LIVE)
    assert domain.fsFreeze() > 0
    domain.suspend()
    kill(live, fault)
    settle(live, fault)
    wait_for(lambda: live.inside.agent("guest-fsfreeze-status") == "thawed", 15, "the thaw", 0.1)
    live.write(3, 33)
    live.holds()
    wait_for(lambda: "xmlns/quiet" not in live.host.domain(live.vm).XMLDesc(), 5, "no mark is left")


@pytest.mark.slow
def test_no_death_of_libvirtd_leaves_a_snapshot_open_or_a_guest_frozen(live, api):
    for number in range(12):
        job = live.start_taking(f"s{number}")
        time.sleep(random.uniform(0.01, 0.12))
        kill(live, "libvirtd")
        print(job.answer(60, through_restarts=True).status)
        settle(live, "libvirtd")
        wait_for(lambda: not api.query("/volume-snapshots", f"volumeUuid={live.volume}", "status!=Ready"), 15, "every snapshot Ready or gone")
        live.write(number, number + 1)
    live.holds()
    live.take("after")


def test_a_deletion_that_is_cancelled_changes_nothing(api, loaded):
    disk = loaded.disk
    one = disk.take("one")
    chain = disk.chain()
    job = disk.start_deleting(one)
    await_deletion(job, disk, one)
    api.call("DELETE", f"/api-jobs/{job.uuid}", check=False)
    if job.answer().status == 200:
        pytest.skip("the deletion was faster than its cancellation")
    assert disk.chain() == chain and disk.snapshot(one)["status"] == "Ready" and disk.snapshot(one)["latest"]
    loaded.is_whole()
    disk.delete(one)
    loaded.is_whole()


def test_a_disk_that_is_full_refuses_before_anything_is_done(own_host):
    own = own_host(CONFIG + '[primary_storage]\npath = "/var/lib/hvagent/small"\n')
    host = own.host
    host.stop("agent")
    host.exec("mount", "-t", "tmpfs", "-o", "size=120m", "small", "/var/lib/hvagent/small")
    host.start("agent")
    disks = Disks(own.api, host, own.world)
    disk = disks.create("small", 64)
    for block in range(40):
        disk.write(block, 1 + block)
    one = disk.take("one")
    disk.write(50, 3)
    disk.take("two")
    host.shell("dd if=/dev/zero of=/var/lib/hvagent/small/filler bs=1M count=48 2>/dev/null")
    refused = refusal(lambda: disk.delete(one))
    assert refused.codes[-1] == "PS.1000" and "merging" in refused.reason
    disk.holds()
    host.shell("dd if=/dev/zero of=/var/lib/hvagent/small/filler bs=1M 2>/dev/null; true")
    assert refusal(lambda: disk.take("three")).codes[-1] == "PS.1000"
    assert refusal(lambda: disk.revert(one)).codes[-1] == "PS.1000"
    disk.holds()
    host.exec("rm", "/var/lib/hvagent/small/filler")
    disk.delete(one)
    disk.holds()
    own.agrees()


# --- trees and faults by chance ---

class Chance:
    """Random operations on one volume of a VM, with deaths in the middle of some; the model knows what is legal."""

    def __init__(self, own, disks, seed):
        self.own = own
        self.rng = random.Random(seed)
        self.vm = own.world.create("chance")["uuid"]
        self.disk = disks.create("chance")
        disks.own = own
        own.host.guest_says(self.vm, "GUEST-UP")
        disks.plug(self.disk, self.vm)
        self.log = []

    def note(self, text):
        self.log.append(text)
        print(text)

    def settle(self, fault=None):
        """The VM as it is after a fault, known to the model."""
        host, api = self.own.host, self.own.api
        wait_for(host.listens, 20, "the agent")
        wait_for(host.try_connect, 20, "libvirtd")
        known = ("Stopped", "Crashed") if fault == "qemu" else ("Running", "Stopped", "Crashed")
        state = wait_for(lambda: (lambda s: s if s in known else None)(api.state(self.vm)), 20, "the truth")
        self.disk.inside = Inside(host, self.vm) if state == "Running" else None
        if self.disk.inside:
            self.disk.inside.await_disk(self.disk.volume)

    def power(self):
        running = self.disk.inside is not None
        self.note("stop" if running else "start")
        mark = len(self.own.host.serial(self.vm))
        self.own.api.start_action(self.vm, "stopVmInstance" if running else "startVmInstance", **({"type": "cold"} if running else {})).wait()
        if not running:
            self.own.host.guest_says(self.vm, "GUEST-UP", mark)
        self.settle()

    def fault(self):
        """One in three operations meets one."""
        if self.rng.random() < 0.67:
            return None
        return self.rng.choice(["agent", "agent", "libvirtd", "qemu"] if self.disk.inside else ["agent", "agent", "libvirtd"])

    def under_fault(self, what, submit):
        fault = self.fault()
        job = submit()
        if fault:
            time.sleep(self.rng.uniform(0, 0.12))
            kill(self.disk, fault)
        answer = job.answer(60, through_restarts=True)
        self.note(f"{what}, {fault or 'no fault'}: {answer.status}")
        if fault:
            self.settle(fault)
        elif answer.status != 200:
            raise AssertionError(f"{what} without a fault: {answer}")
        return answer

    def step(self):
        disk, rng = self.disk, self.rng
        for _ in range(rng.randrange(3)):
            disk.write(rng.randrange(BLOCKS), rng.randrange(1, 256))
        known = list(disk.snapshots())
        action = rng.choice(["take", "take", "take", "delete", "revert", "revert", "power"])
        if action == "power":
            self.power()
        elif action == "take" or not known:
            self.take()
        elif action == "delete":
            self.under_fault("delete", lambda: disk.start_deleting(rng.choice(known)))
            disk.forget_deleted()
        else:
            if disk.inside:
                self.power()
            self.revert(rng.choice(known))
        disk.blocks = disk.holds(disk.blocks)

    def take(self):
        disk = self.disk
        before = set(disk.snapshots())
        self.under_fault("take", disk.start_taking)
        for made in set(disk.snapshots()) - before:
            disk.held[made] = list(disk.blocks)

    def revert(self, target):
        disk = self.disk
        answer = self.under_fault("revert", lambda: disk.start_reverting(target))
        legal = [disk.held[target]] if answer.status == 200 else [disk.blocks, disk.held[target]]
        disk.blocks = list(disk.holds(*legal))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_random_trees_and_faults_keep_every_content(own_host):
    print(f"SEED={SEED}")
    own = own_host(CONFIG)
    disks = Disks(own.api, own.host, own.world)
    chance = Chance(own, disks, SEED)
    end = time.monotonic() + LENGTH_S
    steps = 0
    while time.monotonic() < end:
        chance.step()
        await_agreement(own.api, own.host, 10)
        steps += 1
    print(f"{steps} steps, {len(chance.disk.snapshots())} snapshots at the end")
    assert steps >= 5
