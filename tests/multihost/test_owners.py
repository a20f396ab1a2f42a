"""One VM on storage that several hosts see: whoever has it is named to everybody else who would start it."""
import contextlib
import shutil

import libvirt
import pytest

from client import ApiError
from controllers import own
from lab import wait_for

VIR_DOMAIN_START_PAUSED = 1


@pytest.fixture
def foreign_domains():
    started = []

    def start(node, disk):
        """A domain of somebody else that has the disk open, with its processors stopped."""
        domain = node.host.libvirt.createXML(f"""
            <domain type='qemu'>
              <name>somebody-else</name><memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os>
              <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{disk}'/>
                <target dev='vda' bus='virtio'/></disk></devices>
            </domain>""", VIR_DOMAIN_START_PAUSED)
        started.append(domain)
        return domain

    yield start
    for domain in started:
        with contextlib.suppress(libvirt.libvirtError):  # ended by the test
            domain.destroy()


@pytest.fixture
def leases(cluster):
    """virtlockd keeps a lease on each disk in use, in all hosts."""
    def configure(node, script):
        node.host.shell(script)
        node.host.restart("libvirtd")
        wait_for(lambda: node.host.libvirt.isAlive(), 30, "libvirtd")

    for node in cluster.nodes:
        configure(node, "cp /etc/libvirt/qemu.conf /run/qemu.conf.before; echo 'lock_manager = \"lockd\"' >>/etc/libvirt/qemu.conf; "
                        "virtlockd --daemon --pid-file /run/virtlockd.test.pid")
    yield
    for node in cluster.nodes:
        configure(node, "cp /run/qemu.conf.before /etc/libvirt/qemu.conf; kill $(cat /run/virtlockd.test.pid)")


def start_refused(node, vm):
    with pytest.raises(ApiError) as refusal:
        node.api.act(vm, "startVmInstance")
    assert "VM.1001" in refusal.value.codes, refusal.value
    assert node.domain_state(vm) is None and node.api.state(vm) == "Stopped"
    return refusal.value.reason


class OldStore:
    """What the agent of a host knows now, put back later: a backup, or a host that slept."""

    FILES = ("hvagent.db", "hvagent.db-wal", "hvagent.db-shm")

    def __init__(self, node, directory):
        self.node, self.directory = node, directory
        self._while_stopped(self._save)

    def put_back(self):
        self._while_stopped(self._restore)

    def _while_stopped(self, work):
        self.node.host.stop("agent")
        work()
        self.node.host.start("agent")
        wait_for(self.node.host.listens, 60, "the agent")
        self.node.api.login(self.node.host.password)

    def _save(self):
        for name in self.FILES:
            if (self.node.host.state / name).exists():
                shutil.copy2(self.node.host.state / name, self.directory / name)

    def _restore(self):
        for name in self.FILES:
            (self.node.host.state / name).unlink(missing_ok=True)
            if (self.directory / name).exists():
                shutil.copy2(self.directory / name, self.node.host.state / name)


def test_records_from_before_a_move_neither_start_nor_change_nor_remove_the_vm(cluster, mover, tmp_path):
    here, there, _ = cluster.nodes
    vm = mover.create(here, "owned", primaryStorageUuidForRootVolume=cluster.share())
    epoch = here.api.vm(vm)["epoch"]
    old = OldStore(here, tmp_path)
    assert mover.move(here, vm, there)["inventory"]["epoch"] > epoch
    there.api.act(vm, "stopVmInstance", type="cold")
    old.put_back()

    # Nothing holds a lock on its disk now.
    reason = start_refused(here, vm)
    assert f"belongs to host {there.name} ({there.host.address}" in reason, reason
    assert f"up to epoch {epoch}" in reason, reason
    root = here.api.vm(vm)["rootVolumeUuid"]
    for method, path, params in (("POST", f"/volumes/{root}/volume-snapshots", {"params": {"name": "stale"}}),
                                 ("PUT", f"/volumes/resize/{root}/actions", {"resizeRootVolume": {"size": 1 << 30}})):
        with pytest.raises(ApiError) as refusal:
            here.api.run(method, path, params)
        assert f"belongs to host {there.name}" in refusal.value.reason, refusal.value
    found = own(here.api, "GET", "/hvagent/v1/doctor")["findings"]
    assert [one["kind"] for one in found if vm in one["details"]] == ["VmOfAnotherHost"], found
    here.api.run("DELETE", f"/vm-instances/{vm}")
    here.api.act(vm, "expungeVmInstance")
    assert here.api.find_vm(vm) is None
    there.api.act(vm, "startVmInstance")
    there.host.guest_says(vm, "GUEST-UP", timeout_s=90)
    assert cluster.await_one(vm) is there
    cluster.check_agreement()


def test_whoever_has_its_disk_open_is_named(cluster, mover, foreign_domains):
    here, there, _ = cluster.nodes
    vm = mover.create(here, "contested", primaryStorageUuidForRootVolume=cluster.share())
    disk = here.api.vm(vm)["allVolumes"][0]["installPath"]
    here.api.act(vm, "stopVmInstance", type="cold")

    other = foreign_domains(here, disk)
    assert f"{disk} is locked by the VM somebody-else that runs on this host" in start_refused(here, vm)
    other.destroy()
    other = foreign_domains(there, disk)
    assert f"{disk} is locked by a process that is no VM of this host" in start_refused(here, vm)
    other.destroy()
    here.api.act(vm, "startVmInstance")
    assert here.api.state(vm) == "Running"


def test_a_start_that_knows_an_older_life_is_refused(cluster, mover):
    here, there, _ = cluster.nodes
    vm = mover.create(here, "fenced", primaryStorageUuidForRootVolume=cluster.share())
    known = here.api.vm(vm)["epoch"]
    mover.move(here, vm, there)
    there.api.act(vm, "stopVmInstance", type="cold")
    with pytest.raises(ApiError) as refusal:
        there.api.act(vm, "startVmInstance", epoch=known)
    assert "started or moved since" in refusal.value.reason
    assert there.api.act(vm, "startVmInstance", epoch=known + 1)["state"] == "Running"


def has_lease(node, disk):
    inode = node.host.shell(f"stat -c %i {disk}").strip()
    return any(f":{inode} " in line for line in node.host.shell("grep POSIX /proc/locks").splitlines())


def test_leases_of_virtlockd_go_along(cluster, mover, leases):
    here, there, _ = cluster.nodes
    vm = mover.create(here, "leased", primaryStorageUuidForRootVolume=cluster.share())
    disk = here.api.vm(vm)["allVolumes"][0]["installPath"]
    assert has_lease(here, disk) and not has_lease(there, disk)
    mover.move(here, vm, there)
    assert cluster.await_one(vm) is there
    assert has_lease(there, disk) and not has_lease(here, disk)
    there.api.act(vm, "stopVmInstance", type="cold")
    assert not has_lease(there, disk)
