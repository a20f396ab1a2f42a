"""Clients at work while hvagentd and libvirtd are killed at random. At the end every job has exactly one answer, and inventory,
libvirt and files agree. KILL_SEED repeats a run, KILL_SECONDS changes its length."""
import os
import random
import time

import pytest
import requests

from agree import await_agreement
from client import new_uuid
from conftest import CONFIG
from insistent import InsistentClient
from lab import wait_for

SEED = int(os.environ.get("KILL_SEED", random.randrange(1 << 30)))
LENGTH_S = float(os.environ.get("KILL_SECONDS", 45))
CLIENTS = 3
OPERATIONS = {
    "Running": ["stopVmInstance", "pauseVmInstance", "pauseVmInstance", "rebootVmInstance", "destroy"],
    "Paused": ["resumeVmInstance", "resumeVmInstance", "stopVmInstance"],
    "Stopped": ["startVmInstance", "startVmInstance", "destroy"],
    "Crashed": ["startVmInstance", "destroy"],
    "Destroyed": ["recoverVmInstance", "expungeVmInstance"],
}


class Client(InsistentClient):
    """Works on a VM of its own; sends a request again, under the same job uuid, until it is accepted."""

    broken = requests.RequestException

    def __init__(self, own, number, seed, end):
        super().__init__(own, end)
        self.password = own.host.password
        self.number = number
        self.random = random.Random(seed)
        self.jobs = []

    def work(self):
        while time.monotonic() < self.end:
            self.step()

    def step(self):
        vms = self.insist(lambda: self.api.query("/vm-instances", f"name=client-{self.number}"))
        job = new_uuid()
        if not vms:
            body = {"params": self.world.vm_params(f"client-{self.number}", memorySize=64 << 20)}
            what, call = "create", lambda: self.api.submit("POST", "/vm-instances", body, job=job)
        else:
            vm, state = vms[0]["uuid"], vms[0]["state"]
            what = self.random.choice(OPERATIONS.get(state, ["stopVmInstance"]))
            if what == "destroy":
                def call():
                    return self.api.submit("DELETE", f"/vm-instances/{vm}", job=job)
            else:
                params = {"type": self.random.choice(["cold", "cold", "grace"])} if what == "stopVmInstance" else {}

                def call():
                    return self.api.start_action(vm, what, job=job, **params)
        accepted = self.insist(call)
        assert accepted.uuid == job
        self.jobs.append((what, accepted))
        if self.random.random() < 0.8:  # the others are left to run
            accepted.answer(60, through_restarts=True)


def kill_at_random(host, rng, end):
    kills = []
    while time.monotonic() < end:
        time.sleep(rng.uniform(0.3, 3))
        daemon = rng.choice(["agent", "agent", "libvirtd"])
        host.lab.run("signal", host.name, daemon, "KILL", check=False)  # it may be down from the last one
        kills.append(daemon)
    return kills


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_random_kills_under_load_lose_no_job_and_leave_no_lie(own_host):
    print(f"KILL_SEED={SEED}")
    rng = random.Random(SEED)
    own = own_host(CONFIG.replace("stop_grace = 6", "stop_grace = 2"))
    own.world.image()
    end = time.monotonic() + LENGTH_S
    clients = [Client(own, number, rng.random(), end) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    kills = kill_at_random(own.host, rng, end)
    for client in clients:
        client.join(120)
        assert not client.is_alive()
        if client.trouble:
            raise client.trouble

    wait_for(own.host.listens, 10, "the agent")
    wait_for(own.host.try_connect, 10, "libvirtd")
    jobs = [job for client in clients for job in client.jobs]
    answers = {}
    for what, job in jobs:
        answer = job.answer(90, through_restarts=True)
        assert answer.status in (200, 503), (what, answer)
        answers[job.uuid] = answer.body
    failed = [(what, answers[job.uuid]["error"]) for what, job in jobs if "error" in answers[job.uuid]]
    print(f"{len(jobs)} jobs, {len(failed)} failed, {kills.count('agent')} kills of hvagentd, {kills.count('libvirtd')} of libvirtd")
    for what, error in failed:
        assert error["code"] != "SYS.1000", (what, error)
    own.host.kill("agent")
    wait_for(own.host.listens, 10, "the agent")
    for what, job in jobs:
        assert job.answer(30, through_restarts=True).body == answers[job.uuid], what
    await_agreement(own.api, own.host, 20)
    assert len(jobs) >= CLIENTS * 3
