"""Whatever dies while a VM moves, one copy of it is left, and both agents know which."""
import pytest

from conftest import check_alive, counter_of, ended, start_counter
from lab import NotInTime, wait_for

SLOW = ["migration::bandwidth::8388608"]


def begin(cluster, mover, storage):
    """A VM with a counter on its disk, half-way from the first to the second host."""
    here, there, _ = cluster.nodes
    where = {"primaryStorageUuidForRootVolume": cluster.share()} if storage == "shared" else {}
    vm = mover.create(here, f"moves {storage}", **where)
    start_counter(here, vm)
    count = counter_of(here, vm)
    job = mover.start_move(here, vm, there, SLOW)
    wait_for(lambda: under_way(here, vm), 60, "a move under way", 0.1)
    return vm, job, count


def under_way(node, vm):
    import libvirt
    try:
        info = node.host.domain(vm).jobStats()
        return info.get("data_processed", 0) > 0
    except libvirt.libvirtError:
        return False


def check_answer_is_true(cluster, job, node):
    answer = wait_for(lambda: ended(job), 90, "the end of the job", 0.5)
    if answer.status == 200:
        assert answer.body["inventory"]["hostUuid"] == node.uuid
    else:
        assert node is cluster.nodes[0], f"the job failed, and the VM is on {node.name}: {answer}"


@pytest.mark.parametrize("storage", ["local", "shared"])
@pytest.mark.parametrize("victim", ["source agent", "destination agent", "source libvirtd", "destination libvirtd"])
def test_a_daemon_dies(cluster, mover, victim, storage):
    vm, job, count = begin(cluster, mover, storage)
    end, daemon = victim.split()
    cluster.nodes[0 if end == "source" else 1].host.kill(daemon)
    node = check_alive(cluster, vm, count)
    check_answer_is_true(cluster, job, node)


@pytest.mark.parametrize("storage", ["local", "shared"])
def test_the_qemu_at_the_destination_dies(cluster, mover, storage):
    vm, job, count = begin(cluster, mover, storage)
    cluster.nodes[1].host.signal_qemu(vm, "KILL")
    assert check_alive(cluster, vm, count) is cluster.nodes[0]
    check_answer_is_true(cluster, job, cluster.nodes[0])


def test_the_qemu_at_the_source_dies(cluster, mover):
    vm, job, _ = begin(cluster, mover, "local")
    here, there, _ = cluster.nodes
    here.host.signal_qemu(vm, "KILL")
    answer = wait_for(lambda: ended(job), 90, "the end of the job", 0.5)
    assert answer.status == 503, answer
    wait_for(lambda: here.api.state(vm) in ("Stopped", "Crashed"), 60, lambda: f"{vm} is {here.api.state(vm)}")
    wait_for(lambda: not there.host.has_domain(vm) and not there.api.find_vm(vm), 60, "nothing at the destination")
    assert cluster.running_at(vm) == []
    here.api.act(vm, "startVmInstance")
    assert cluster.await_one(vm) is here
    cluster.check_agreement()


@pytest.mark.parametrize("storage", ["local", "shared"])
def test_the_link_is_cut(cluster, mover, storage):
    vm, job, count = begin(cluster, mover, storage)
    cluster.lab.run("link", "h2", "down")
    try:
        answer = wait_for(lambda: ended(job), 200, "the end of the job", 0.5)
        assert answer.status == 503, answer
        assert len(cluster.running_at(vm)) <= 1
    finally:
        cluster.lab.run("link", "h2", "up")
    assert check_alive(cluster, vm, count) is cluster.nodes[0]


def begin_post_copy(cluster, mover, name, with_counter):
    here, there, _ = cluster.nodes
    vm = mover.create(here, name, primaryStorageUuidForRootVolume=cluster.share())
    if with_counter:
        start_counter(here, vm)
    job = mover.start_move(here, vm, there, [*SLOW, "migration::when_stuck::post_copy"])
    wait_for(lambda: under_way(here, vm), 60, "a move under way", 0.1)
    here.host.exec("virsh", "migrate-postcopy", vm)
    wait_for(lambda: "post-copy" in reason_of(there, vm), 20, "post-copy")
    return vm, job


def reason_of(node, vm):
    return node.host.shell(f"virsh domstate --reason {vm} 2>&1 || true")


def test_the_link_is_cut_in_post_copy(cluster, mover):
    """The memory is on both hosts then, and none of them can go on alone."""
    vm, job = begin_post_copy(cluster, mover, "in two halves", True)
    here, there, _ = cluster.nodes
    cluster.lab.run("link", there.name, "down")
    try:
        wait_for(lambda: "failed" in reason_of(here, vm), 60, "the loss noticed", 0.5)
    finally:
        cluster.lab.run("link", there.name, "up")
    assert check_alive(cluster, vm, 1) is there
    wait_for(lambda: ended(job), 60, "the end of the job", 0.5)


def answers(node, vm):
    """Whether its QEMU does."""
    return node.host.exec("timeout", "5", "virsh", "qemu-monitor-command", vm, '{"execute":"query-status"}', check=False).returncode == 0


def test_a_post_copy_whose_stream_breaks_is_resumed(cluster, mover):
    # A guest that does nothing: a QEMU whose main loop waits for memory to come is beyond libvirt's reach.
    vm, job = begin_post_copy(cluster, mover, "resumed", False)
    here, there, _ = cluster.nodes
    here.host.exec("virsh", "qemu-monitor-command", vm, '{"execute":"migrate-pause"}')
    try:
        answer = wait_for(lambda: ended(job), 20, "the end of the job", 0.5)
    except NotInTime:
        answer = None
    if (answer is None or answer.status != 200) and not answers(there, vm):
        for node in (there, here):
            node.host.signal_qemu(vm, "KILL")
        wait_for(lambda: here.api.state(vm) in ("Stopped", "Crashed"), 60, lambda: f"{vm} is {here.api.state(vm)}")
        pytest.skip("the destination's QEMU waits for the guest's memory with its main loop, so that libvirt cannot reach it")
    answer = answer or wait_for(lambda: ended(job), 60, "the end of the job", 0.5)
    assert answer.status == 200, answer
    assert cluster.await_one(vm) is there
    there.api.act(vm, "rebootVmInstance")
    cluster.check_agreement()
