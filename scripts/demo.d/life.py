#!/usr/bin/python3
"""The part of scripts/demo that drives the API: a VM's whole life.

usage: life.py HOST IMAGES      lines of JSON of `scripts/lab up` and `scripts/lab image`
"""
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

MIB = 1 << 20
GUEST_TIMEOUT_S = 60
JOB_TIMEOUT_S = 120


class Failure(Exception):
    """Ends the demo with a message."""


class Agent:
    """The API of one host, over the standard library."""

    def __init__(self, url):
        self.url = url
        self.session = None
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if self.session:
            request.add_header("Authorization", f"OAuth {self.session}")
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")
        except OSError as error:
            raise Failure(f"{method} {path}: {error}") from None

    def call(self, what, method, path, body=None, show=lambda result: ""):
        """One call of the API with its job, shown with its time."""
        path = "/zstack/v1" + path
        print(f"  {what:<24} {method:<6} {path[:72]:<74}", end="", flush=True)
        began = time.monotonic()
        status, answer = self.send(method, path, body)
        if status == 202:
            job = "/zstack/v1/api-jobs/" + answer["location"].rpartition("/")[2]
            while status == 202:
                if time.monotonic() - began > JOB_TIMEOUT_S:
                    raise Failure(f"{what}: {job} has not ended within {JOB_TIMEOUT_S} s")
                time.sleep(0.02)
                status, answer = self.send("GET", job)
        print(f"{(time.monotonic() - began) * 1000:7.0f} ms  {show(answer) if status == 200 else status}", flush=True)
        if status != 200:
            raise Failure(f"{what}: {json.dumps(answer, indent=1)}")
        return answer


def state(answer):
    return answer["inventory"]["state"] + (f" (by {answer['stoppedBy']})" if "stoppedBy" in answer else "")


def found(answer):
    return ", ".join(f"{one['name']} {one.get('state', '')}".strip() for one in answer["inventories"]) or "none"


def await_guest(log, times):
    """Until the guest has said so often that it is up; its console is written to `log`."""
    began = time.monotonic()
    print(f"  {'guest boots':<24} {'':<6} {'GUEST-UP on its serial console':<74}", end="", flush=True)
    while not log.exists() or log.read_text(errors="replace").count("GUEST-UP") < times:
        if time.monotonic() - began > GUEST_TIMEOUT_S:
            raise Failure(f"the guest did not say GUEST-UP within {GUEST_TIMEOUT_S} s; its console: {log}")
        time.sleep(0.05)
    print(f"{(time.monotonic() - began) * 1000:7.0f} ms", flush=True)


def live(host, images):
    """The life of a VM; every call is checked by its answer."""
    agent = Agent(host["url"])
    login = {"logInByAccount": {"accountName": "admin", "password": hashlib.sha512(host["admin_password"].encode()).hexdigest()}}
    agent.session = agent.call("log in", "PUT", "/accounts/login", login, lambda answer: "a session")["inventory"]["uuid"]
    network = agent.call("find the network", "GET", "/l3-networks", show=found)["inventories"][0]["uuid"]
    store = agent.call("find the image store", "GET", "/backup-storage", show=found)["inventories"][0]["uuid"]
    image = {"params": {"name": "guest", "url": f"file://{images['qcow2']}", "format": "qcow2", "backupStorageUuids": [store]}}
    image = agent.call("add the image", "POST", "/images", image, lambda answer: answer["inventory"]["status"])["inventory"]["uuid"]
    wished = {"params": {"name": "demo", "cpuNum": 1, "memorySize": 256 * MIB, "imageUuid": image, "l3NetworkUuids": [network]}}
    made = agent.call("create a VM", "POST", "/vm-instances", wished, state)["inventory"]
    vm = f"/vm-instances/{made['uuid']}"
    console = Path(host["dir"]) / "hvagent" / "serial" / f"{made['uuid']}.log"

    def act(what, action, expected, **params):
        answer = agent.call(what, "PUT", f"{vm}/actions", {action: params}, state)
        if answer["inventory"]["state"] != expected:
            raise Failure(f"{what}: the VM is {answer['inventory']['state']}, not {expected}")
        return answer

    await_guest(console, 1)
    query = "/vm-instances?q=state=Running&q=vmNics.ip=" + made["vmNics"][0]["ip"]
    if found(agent.call("query", "GET", query, show=found)) != "demo Running":
        raise Failure("the query does not find the VM")
    stopped = act("stop, gracefully", "stopVmInstance", "Stopped", type="grace")
    if stopped["stoppedBy"] not in ("guestAgent", "acpi"):
        raise Failure(f"the guest did not hear the graceful stop: {stopped['stoppedBy']}")
    act("start", "startVmInstance", "Running")
    await_guest(console, 2)
    act("pause", "pauseVmInstance", "Paused")
    act("resume", "resumeVmInstance", "Running")
    act("reboot", "rebootVmInstance", "Running")
    await_guest(console, 3)
    act("stop, cold", "stopVmInstance", "Stopped", type="cold")
    agent.call("destroy", "DELETE", vm, show=lambda answer: "Destroyed")
    act("recover", "recoverVmInstance", "Stopped")
    agent.call("destroy again", "DELETE", vm, show=lambda answer: "Destroyed")
    agent.call("expunge", "PUT", f"{vm}/actions", {"expungeVmInstance": {}}, lambda answer: "gone")
    if agent.call("query", "GET", vm, show=found)["inventories"]:
        raise Failure("the VM is still there")


def main():
    try:
        live(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
    except Failure as failure:
        print(f"\ndemo: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
