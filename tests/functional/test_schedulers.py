"""Snapshots taken by the clock, on a real host."""
import time

import pytest

from client import ApiError
from conftest import MIB
from lab import wait_for


@pytest.fixture
def volume(api, world):
    body = {"params": {"name": "scheduled", "diskSize": MIB, "primaryStorageUuid": world.primary}}
    uuid = api.run("POST", "/volumes/data", body)["inventory"]["uuid"]
    yield uuid
    if api.query("/volumes", f"uuid={uuid}"):
        api.run("DELETE", f"/volumes/{uuid}")
        api.run("PUT", f"/volumes/{uuid}/actions", {"expungeDataVolume": {}})


def schedule(api, volume, **params):
    body = {"params": {"snapShotName": "auto", "schedulerName": "test", **params}}
    return api.run("POST", f"/volumes/{volume}/schedulers/creating-volume-snapshots", body)["inventory"]


def snapshots(api, volume):
    return [found for found in api.query("/volume-snapshots", f"volumeUuid={volume}") if found["status"] == "Ready"]


def test_an_interval_fires_so_often_as_was_asked(api, volume):
    made = schedule(api, volume, type="simple", interval=1, repeatCount=2)
    assert (made["schedulerType"], made["schedulerInterval"], made["repeatCount"], made["state"]) == ("simple", 1, 2, "Enabled")
    wait_for(lambda: len(snapshots(api, volume)) == 2, 10, "two snapshots")
    time.sleep(2)
    assert len(snapshots(api, volume)) == 2
    assert all(found["name"].startswith("auto-") for found in snapshots(api, volume))
    api.run("DELETE", f"/schedulers/{made['uuid']}")
    assert api.query("/schedulers", f"uuid={made['uuid']}") == []


def test_a_cron_scheduler_outlives_the_daemon_rests_when_disabled_and_goes_with_its_volume(api, host, volume):
    made = schedule(api, volume, type="cron", cron="0/2 * * * * ?")
    wait_for(lambda: snapshots(api, volume), 10, "a snapshot")
    host.kill("agent")
    wait_for(host.listens, 10, "the agent")
    before = len(snapshots(api, volume))
    wait_for(lambda: len(snapshots(api, volume)) > before, 10, "another snapshot")
    disabled = api.run("PUT", f"/schedulers/{made['uuid']}", {"changeSchedulerState": {"stateEvent": "disable"}})["inventory"]
    assert disabled["state"] == "Disabled"
    time.sleep(1)
    before = len(snapshots(api, volume))
    time.sleep(3)
    assert len(snapshots(api, volume)) == before
    api.run("DELETE", f"/volumes/{volume}")
    api.run("PUT", f"/volumes/{volume}/actions", {"expungeDataVolume": {}})
    wait_for(lambda: api.query("/schedulers", f"uuid={made['uuid']}") == [], 10, "the end of the scheduler")


def test_what_is_no_cron_expression_is_refused_by_its_field(api, volume):
    with pytest.raises(ApiError) as refused:
        schedule(api, volume, type="cron", cron="0 61 * * * ?")
    assert refused.value.codes == ["SYS.1007"] and "minutes" in refused.value.reason
