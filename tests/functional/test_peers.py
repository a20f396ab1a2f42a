"""Two hosts that know each other."""
import json
import sqlite3

import pytest
import requests

import conftest
from client import Api, ApiError, new_uuid
from lab import Lab, wait_for

HEARTBEAT_S = 1
CONFIG = f"""
[peers]
heartbeat = {HEARTBEAT_S}
"""
PATIENCE_S = 60


class Side:
    """One of the two hosts, and how it sees the other."""

    def __init__(self, host, contract):
        self.host = host
        self.contract = contract
        self.log_in()
        self.uuid = self.api.only("/hosts")["uuid"]
        self.cluster = self.api.only("/clusters")["uuid"]

    def log_in(self):
        self.api = Api(self.host.url, self.contract)
        self.api.login(self.host.password)

    def add(self, other, **changes):
        params = {"name": other.host.name, "managementIp": other.host.address, "clusterUuid": self.cluster, "username": "admin",
                  "password": other.host.password, **changes}
        body = {"params": {key: value for key, value in params.items() if key != "systemTags"}}
        if "systemTags" in params:
            body["systemTags"] = params["systemTags"]
        return self.api.run("POST", "/hosts/kvm", body)["inventory"]

    def delete(self, uuid):
        return self.api.run("DELETE", f"/hosts/{uuid}")

    def act(self, uuid, action, **params):
        return self.api.run("PUT", f"/hosts/{uuid}/actions", {action: params})["inventory"]

    def sees(self, other):
        return self.api.only("/hosts", f"uuid={other.uuid}")

    def await_status(self, other, status):
        wait_for(lambda: self.sees(other)["status"] == status, PATIENCE_S,
                 lambda: f"{other.host.name} {status} at {self.host.name}; it is {self.sees(other)}", 0.1)

    def hosts(self):
        return {host["uuid"] for host in self.api.query("/hosts")}

    def forget_others(self):
        for uuid in self.hosts() - {self.uuid}:
            self.delete(uuid)

    def token_for(self, other):
        """What this host shows to the other one, by its store."""
        with sqlite3.connect(f"file:{self.host.state}/hvagent.db?mode=ro", uri=True) as store:
            row = store.execute("SELECT token_out FROM peer WHERE uuid = ?", (other.uuid,)).fetchone()
        return row and row[0]


def ask(side, verb, peer, token):
    answer = requests.post(f"{side.host.url}/hvagent/v1/peer/{verb}", json={}, timeout=30,
                           headers={"Authorization": f"Peer {peer} {token}"})
    return answer.status_code, answer.json()


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


@pytest.fixture(scope="module")
def both(contract):
    lab = Lab(f"{conftest.NAME}-peers", CONFIG)
    lab.run("down", check=False)
    conftest.labs.append(lab)
    try:
        yield [Side(host, contract) for host in lab.up(2)]
    finally:
        conftest.labs.remove(lab)
        lab.down()


@pytest.fixture
def strangers(both):
    """Two hosts that know only themselves."""
    yield both
    for side in both:
        side.forget_others()


@pytest.fixture
def friends(strangers):
    one, other = strangers
    one.add(other)
    other.await_status(one, "Connected")
    return one, other


def test_one_call_makes_both_known_to_each_other(strangers):
    one, other = strangers
    added = one.add(other, description="the other one")
    assert (added["uuid"], added["name"], added["status"]) == (other.uuid, other.host.name, "Connected")
    assert added["description"] == "the other one"
    own = other.api.only("/hosts", f"uuid={other.uuid}")
    for figure in ("cpuNum", "totalCpuCapacity", "totalMemoryCapacity", "architecture", "osDistribution"):
        assert added[figure] == own[figure], figure
    other.await_status(one, "Connected")
    assert other.sees(one)["managementIp"] == one.host.address
    assert other.sees(one)["name"] == one.api.only("/hosts", f"uuid={one.uuid}")["name"]
    everywhere = one.api.get("/hosts/capacities/cpu-memory", {"all": "true"})
    assert everywhere["managedCpuNum"] == added["cpuNum"] + one.api.only("/hosts", f"uuid={one.uuid}")["cpuNum"]


def test_adding_again_changes_nothing_but_the_name(friends):
    one, other = friends
    again = one.add(other, name="renamed", resourceUuid=other.uuid)
    assert (again["uuid"], again["name"]) == (other.uuid, "renamed")
    other.add(one)
    for side in friends:
        assert side.hosts() == {one.uuid, other.uuid}
    one.act(other.uuid, "reconnectHost")
    other.act(one.uuid, "reconnectHost")


def test_what_is_wrong_is_said_and_leaves_nothing(strangers):
    one, other = strangers
    wrong = refusal(lambda: one.add(other, password="wrong"))
    assert wrong.codes[-1] == "ID.1000" and "not of ssh" in str(wrong)
    assert "wrong account" in str(wrong)
    nobody = refusal(lambda: one.add(other, systemTags=["agentPort::9"]))
    assert "HOST.1003" in nobody.codes and f"{other.host.address}:9" in nobody.reason
    tls = refusal(lambda: one.add(other, systemTags=["agentScheme::https"]))
    assert "HOST.1003" in tls.codes
    itself = refusal(lambda: one.add(one))
    assert one.uuid in str(itself)
    meant = refusal(lambda: one.add(other, resourceUuid=new_uuid()))
    assert other.uuid in meant.reason
    assert refusal(lambda: one.add(other, sshPort=2222)).code
    for side in strangers:
        assert side.hosts() == {side.uuid}


