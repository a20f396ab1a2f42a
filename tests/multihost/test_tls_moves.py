"""Moves over TLS, the default: what goes over the cable cannot be read, and without fitting certificates nothing moves."""
import secrets

import pytest

from client import ApiError
from conftest import NAME, a_cluster, inside, start_counter, stop_writing
from lab import wait_for
from wire import Wire

MIB = 1024 * 1024
STEADY = "migration::bandwidth::67108864"  # no faster than it can be read


@pytest.fixture(scope="module")
def cluster():
    with a_cluster(f"{NAME}-tls", 2, tls=True) as cluster:
        yield cluster


@pytest.fixture
def in_the_clear(cluster):
    """The source's agent, configured to send without TLS."""
    source = cluster.nodes[0].host
    config = source.dir / "etc" / "hvagentd.toml"
    usual = config.read_text()
    config.write_text(usual.replace("tls = true", "tls = false"))
    source.restart("agent")
    yield
    config.write_text(usual)
    source.restart("agent")


class Certificates:
    """What one test does to them is undone after it."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.changed = []

    def change(self, node, whose, issuer):
        self.changed.append((node, whose))
        self.put(node, whose, issuer)
        self.cluster.await_calm()

    def put(self, node, whose, issuer):
        self.cluster.lab.run("certificates", node.name, whose, issuer)
        if whose == "libvirt" and issuer != "none":
            node.host.restart("libvirtd")

    def restore(self):
        for node, whose in self.changed:
            self.put(node, whose, "ours")
        self.cluster.await_calm()


@pytest.fixture
def certificates(cluster):
    certificates = Certificates(cluster)
    yield certificates
    certificates.restore()


def marked_vm(cluster, mover, name, **params):
    """A VM with a mark all over 16 MiB of its memory and another one over 16 MiB of its disk."""
    marks = {"memory": secrets.token_hex(32), "disk": secrets.token_hex(32)}
    here = cluster.nodes[0]
    vm = mover.create(here, name, **params)
    guest = inside(here, vm)
    guest.sh(f"yes {marks['memory']} | head -n 258111 >/run/mark")
    guest.sh(f"yes {marks['disk']} | head -n 258111 >/data/mark && sync")
    return vm, marks


def move_watched(cluster, mover, vm, marks, tags=(), **params):
    here, there = cluster.nodes
    with Wire(there.host, **marks) as wire:
        answer = mover.start_move(here, vm, there, [STEADY, *tags], **params).wait(120)
    assert answer["inventory"]["hostUuid"] == there.uuid
    assert cluster.await_one(vm) is there
    return wire.streams


def shown(streams):
    return {port: (f"{size / MIB:.1f} MiB", seen) for port, (size, seen) in streams.items()}


def test_the_wire_is_really_read(cluster, mover, in_the_clear):
    """The control: sent in the clear, as only the configuration can make it, both streams show what they carry."""
    vm, marks = marked_vm(cluster, mover, "in the clear")
    streams = move_watched(cluster, mover, vm, marks)
    seen = [found for _, found in streams.values()]
    assert any("memory" in found for found in seen), shown(streams)
    assert {"disk"} in seen, f"no stream of a disk alone: {shown(streams)}"


@pytest.mark.parametrize("way", ["plain", "parallel", "compressed", "driven by the destination"])
def test_memory_and_local_disks_are_encrypted(cluster, mover, way):
    vm, marks = marked_vm(cluster, mover, way)
    start_counter(cluster.nodes[0], vm)
    tags = {"parallel": ["migration::parallel_connections::2"], "compressed": ["migration::compressed::true"]}.get(way, [])
    params = {"migrateFromDestination": True} if way.startswith("driven") else {}
    streams = move_watched(cluster, mover, vm, marks, tags, **params)
    # 16 MiB each, so both were looked at.
    assert len([size for size, _ in streams.values() if size > 16 * MIB]) == 2, shown(streams)
    assert not any(found for _, found in streams.values()), shown(streams)
    guest = inside(cluster.nodes[1], vm)
    assert stop_writing(guest) > 0
    guest.sh("lab write-check")
    assert guest.sh("sort -u /data/mark /run/mark | wc -l") == "2"
    cluster.check_agreement()


def test_memory_is_encrypted_on_shared_storage(cluster, mover):
    vm, marks = marked_vm(cluster, mover, "shared", primaryStorageUuidForRootVolume=cluster.share())
    streams = move_watched(cluster, mover, vm, marks)
    assert len(streams) == 1 and not any(found for _, found in streams.values()), shown(streams)
    assert all(size > 32 * MIB for size, _ in streams.values()), shown(streams)
    cluster.check_agreement()


@pytest.mark.parametrize("side, issuer, cause", [
    ("source", "none", "cacert.pem"), ("source", "foreign", "certificate"), ("destination", "foreign", "certificate")])
def test_where_libvirt_lets_nobody_in_nothing_is_touched(cluster, mover, certificates, side, issuer, cause):
    here, there = cluster.nodes
    vm = mover.create(here, f"stays, {issuer} at the {side}")
    certificates.change(here if side == "source" else there, "libvirt", issuer)
    reasons = wait_for(lambda: [one["reasons"] for one in here.api.get(f"/vm-instances/{vm}/migration-target-hosts")["unsuitable"]],
                       10, "the destination is no candidate")
    assert len(reasons[0]) == 1 and "does not let this host in" in reasons[0][0] and cause in reasons[0][0], reasons

    with pytest.raises(ApiError) as refusal:
        mover.move(here, vm, there)
    assert "HOST_ALLOCATION.1000" in refusal.value.codes and cause in refusal.value.reason, refusal.value
    assert cluster.await_one(vm) is here
    assert not there.host.has_file(here.api.vm(vm)["allVolumes"][0]["installPath"])
    assert "vm departs" not in log_of(here, vm) and "migration" not in log_of(there, vm)


@pytest.mark.parametrize("side, issuer, storage", [
    ("source", "none", "local"), ("source", "foreign", "shared"), ("destination", "none", "shared"),
    ("destination", "foreign", "local")])
def test_where_qemu_trusts_nobody_the_vm_stays_and_the_job_says_why(cluster, mover, certificates, side, issuer, storage):
    here, there = cluster.nodes
    where = {"primaryStorageUuidForRootVolume": cluster.share()} if storage == "shared" else {}
    vm = mover.create(here, f"stays on {storage}, {issuer} at the {side}", **where)
    start_counter(here, vm)
    path = here.api.vm(vm)["allVolumes"][0]["installPath"]
    certificates.change(here if side == "source" else there, "qemu", issuer)
    with pytest.raises(ApiError) as failure:
        mover.move(here, vm, there)
    assert "cert" in failure.value.reason, failure.value
    assert "stays on this host" in failure.value.reason
    assert cluster.await_one(vm) is here
    assert here.host.has_file(path) and there.host.has_file(path) == (storage == "shared")
    guest = inside(here, vm)
    assert stop_writing(guest) > 0
    guest.sh("lab write-check")
    cluster.check_agreement()


def log_of(node, vm):
    return "".join(line for line in (node.host.dir / "log" / "hvagentd.log").read_text().splitlines(True) if vm in line)
