"""An agent that is stopped and started every few seconds while clients work: nothing fails in their eyes. RESTART_SECONDS changes
the length of the run, RESTART_SEED repeats it."""
import hashlib
import os
import random
import time

import pytest

from agree import await_agreement
from client import new_uuid
from conftest import CONFIG, MIB
from insistent import InsistentClient
from lab import wait_for
from servers import BreakingServer

LENGTH_S = float(os.environ.get("RESTART_SECONDS", "60"))
SEED = int(os.environ.get("RESTART_SEED", str(random.randrange(10**9))))
COPY_MIB = 96
COPY_RATE_MIB = 8  # it takes longer than a job is let go on when the agent stops: some copies are interrupted, and taken up by the next life
TURNS = {"Running": ["pauseVmInstance", "stopVmInstance", "rebootVmInstance"], "Paused": ["resumeVmInstance", "stopVmInstance"],
         "Stopped": ["startVmInstance"]}
AFTER = {"pauseVmInstance": "Paused", "stopVmInstance": "Stopped", "rebootVmInstance": "Running", "resumeVmInstance": "Running",
         "startVmInstance": "Running"}


class Client(InsistentClient):
    """Does what ZStack's clients do: a connection that is refused or breaks means the same request again."""

    def __init__(self, own, end):
        super().__init__(own, end)
        self.done = 0

    def order(self, submit):
        """One job of a uuid of ours, asked for until it is taken; it must succeed."""
        job = new_uuid()
        accepted = self.insist(lambda: submit(job))
        assert accepted.uuid == job
        give_up = time.monotonic() + 120
        while self.insist(accepted.poll).status == 202:
            assert time.monotonic() < give_up, f"job {job} does not end"
            time.sleep(0.05)
        result = accepted.wait(10, through_restarts=True)
        self.done += 1
        return result


class PowerClient(Client):
    """Changes the state of a VM of its own, and knows what it must be."""

    def __init__(self, own, end, vm, rng):
        super().__init__(own, end)
        self.vm = vm
        self.random = random.Random(rng.random())

    def work(self):
        state = "Running"
        while time.monotonic() < self.end:
            action = self.random.choice(TURNS[state])
            params = {"type": "cold"} if action == "stopVmInstance" else {}
            self.order(lambda job: self.api.start_action(self.vm, action, job=job, **params))
            state = AFTER[action]
            assert self.seen_state() == state, f"after {action}"

    def seen_state(self):
        """Of an agent that has just begun every VM is Unknown, until libvirt has shown it."""
        give_up = time.monotonic() + 15
        while True:
            state = self.insist(lambda: self.api.state(self.vm))
            if state != "Unknown" or time.monotonic() > give_up:
                return state
            time.sleep(0.02)


class CopyClient(Client):
    """Adds images, deletes and expunges them; remembers the checksum of what became of each."""

    def __init__(self, own, end, source):
        super().__init__(own, end)
        self.source = source
        self.host = own.host
        self.checksums = []

    def work(self):
        while time.monotonic() < self.end:
            body = {"params": {"name": "copied", "url": self.source, "format": "raw", "backupStorageUuids": [self.world.backup]}}
            image = self.order(lambda job: self.api.submit("POST", "/images", body, job=job))["inventory"]
            path = image["backupStorageRefs"][0]["installPath"]
            self.checksums.append(self.host.shell(f"sha256sum {path}").split()[0])
            self.order(lambda job: self.api.submit("DELETE", f"/images/{image['uuid']}", job=job))
            self.order(lambda job: self.api.submit("PUT", f"/images/{image['uuid']}/actions", {"expungeImage": {}}, job=job))


def restart_again_and_again(host, rng, end):
    restarts = 0
    while time.monotonic() < end:
        before = host.daemons()["hvagentd"]["pid"]
        host.signal("agent", "TERM")
        wait_for(lambda: (host.daemons()["hvagentd"].get("pid") or before) != before and host.listens(), 60, "the next life of the agent", 0.1)
        restarts += 1
        time.sleep(rng.uniform(1, 4))
    return restarts


@pytest.mark.slow
@pytest.mark.timeout(600 + int(LENGTH_S))
def test_restarts_under_load_fail_no_command_end_no_vm_and_break_no_copy(own_host):
    print(f"RESTART_SEED={SEED}")
    rng = random.Random(SEED)
    own = own_host(CONFIG)
    source = own.host.shared / "to-be-copied.raw"
    source.write_bytes(rng.randbytes(COPY_MIB * MIB))
    expected = hashlib.sha256(source.read_bytes()).hexdigest()
    steady = [own.world.create(f"steady {number}", memorySize=128 * MIB)["uuid"] for number in range(2)]
    moved = [own.world.create(f"moved {number}", memorySize=128 * MIB)["uuid"] for number in range(2)]
    pids = {vm: own.host.qemu_pid(vm) for vm in steady}
    end = time.monotonic() + LENGTH_S
    server = BreakingServer(own.host.gateway, source, bytes_per_s=COPY_RATE_MIB * MIB)
    copier = CopyClient(own, end, server.url)
    clients = [copier, *(PowerClient(own, end, vm, rng) for vm in moved)]
    for client in clients:
        client.start()
    restarts = restart_again_and_again(own.host, rng, end)
    for client in clients:
        client.join(180)
        if client.trouble:
            raise client.trouble
        assert not client.is_alive()
    server.shutdown()
    server.server_close()
    print(f"{restarts} restarts, {sum(client.done for client in clients)} jobs, {sum(client.repeated for client in clients)} requests sent again, "
          f"{len(copier.checksums)} copies")
    assert "interrupting running jobs" in (own.host.dir / "log" / "hvagentd.log").read_text(), "no copy was interrupted"
    assert restarts >= LENGTH_S / 20 and all(client.done >= 3 for client in clients)
    assert any(client.repeated for client in clients), "no request met a restart"
    assert copier.checksums and set(copier.checksums) == {expected}
    assert {vm: own.host.qemu_pid(vm) for vm in steady} == pids
    for vm in steady:
        assert own.api.state(vm) == "Running"
    await_agreement(own.api, own.host, 20)
