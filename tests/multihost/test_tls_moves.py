"""Moves over TLS, the default: what goes over the cable cannot be read, and without fitting certificates nothing moves."""
import secrets

import pytest

from conftest import NAME, a_cluster, inside, start_counter, stop_writing
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
    restart(source)
    yield
    config.write_text(usual)
    restart(source)


def restart(host):
    host.restart("agent")


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
