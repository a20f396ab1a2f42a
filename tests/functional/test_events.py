"""GET /hvagent/v1/events and `hvctl watch`."""
import json
import os
import socket
import subprocess
import time

import pytest
import requests

from lab import REPOSITORY, wait_for


class Stream:
    """Reads events; `kinds` and `data` of each."""

    def __init__(self, host, api, last_id=None):
        headers = {"Authorization": f"OAuth {api.session}", **({"Last-Event-ID": last_id} if last_id else {})}
        self.response = requests.get(f"{host.url}/hvagent/v1/events", headers=headers, stream=True, timeout=20)
        assert self.response.status_code == 200, self.response.text
        self.lines = self.response.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self):
        event = {}
        for line in self.lines:
            if not line and "data" in event:
                return event
            name, _, value = line.partition(": ")
            if name:
                event[name] = value
        return None

    def until(self, is_it):
        while True:
            event = self.next()
            assert event, "the stream ended"
            event["data"] = json.loads(event["data"])
            if is_it(event):
                return event

    def until_state(self, vm, state):
        return self.until(lambda event: any(one["uuid"] == vm and one["state"] == state for one in event["data"].get("vms", [])))

    def close(self):
        self.response.close()


def test_a_reader_sees_changes_and_what_it_missed_when_it_comes_back(api, host, vms):
    stream = Stream(host, api)
    assert stream.until(lambda _: True)["event"] == "snapshot"
    vm = vms.create("watched")["uuid"]
    last = stream.until_state(vm, "Running")
    stream.close()
    host.domain(vm).suspend()
    host.domain(vm).resume()
    wait_for(lambda: api.state(vm) == "Running", 5, "resumed")
    again = Stream(host, api, last["id"])
    kinds = []
    again.until(lambda event: kinds.append(event["event"]) or any(one["uuid"] == vm and one["state"] == "Paused" for one in event["data"].get("vms", [])))
    again.until_state(vm, "Running")
    assert "snapshot" not in kinds
    again.close()


@pytest.mark.slow
def test_a_reader_of_an_agent_that_was_killed_goes_on_where_it_was(api, host, vms):
    vm = vms.create("over a restart")["uuid"]
    stream = Stream(host, api)
    last = stream.until(lambda event: event["event"] == "snapshot")
    host.domain(vm).suspend()
    wait_for(lambda: api.state(vm) == "Paused", 5, "paused")
    host.kill("agent")
    wait_for(host.listens, 20, "the agent back")
    again = Stream(host, api, last["id"])
    first = again.until_state(vm, "Paused")
    assert first["event"] == "vmStates" and first["data"]["bootId"] == last["data"]["bootId"]
    again.until(lambda event: event["data"].get("bootId") != last["data"]["bootId"])
    again.close()


def test_a_reader_that_takes_nothing_holds_up_nobody(api, host, vms):
    vm = vms.create("with a deaf reader")["uuid"]
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.connect((host.address, host.port))
    deaf.sendall(f"GET /hvagent/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth {api.session}\r\n\r\n".encode())
    stream = Stream(host, api)
    for _ in range(20):
        host.domain(vm).suspend()
        began = time.monotonic()
        stream.until_state(vm, "Paused")
        assert time.monotonic() - began < 1
        host.domain(vm).resume()
        stream.until_state(vm, "Running")
    stream.close()
    deaf.close()


def test_an_orderly_stop_says_goodbye(api, host):
    stream = Stream(host, api)
    stream.until(lambda event: event["event"] == "snapshot")
    host.restart("agent")
    assert stream.until(lambda event: event["event"] == "end")["data"] == {"reason": "the agent stops"}
    assert stream.next() is None


def test_hvctl_watch_prints_what_happens(api, host, vms):
    hvctl = os.environ.get("HVCTL", str(REPOSITORY / "build" / "dev" / "hvctl"))
    vm = vms.create("shown by hvctl")["uuid"]
    environment = {**os.environ, "HVCTL_URL": host.url, "HVCTL_SESSION": api.session, "HVCTL_SESSION_FILE": "/nonexistent"}
    plain, as_json = (subprocess.Popen([hvctl, *options, "watch"], env=environment, stdout=subprocess.PIPE, text=True) for options in ([], ["--json"]))
    try:
        first = json.loads(as_json.stdout.readline())
        assert first["kind"] == "snapshot" and vm in [one["uuid"] for one in first["vms"]]
        line = plain.stdout.readline()
        while f"shown by hvctl ({vm[:8]})  Running" not in line:
            line = plain.stdout.readline()
        host.domain(vm).suspend()
        while "Running -> Paused" not in line:
            line = plain.stdout.readline()
        assert f"shown by hvctl ({vm[:8]})" in line and "by libvirt" in line
        assert json.loads(as_json.stdout.readline())["vms"][0]["state"] == "Paused"
    finally:
        for process in (plain, as_json):
            process.kill()
            process.wait()
