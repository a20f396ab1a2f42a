"""A busy guest goes to and fro over cables that are slow, and something breaks at a random moment of most moves."""
import os
import random
import time

import pytest

from client import ApiError
from conftest import check_alive, counter_of, ended, inside, start_counter
from lab import wait_for

SECONDS = float(os.environ.get("HVAGENT_TO_AND_FRO_SECONDS", "45"))  # for each storage
SEED = os.environ.get("HVAGENT_SEED", "1")  # of the faults, not of when they hit; "random" for new ones
if SEED == "random":
    SEED = str(random.SystemRandom().randrange(10**6))
RATES = ["200mbit", "400mbit", "800mbit"]
DELAYS = ["1ms", "5ms", "20ms"]
DIRTY_MIB = 12


class Journey:
    def __init__(self, cluster, seed, say):
        self.cluster = cluster
        self.nodes = cluster.nodes[:2]
        self.dice = random.Random(seed)
        self.say = say
        self.delays = [None]
        if cluster.lab.run("limit", self.nodes[0].name, RATES[0], DELAYS[0], check=False).returncode == 0:
            self.delays += DELAYS
        else:
            say("SKIPPED delays: this kernel has no netem")

    def limit_cables(self):
        rate, delay = self.dice.choice(RATES), self.dice.choice(self.delays)
        for node in self.nodes:
            self.cluster.lab.run("limit", node.name, rate, *([delay] if delay else []))
        return rate, delay

    def free_cables(self):
        for node in self.nodes:
            self.cluster.lab.run("limit", node.name, "none")
            self.cluster.lab.run("link", node.name, "up")

    # --- what breaks ---

    def nothing(self, here, there, vm, job):
        pass

    def source_agent(self, here, there, vm, job):
        here.host.kill("agent")

    def destination_agent(self, here, there, vm, job):
        there.host.kill("agent")

    def source_libvirtd(self, here, there, vm, job):
        here.host.kill("libvirtd")

    def destination_libvirtd(self, here, there, vm, job):
        there.host.kill("libvirtd")

    def destination_qemu(self, here, there, vm, job):
        """Only while it is arriving: once the VM runs there, it would be killed itself."""
        there.host.shell(f"pid=$(cat /run/libvirt/qemu/{vm}.pid 2>/dev/null) && "
                         f"virsh list --state-paused --name | grep -q {vm} && kill -KILL $pid; true")

    def source_link(self, here, there, vm, job):
        self.cut(here)

    def destination_link(self, here, there, vm, job):
        self.cut(there)

    def cut(self, node):
        self.cluster.lab.run("link", node.name, "down")
        time.sleep(self.dice.uniform(0.5, 9))
        self.cluster.lab.run("link", node.name, "up")

    def cancellation(self, here, there, vm, job):
        try:
            here.api.call("DELETE", f"/api-jobs/{job.uuid}")
        except ApiError:
            pass  # over already

    FAULTS = [nothing, source_agent, destination_agent, source_libvirtd, destination_libvirtd, destination_qemu, source_link,
              destination_link, cancellation]

    def hop(self, mover, vm, here):
        """One move; returns where the VM is then."""
        there = next(node for node in self.nodes if node is not here)
        limits, fault, moment = self.limit_cables(), self.dice.choice(self.FAULTS), self.dice.uniform(0, 5)
        start_counter(here, vm)
        count = counter_of(here, vm)
        began = time.monotonic()
        job = mover.start_move(here, vm, there)
        time.sleep(moment)
        over = ended(job) is not None
        fault(self, here, there, vm, job)
        answer = wait_for(lambda: ended(job), 200, "the end of the job", 0.2)
        took = time.monotonic() - began
        self.free_cables()
        node = check_alive(self.cluster, vm, count)
        told = f"{here.name} to {there.name} at {limits}, {fault.__name__} after {moment:.1f} s{' (over)' if over else ''}: " \
               f"{answer.status} in {took:.1f} s, the VM is on {node.name}"
        self.say(told)
        assert (answer.status == 200) == (node is there), f"{told}: {answer}"
        if answer.status == 200:
            assert answer.body["inventory"]["hostUuid"] == there.uuid, told
        return node


@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.parametrize("storage", ["local", "shared"])
def test_to_and_fro(cluster, mover, storage, capsys):
    def say(text):
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    say(f"{storage}: HVAGENT_SEED={SEED}")
    journey = Journey(cluster, f"{SEED} {storage}", say)
    here = cluster.nodes[0]
    where = {"primaryStorageUuidForRootVolume": cluster.share()} if storage == "shared" else {}
    vm = mover.create(here, f"to and fro on {storage}", **where)
    inside(here, vm).sh(f"setsid lab dirty {DIRTY_MIB} >/dev/null 2>&1 & sleep 1")
    until = time.monotonic() + SECONDS
    hops = moved = 0
    try:
        while time.monotonic() < until or not hops:
            cluster.await_calm()
            was, here = here, journey.hop(mover, vm, here)
            hops, moved = hops + 1, moved + (here is not was)
    finally:
        journey.free_cables()
    say(f"{storage}: {hops} moves asked for, {moved} made ")
