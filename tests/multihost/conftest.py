"""Three hosts that know each other, and VMs that move between them."""
import contextlib
import os
import re
import sys
import time
from pathlib import Path

import pytest
import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
from agree import Inspection  # noqa: E402
from client import Api, ApiError  # noqa: E402
from contract import Contract  # noqa: E402
from evidence import ARTIFACTS, keep_evidence  # noqa: E402
from inside import Inside  # noqa: E402
from lab import Lab, wait_for  # noqa: E402
from world import MIB, World  # noqa: E402

NAME = os.environ.get("LAB_NAME", "multi")
CONFIG = """
[vm]
stop_grace = 6
ha_first_delay = 1

[migration]
tls = {tls}
"""


class Node:
    """One of the hosts: its lab side, a client of its agent, and what its first start made."""

    def __init__(self, host, contract, images):
        self.host = host
        self.name = host.name
        self.api = Api(host.url, contract)
        self.api.login(host.password)
        self.world = World(self.api, images)
        self.uuid = self.world.host

    def domain_state(self, vm):
        """libvirt's number; None: it is not there or off."""
        import libvirt
        try:
            domain = self.host.domain(vm)
            return domain.state()[0] if domain.isActive() else None
        except libvirt.libvirtError:
            return None

    def disagreements(self):
        return [text for text in Inspection(self.api, self.host).all()]


class Cluster:
    def __init__(self, lab, hosts):
        self.lab = lab
        document = Api(hosts[0].url).send("GET", "/hvagent/v1/openapi.json")
        contract = Contract(document.body)
        images = lab.images()
        self.nodes = [Node(host, contract, images) for host in hosts]
        for i, node in enumerate(self.nodes):
            for other in self.nodes[i + 1:]:
                add_host(node, other)
        self.shared_storages = None

    def node_of(self, host_uuid):
        return next(node for node in self.nodes if node.uuid == host_uuid)

    def share(self):
        """The same directory as primary storage of every host; its uuid."""
        if self.shared_storages is None:
            storage = "5a5a5a5a5a5a4a5a8a5a5a5a5a5a5a5a"
            for node in self.nodes:
                zone = node.world.zone
                node.api.run("POST", "/primary-storage/smp", {"params": {
                    "name": "shared", "url": f"{self.lab.hosts[0].shared}/primary", "zoneUuid": zone,
                    "resourceUuid": storage}})
                node.api.run("POST", f"/clusters/{node.world.cluster}/primary-storage/{storage}", {})
            self.shared_storages = storage
        return self.shared_storages

    def running_at(self, vm):
        """Asked inside the hosts, whose cable may be out."""
        return [node.name for node in self.nodes if vm in node.host.shell("virsh list --state-running --name").split()]

    def check_agreement(self):
        for node in self.nodes:
            wait_for(lambda node=node: not node.disagreements(), 20, lambda node=node: f"{node.name}: {node.disagreements()}", 0.5)

    def await_calm(self):
        """Every agent and libvirtd is there, and knows the others."""
        def calm():
            try:
                return all(host["status"] == "Connected" for node in self.nodes for host in node.api.query("/hosts"))
            except (ApiError, requests.RequestException):
                return False

        wait_for(calm, 60, "all hosts Connected, as each agent sees them", 0.5)

    def await_one(self, vm, state="Running", timeout_s=60):
        """The one host that has the VM, by every agent's inventory and every libvirt; nothing of it is anywhere else."""
        seen = {}

        def settled():
            seen.clear()
            for node in self.nodes:
                record = node.api.find_vm(vm)
                seen[node.name] = (record["state"] if record else None, node.domain_state(vm), node.host.has_domain(vm))
            wanted = {"Running": 1, "Paused": 3}.get(state)
            having = [name for name, (record, _, _) in seen.items() if record == state]
            others = [entry for name, entry in seen.items() if name not in having]
            return having if len(having) == 1 and seen[having[0]][1] == wanted and all(
                entry == (None, None, False) for entry in others) else None

        def told():
            try:
                return settled()
            except (ApiError, OSError):
                return None

        name = wait_for(told, timeout_s, lambda: f"one {state} copy of {vm}: {seen}", 0.2)[0]
        return next(node for node in self.nodes if node.name == name)


def add_host(node, other):
    body = {"params": {"name": other.name, "managementIp": other.host.address, "clusterUuid": node.world.cluster,
                       "username": "admin", "password": other.host.password}}
    return node.api.run("POST", "/hosts/kvm", body)["inventory"]


@contextlib.contextmanager
def a_cluster(name, count, tls=False):
    lab = Lab(name, CONFIG.format(tls="true" if tls else "false"))
    lab.run("down", check=False)
    try:
        yield Cluster(lab, lab.up(count, "--lossless"))
    finally:
        lab.down()


@pytest.fixture(scope="session")
def cluster():
    with a_cluster(NAME, 3) as cluster:
        yield cluster


class Mover:
    """VMs of one test, wherever they go."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.made = []

    def create(self, node, name, **params):
        vm = node.world.create(name, **params)["uuid"]
        self.made.append(vm)
        node.host.guest_says(vm, "GUEST-UP", timeout_s=90)
        return vm

    def start_move(self, source, vm, destination=None, tags=(), **params):
        body = {"migrateVm": {**({"hostUuid": destination.uuid} if destination else {}), **params}, "systemTags": list(tags)}
        return source.api.submit("PUT", f"/vm-instances/{vm}/actions", body)

    def move(self, source, vm, destination=None, **params):
        return self.start_move(source, vm, destination, **params).wait(120)

    def remove_all(self):
        for vm in self.made:
            for node in self.cluster.nodes:
                node.world.remove(vm)


@pytest.fixture
def mover(cluster):
    mover = Mover(cluster)
    yield mover
    mover.remove_all()


def inside(node, vm):
    return Inside(node.host, vm)


def start_counter(node, vm):
    """Synced records on the guest's disk, each with the next number."""
    inside(node, vm).sh("rm -f /data/stream /run/lab/write.n; setsid lab write /data/stream 0.01 >/dev/null 2>&1 & "
                        "while [ ! -s /run/lab/write.n ]; do sleep 0.05; done")


def counter_of(node, vm):
    # Empty at the moment in which the guest writes it anew.
    return int(wait_for(lambda: inside(node, vm).sh("cat /run/lab/write.n").strip(), 30, "the guest's counter"))


def stop_writing(guest):
    """Ends `lab write` and returns the number of its last record."""
    return int(guest.sh("pid=$(cat /run/lab/write.pid); rm -f /run/lab/write.pid; "
                        "while [ -n \"$(cat /proc/$pid/cmdline 2>/dev/null)\" ]; do sleep 0.1; done; cat /run/lab/write.n", 60))


def check_alive(cluster, vm, count):
    """One copy lives, it is the one that went on, and what it wrote is whole."""
    node = cluster.await_one(vm, timeout_s=90)
    assert len(cluster.running_at(vm)) == 1
    guest = inside(node, vm)
    now = stop_writing(guest)
    assert now >= count, f"the counter went back from {count} to {now}"
    guest.sh("lab write-check")
    cluster.check_agreement()
    return node


def ended(job):
    try:
        answer = job.poll()
    except requests.RequestException:
        return None  # its agent was killed and comes back
    return answer if answer.status != 202 else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed and "cluster" in item.funcargs:
        for node in item.funcargs["cluster"].nodes:
            keep_evidence(node.host, ARTIFACTS / re.sub(r"[^\w.-]+", "_", item.nodeid) / node.name)
