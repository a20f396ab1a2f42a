"""The reference receiver of scripts/controller, as tests use it: each report is checked against the schema."""
import importlib.machinery
import importlib.util
import json

import jsonschema

from client import ApiError
from lab import REPOSITORY, wait_for

CONTROLLERS = "/hvagent/v1/controllers"
SCHEMA = json.loads((REPOSITORY / "agent" / "reports" / "report.schema.json").read_text())


def load_reference():
    path = str(REPOSITORY / "scripts" / "controller")
    loader = importlib.machinery.SourceFileLoader("controller_script", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("controller_script", loader))
    loader.exec_module(module)
    return module


reference = load_reference()


class Controller(reference.Receiver):
    """A receiver that the agent of `host` can reach; registered and removed by the test."""

    def __init__(self, host, port=0, token="", checks=True):
        super().__init__(host.gateway, port, token)
        self.checks = checks

    def take(self, report):
        if self.checks:
            jsonschema.validate(report, SCHEMA)
        return super().take(report)

    def bodies(self):
        with self.lock:
            return [body for _, _, body in self.reports]

    def state(self, host_uuid, vm):
        with self.lock:
            known = self.hosts.get(host_uuid)
            return known.vms.get(vm, {}).get("state") if known else None

    def states(self, host_uuid):
        with self.lock:
            known = self.hosts.get(host_uuid)
            return {uuid: vm["state"] for uuid, vm in known.vms.items()} if known else {}

    def wait_state(self, host_uuid, vm, state, timeout_s=15):
        wait_for(lambda: self.state(host_uuid, vm) == state, timeout_s, lambda: f"{vm} is {self.state(host_uuid, vm)}, not {state}", 0.001)

    def wait_report(self, is_it, timeout_s=15):
        return wait_for(lambda: next((body for body in self.bodies() if is_it(body)), None), timeout_s,
                        lambda: f"no such report: {[(body.get('kind'), body.get('sequence')) for body in self.bodies()]}")


def own(api, method, path, body=None):
    """The agent's own API."""
    answer = api.copy().call(method, path, body, prefix="", check=False)
    if answer.status != 200:
        raise ApiError(answer.status, answer.body)
    return answer.body


def connect(api, controller, **more):
    return own(api, "POST", CONTROLLERS, {"url": controller.url, **more})["inventory"]["uuid"]
