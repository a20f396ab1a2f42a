"""What the agent's own API tells about host and guests, and hvctl top and doctor."""
import json
import os
import re
import subprocess

import pytest

from client import ApiError
from conftest import MIB
from controllers import Controller, connect, own
from inside import Inside
from lab import REPOSITORY, wait_for

HVCTL = os.environ.get("HVCTL", str(REPOSITORY / "build" / "dev" / "hvctl"))
GIB = 1024 * MIB


def hvctl(host, api, *words):
    done = subprocess.run([HVCTL, "--url", host.url, *words], env={**os.environ, "HVCTL_SESSION": api.session}, text=True, capture_output=True,
                          check=False, timeout=120)
    return done


def test_facts_agree_with_the_host(api, host):
    facts = own(api, "GET", "/hvagent/v1/facts")
    assert facts["libvirt"] == "Connected"
    assert facts["cpu"]["cpus"] == int(host.shell("getconf _NPROCESSORS_CONF")) == sum(len(cell["cpus"]) for cell in facts["numa"])
    meminfo = dict(line.split(":") for line in host.shell("cat /proc/meminfo").splitlines())
    assert facts["memory"]["total"] == int(meminfo["MemTotal"].split()[0]) * 1024
    assert 0 < facts["memory"]["available"] < facts["memory"]["total"]
    assert facts["versions"]["kernel"] == host.shell("uname -r").strip()
    flags = next(line for line in host.shell("cat /proc/cpuinfo").splitlines() if line.startswith("flags"))
    assert facts["cpu"]["flags"] == flags.split(":")[1].split()
    assert facts["kvm"]["works"] or facts["kvm"]["reason"]
    assert facts["kvm"]["virtType"] == "qemu"  # what the lab's settings say
    names = {storage["name"] for storage in facts["storages"] if storage["works"]}
    assert len(names) == 2, facts["storages"]
    assert [network["type"] for network in facts["networks"]] == ["L2NoVlanNetwork"]
    with pytest.raises(ApiError) as refused:
        own(api, "POST", "/hvagent/v1/facts", {})
    assert refused.value.status == 405


def test_what_fits_starts_and_what_does_not_is_told_why(api, host, guest):
    facts = own(api, "GET", "/hvagent/v1/facts")["capacity"]
    record = api.vm(guest)
    assert facts["memory"]["promised"] >= record["memorySize"] + facts["memory"]["overhead"] > record["memorySize"]
    small = own(api, "POST", "/hvagent/v1/fit", {"cpuNum": 1, "memorySize": 64 * MIB})
    assert small["fits"] and small["reasons"] == [] and small["overhead"] >= 64 * MIB
    large = own(api, "POST", "/hvagent/v1/fit", {"cpuNum": 1000, "memorySize": 100000 * GIB})
    assert not large["fits"] and len(large["reasons"]) == 2
    assert "memory" in large["reasons"][0] and "virtual CPUs" in large["reasons"][1]
    for wrong in ({"cpuNum": 1}, {"cpuNum": 0, "memorySize": GIB}, {"cpuNum": 1, "memorySize": GIB, "colour": "red"}):
        with pytest.raises(ApiError) as refused:
            own(api, "POST", "/hvagent/v1/fit", wrong)
        assert refused.value.code == "SYS.1007", refused.value


def test_addresses_of_a_guest_come_from_dhcp_and_from_its_agent(api, host, guest):
    Inside(host, guest)
    nic = api.vm(guest)["vmNics"][0]

    def sources():
        seen = own(api, "GET", f"/hvagent/v1/vms/{guest}/guest")
        return seen if {one["source"] for one in seen["addresses"] if one["address"] == nic["ip"]} >= {"assigned", "dhcp", "guestAgent"} else None

    seen = wait_for(sources, 60, lambda: str(own(api, "GET", f"/hvagent/v1/vms/{guest}/guest")), 0.2)
    assert seen["guestAgent"] == "Connected" and seen["state"] == "Running"
    assert {one["mac"] for one in seen["addresses"] if one["source"] == "dhcp"} == {nic["mac"]}
    with pytest.raises(ApiError):
        own(api, "GET", f"/hvagent/v1/vms/{'0' * 32}/guest")


