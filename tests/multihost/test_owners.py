"""One VM on storage that several hosts see: whoever has it is named to everybody else who would start it."""
import contextlib
import shutil

import libvirt
import pytest

from client import ApiError
from lab import wait_for

VIR_DOMAIN_START_PAUSED = 1


@pytest.fixture
def foreign_domains():
    started = []

    def start(node, disk):
        """A domain of somebody else, with its processors stopped, that has the disk open."""
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


def test_records_from_before_a_move_neither_start_nor_remove_the_vm(cluster, mover, tmp_path):
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
