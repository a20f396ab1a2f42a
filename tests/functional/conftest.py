"""One lab for the whole run, one image, few VMs; what a failed test leaves to read goes to build/test-artifacts."""
import os
import re

import pytest

from agree import await_agreement
from client import Api
from contract import Contract
from controllers import CONTROLLERS, Controller, connect, own as own_path
from evidence import ARTIFACTS, keep_evidence
from lab import Lab
from webhooks import Webhooks
from world import MIB, World  # noqa: F401 (tests import MIB from here)

NAME = os.environ.get("LAB_NAME", "func")
STOP_GRACE_S = 6
CONFIG = f"""
[vm]
stop_grace = {STOP_GRACE_S}
ha_first_delay = 1
"""

labs = []  # those that are up now


def bring_up(name, config):
    lab = Lab(name, config)
    lab.run("down", check=False)
    labs.append(lab)
    return lab.up()[0]


def take_down(host):
    labs.remove(host.lab)
    host.lab.down()


# --- the shared host ---

@pytest.fixture(scope="session")
def host():
    host = bring_up(NAME, CONFIG)
    yield host
    take_down(host)


@pytest.fixture(scope="session")
def contract(host):
    document = Api(host.url).send("GET", "/hvagent/v1/openapi.json")
    assert document.status == 200, document
    return Contract(document.body)


def client_of(host, contract):
    api = Api(host.url, contract)
    api.login(host.password)
    return api


@pytest.fixture(scope="session")
def api(host, contract):
    return client_of(host, contract)


@pytest.fixture(scope="session")
def webhooks(host):
    receiver = Webhooks(host.gateway)
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def images(host):
    """Paths of the guest's images, the same on this machine and in the hosts."""
    return host.lab.images()


@pytest.fixture(scope="session")
def world(api, images):
    return World(api, images)


# --- VMs ---

class Vms:
    """VMs of one test: gone when it is over."""

    def __init__(self, world):
        self.world = world
        self.made = []

    def create(self, name, *args, **params):
        vm = self.world.create(name, *args, **params)
        self.made.append(vm["uuid"])
        return vm

    def own(self, vm):
        self.made.append(vm)
        return vm


@pytest.fixture
def vms(world):
    vms = Vms(world)
    yield vms
    for vm in vms.made:
        world.remove(vm)


class Guest:
    """The one guest that tests share. `uuid` is a VM whose guest is up."""

    def __init__(self, world, host):
        self.world = world
        self.host = host
        self.vm = None

    @property
    def uuid(self):
        api = self.world.api
        state = api.state(self.vm) if self.vm else None
        mark = len(self.host.serial(self.vm)) if self.vm else 0
        if state == "Running":
            return self.vm
        if state == "Paused":
            api.act(self.vm, "resumeVmInstance")
            return self.vm
        if state in ("Stopped", "Crashed"):
            api.act(self.vm, "startVmInstance")
        else:
            if state:
                self.world.remove(self.vm)
            self.vm = self.world.create("shared guest")["uuid"]
            mark = 0
        self.host.guest_says(self.vm, "GUEST-UP", mark)
        return self.vm


@pytest.fixture(scope="session")
def shared_guest(world, host):
    return Guest(world, host)


@pytest.fixture
def guest(shared_guest):
    """The uuid of a running VM whose guest is up."""
    return shared_guest.uuid


# --- hosts of their own, for other settings or rough treatment ---

class OwnHost:
    def __init__(self, host, contract, images):
        self.host = host
        self.contract = contract
        self.images = images
        self.api_ = None
        self.world_ = None

    @property
    def api(self):
        self.api_ = self.api_ or client_of(self.host, self.contract)
        return self.api_

    @property
    def world(self):
        self.world_ = self.world_ or World(self.api, self.images)
        return self.world_

    def agrees(self, timeout_s=5):
        await_agreement(self.api, self.host, timeout_s)


@pytest.fixture
def own_host(contract, images):
    """own_host(config) brings up a host of its own for one test."""
    up = []

    def make(config=CONFIG):
        host = bring_up(f"{NAME}-{len(labs)}", config)
        up.append(host)
        return OwnHost(host, contract, images)

    yield make
    for host in up:
        take_down(host)


# --- after tests ---

@pytest.fixture(scope="module", autouse=True)
def each_file_leaves_host_and_inventory_in_agreement(api, host):
    yield
    await_agreement(api, host, 10)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        for lab in labs:
            for host in lab.hosts:
                keep_evidence(host, ARTIFACTS / re.sub(r"[^\w.-]+", "_", item.nodeid) / f"{lab.name}-{host.name}")


# --- a controller of the shared host ---

@pytest.fixture
def controller(host, api):
    receiver = Controller(host)
    uuid = connect(api, receiver)
    yield receiver
    own_path(api, "DELETE", f"{CONTROLLERS}/{uuid}")
    receiver.close()