def test_a_vm_that_is_off_has_no_guest(api, vms):
    vm = vms.create("off", strategy="CreateStopped")["uuid"]
    seen = own(api, "GET", f"/hvagent/v1/vms/{vm}/guest")
    assert seen["guestAgent"] == "Disconnected" and {one["source"] for one in seen["addresses"]} <= {"assigned"}


def test_a_guest_agent_that_does_not_answer_holds_up_nothing(api, host, vms):
    vm = vms.create("of a frozen agent")["uuid"]
    inside = Inside(host, vm)
    inside.sh("(sleep 1; kill -STOP $(pidof qemu-ga)) >/dev/null 2>&1 &")
    wait_for(lambda: "failure" in own(api, "GET", f"/hvagent/v1/vms/{vm}/guest"), 60, "the agent's silence", 0.5)
    assert api.state(vm) == "Running"


def test_top_shows_what_vms_do(api, host, guest):
    inside = Inside(host, guest)
    inside.sh("(timeout 60 sh -c 'while :; do :; done') >/dev/null 2>&1 &")
    done = hvctl(host, api, "--json", "top", "--once")
    assert done.returncode == 0, done.stderr
    row = next(row for row in json.loads(done.stdout)["vms"] if row["uuid"] == guest)
    assert row["cpuPercent"] > 1 and row["memory"] == api.vm(guest)["memorySize"]
    table = hvctl(host, api, "top", "--once").stdout
    assert "cpu%" in table and "shared guest" in table


def test_doctor_finds_what_is_wrong_and_says_so(api, host, tmp_path):
    settings = tmp_path / "hvagentd.toml"
    settings.write_text("[http]\nlisten = 5\n")
    done = hvctl(host, api, "--json", "--config", str(settings), "doctor")
    findings = {one["kind"]: one for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1 and findings["WrongSettings"]["severity"] == "error"
    xml = "<domain type='qemu'><name>foreign-one</name><memory unit='MiB'>32</memory><os><type arch='x86_64'>hvm</type></os></domain>"
    foreign = host.libvirt.defineXML(xml)
    try:
        found = own(api, "GET", "/hvagent/v1/doctor")["findings"]
        assert any(one["kind"] == "ForeignDomain" and "foreign-one" in one["details"] and one["severity"] == "note" for one in found)
    finally:
        foreign.undefine()


def test_doctor_tells_of_a_clock_that_differs_from_a_controllers(api, host):
    receiver = Controller(host)
    receiver.clock_off_s = 90
    uuid = connect(api, receiver)

    def clocks_off():
        return [one for one in own(api, "GET", "/hvagent/v1/doctor")["findings"] if one["kind"] == "ClockOff" and receiver.url in one["details"]]

    try:
        found, = wait_for(clocks_off, 10, "the finding")
        assert found["severity"] == "warning"
        assert 85 <= int(re.search(r"(\d+) s behind", found["details"])[1]) <= 91
        assert "ClockOff" in hvctl(host, api, "--json", "doctor").stdout
        receiver.clock_off_s = 0
        uuid = connect(api, receiver, jobResults=True)  # which begins anew with a picture
        wait_for(lambda: not clocks_off(), 30, "the end of the finding")
    finally:
        own(api, "DELETE", f"/hvagent/v1/controllers/{uuid}")
        receiver.close()


def test_doctor_says_that_the_agent_is_not_there(tmp_path, api, host):
    done = subprocess.run([HVCTL, "--url", "http://127.0.0.1:1", "--json", "doctor"], env={**os.environ, "HVCTL_SESSION": "x"}, text=True,
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 1 and "AgentDown" in done.stdout