def test_no_secret_is_kept_in_the_clear(friends):
    one, other = friends
    jobs = one.api.query("/longjobs", "jobName=AddKVMHost")
    assert jobs and {json.loads(job["jobData"])["password"] for job in jobs} == {"******"}
    for side in friends:
        for log in (side.host.dir / "log").glob("hvagentd*"):
            text = log.read_text(errors="replace")
            assert one.token_for(other) not in text and other.token_for(one) not in text


def test_a_pulled_cable_and_a_dead_agent_are_seen_and_so_is_their_return(friends):
    one, other = friends
    figures = one.sees(other)
    one.host.lab.run("link", other.host.name, "down")
    try:
        one.await_status(other, "Disconnected")
        lost = one.sees(other)
        assert lost["totalMemoryCapacity"] == figures["totalMemoryCapacity"]
        assert one.api.get("/hosts/capacities/cpu-memory", {"hostUuids": [other.uuid]})["totalCpu"] == 0
        assert "HOST.1003" in refusal(lambda: one.act(other.uuid, "reconnectHost")).codes
    finally:
        one.host.lab.run("link", other.host.name, "up")
    one.await_status(other, "Connected")
    other.await_status(one, "Connected")
    other.host.signal("agent", "STOP")
    try:
        one.await_status(other, "Disconnected")
    finally:
        other.host.signal("agent", "CONT")
    one.await_status(other, "Connected")


def test_the_link_outlives_the_agents(friends):
    one, other = friends
    for side in friends:
        side.host.kill("agent")
    for side in friends:
        wait_for(side.host.listens, PATIENCE_S, "the agent is back")
        side.log_in()
    one.await_status(other, "Connected")
    other.await_status(one, "Connected")


def test_a_host_whose_libvirt_is_gone_is_disconnected(friends):
    one, other = friends
    other.host.stop("libvirtd")
    try:
        one.await_status(other, "Disconnected")
        assert "libvirt" in refusal(lambda: one.act(other.uuid, "reconnectHost")).reason
    finally:
        other.host.start("libvirtd")
    one.await_status(other, "Connected")


def test_the_state_of_a_host_is_its_own(friends):
    one, other = friends
    assert one.act(other.uuid, "changeHostState", stateEvent="disable")["state"] == "Disabled"
    assert other.api.only("/hosts", f"uuid={other.uuid}")["state"] == "Disabled"
    other.act(other.uuid, "changeHostState", stateEvent="enable")
    wait_for(lambda: one.sees(other)["state"] == "Enabled", PATIENCE_S, "the news of the other host")


def test_a_host_moves_only_where_its_agent_answers(friends):
    one, other = friends
    assert "HOST.1003" in refusal(lambda: one.act(other.uuid, "updateHost", managementIp=other.host.gateway)).codes
    assert refusal(lambda: one.act(other.uuid, "updateHost", managementIp=one.host.address))
    assert one.sees(other)["managementIp"] == other.host.address
    assert one.act(other.uuid, "updateHost", managementIp=other.host.address, name="n")["name"] == "n"


def test_deleting_is_for_both_and_ends_the_tokens(friends):
    one, other = friends
    shown = one.token_for(other)
    status, facts = ask(other, "facts", one.uuid, shown)
    assert status == 200 and facts["hostUuid"] == other.uuid and facts["libvirtVersion"]
    assert ask(other, "dance", one.uuid, shown)[0] == 404
    assert ask(other, "facts", one.uuid, "f" * 64)[1]["error"]["code"] == "ID.1000"
    one.delete(other.uuid)
    for side in friends:
        assert side.hosts() == {side.uuid}
    assert ask(other, "facts", one.uuid, shown)[1]["error"]["code"] == "ID.1000"
    assert one.delete(other.uuid) == {}
    assert refusal(lambda: one.delete(one.uuid)).codes[-1] == "SYS.1006"


def test_a_host_that_is_away_is_deleted_and_learns_of_it(friends):
    one, other = friends
    other.host.stop("agent")
    one.delete(other.uuid)
    assert one.hosts() == {one.uuid}
    other.host.start("agent")
    wait_for(other.host.listens, PATIENCE_S, "the agent is back")
    other.log_in()
    other.await_status(one, "Disconnected")
    assert "ID.1000" in refusal(lambda: other.act(one.uuid, "reconnectHost")).codes
    other.delete(one.uuid)
    assert other.hosts() == {other.uuid}


def test_both_may_add_each_other_at_the_same_moment(strangers):
    one, other = strangers
    jobs = []
    for side, peer in ((one, other), (other, one)):
        body = {"params": {"name": peer.host.name, "managementIp": peer.host.address, "clusterUuid": side.cluster,
                           "username": "admin", "password": peer.host.password}}
        jobs.append(side.api.submit("POST", "/hosts/kvm", body))
    for job in jobs:
        job.wait()
    one.act(other.uuid, "reconnectHost")
    other.act(one.uuid, "reconnectHost")


def test_a_shared_directory_is_a_storage_of_both(both):
    uuid = new_uuid()
    for side in both:
        zone = side.api.only("/zones")["uuid"]
        body = {"params": {"name": "shared", "url": str(side.host.shared / "smp"), "zoneUuid": zone, "resourceUuid": uuid}}
        made = side.api.run("POST", "/primary-storage/smp", body)["inventory"]
        assert (made["uuid"], made["type"], made["status"]) == (uuid, "SharedMountPoint", "Connected")
    both[0].host.shell(f"mkdir -p {both[0].host.shared}/smp/rootVolumes && touch {both[0].host.shared}/smp/rootVolumes/other.qcow2")
    for side in both:
        judged = side.api.run("POST", "/storage-checks", {"params": {}})
        assert judged["findings"] == []
        assert [(one["path"], one["files"]) for one in judged["notJudged"]] == [(str(side.host.shared / "smp"), 1)]
        side.api.run("DELETE", f"/primary-storage/{uuid}")
