"""The variables of a UEFI guest, which libvirt neither copies nor removes, are where the VM is and nowhere else."""
from xml.etree import ElementTree

import pytest

from client import ApiError
from conftest import inside
from lab import wait_for

UEFI = ["bootMode::UEFI"]
SLOW = ["migration::bandwidth::8388608"]


def create(cluster, mover, name, storage="local"):
    where = {"primaryStorageUuidForRootVolume": cluster.share()} if storage == "shared" else {}
    return mover.create(cluster.nodes[0], name, tags=UEFI, **where)


def nvram(node, vm):
    return ElementTree.fromstring(node.host.xml(vm)).find("os/nvram")


def content(node, path):
    return (node.host.root / path.lstrip("/")).read_bytes()


def written_variables(node, vm):
    """Where they are, and what the firmware made of the template."""
    element = nvram(node, vm)
    seen = content(node, element.text)
    assert seen != content(node, element.get("template")), "the firmware wrote nothing, so nothing could be lost"
    return element.text, seen


@pytest.mark.parametrize("storage", ["local", "shared"])
def test_the_variables_go_along_and_back(cluster, mover, storage):
    here, there, _ = cluster.nodes
    vm = create(cluster, mover, f"uefi {storage}", storage)
    path, variables = written_variables(here, vm)
    mover.move(here, vm, there)
    assert cluster.await_one(vm) is there
    assert nvram(there, vm).text == path
    assert content(there, path) == variables and not here.host.has_file(path)
    there.api.act(vm, "stopVmInstance", type="cold")
    there.api.act(vm, "startVmInstance")
    there.host.guest_says(vm, "GUEST-UP", timeout_s=90)
    cluster.check_agreement()

    variables = content(there, path)
    mover.move(there, vm, here)
    assert cluster.await_one(vm) is here
    assert content(here, path) == variables and not there.host.has_file(path)
    inside(here, vm).sh("true")
    here.world.remove(vm)
    assert not here.host.has_file(path)


def test_a_guest_that_arrives_paused_and_is_ended_keeps_them(cluster, mover):
    """QEMU would write them only when it goes on."""
    here, there, _ = cluster.nodes
    vm = create(cluster, mover, "uefi paused")
    here.api.act(vm, "pauseVmInstance")
    path, variables = written_variables(here, vm)
    mover.move(here, vm, there)
    assert cluster.await_one(vm, "Paused") is there
    there.api.act(vm, "stopVmInstance", type="cold")
    assert content(there, path) == variables and not here.host.has_file(path)


def test_a_move_that_fails_leaves_them_at_the_source_only(cluster, mover):
    here, there, _ = cluster.nodes
    vm = create(cluster, mover, "uefi stays")
    path, variables = written_variables(here, vm)
    job = mover.start_move(here, vm, there, SLOW)
    wait_for(lambda: there.host.qemu_pid(vm) and there.host.has_file(path), 60, "a QEMU at the destination", 0.05)
    there.host.signal_qemu(vm, "KILL")
    with pytest.raises(ApiError):
        job.wait(120)
    assert cluster.await_one(vm) is here
    assert content(here, path) == variables
    wait_for(lambda: not there.host.has_file(path), 30, "no variables at the destination")
    assert not there.host.shell(f"ls -a $(dirname {path}) | grep -v '^[.]*$' || true").strip(), "nor anything else"
