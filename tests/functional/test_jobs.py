"""Jobs: order, cancellation, timeouts, webhooks, and what a restart of the daemon does to them."""
import threading
import time

import pytest

from client import ApiError, new_uuid
from conftest import STOP_GRACE_S
from lab import wait_for
from test_images import Files
from webhooks import Webhooks

MIB = 1 << 20


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


@pytest.fixture
def slow_download(host, images):
    with Files(host.gateway, images["qcow2"], bytes_per_s=4 * MIB) as files:
        yield files


def start_download(api, world, files, name, **options):
    body = {"params": {"name": name, "url": files.url, "format": "qcow2", "backupStorageUuids": [world.backup]}}
    job = api.submit("POST", "/images", body, **options)
    assert files.started.wait(10)
    return job


def no_trace_of_image(api, host, name):
    assert api.query("/images", f"name={name}") == []
    stored = host.exec("find", "/var/lib/hvagent/backup", "-name", "*.download*", check=False).stdout
    assert stored == ""


# --- cancel ---

def test_a_running_job_is_cancelled_by_delete_and_leaves_nothing(api, host, world, slow_download):
    job = start_download(api, world, slow_download, "to be deleted")
    answer = api.call("DELETE", f"/api-jobs/{job.uuid}")
    assert answer.status in (200, 202)
    refused = refusal(job.wait)
    assert "LONG_JOB.1000" in refused.codes
    no_trace_of_image(api, host, "to be deleted")


def test_a_running_job_is_cancelled_as_a_long_job(api, host, world, slow_download):
    job = start_download(api, world, slow_download, "to be cancelled")
    api.call("PUT", f"/longjobs/{job.uuid}/actions", {"cancelLongJob": {}})
    assert "LONG_JOB.1000" in refusal(job.wait).codes
    no_trace_of_image(api, host, "to be cancelled")


def test_a_waiting_job_is_cancelled_before_it_begins(api, host, vms):
    vm = vms.create("busy", "deaf_qcow2")["uuid"]
    host.guest_says(vm, "GUEST-UP")
    stop = api.start_action(vm, "stopVmInstance")
    waiting = api.start_action(vm, "startVmInstance")
    api.call("DELETE", f"/api-jobs/{waiting.uuid}")
    assert "LONG_JOB.1000" in refusal(waiting.wait).codes
    assert stop.wait()["stoppedBy"] == "powerOff"
    assert api.state(vm) == "Stopped"


def test_a_finished_job_cannot_be_cancelled_and_keeps_its_answer(api, guest):
    job = api.start_action(guest, "pauseVmInstance")
    result = job.wait()
    api.call("DELETE", f"/api-jobs/{job.uuid}", check=False)
    assert job.wait() == result
    refused = refusal(lambda: api.call("PUT", f"/longjobs/{job.uuid}/actions", {"cancelLongJob": {}}))
    assert "LONG_JOB.1001" in refused.codes
    assert "SYS.1003" in refusal(lambda: api.call("PUT", f"/longjobs/{new_uuid()}/actions", {"cancelLongJob": {}})).codes


def test_only_who_is_logged_in_cancels(api, host, world, slow_download):
    job = start_download(api, world, slow_download, "not to be cancelled")
    assert api.call("DELETE", f"/api-jobs/{job.uuid}", session="", check=False).status in (400, 503)
    assert api.call("DELETE", f"/api-jobs/{job.uuid}", session=new_uuid(), check=False).status in (400, 503)
    assert not job.is_finished()
    api.call("DELETE", f"/api-jobs/{job.uuid}")
    refusal(job.wait)


# --- timeouts ---

def test_a_job_over_its_time_fails_with_sys_1001_and_is_undone(api, host, world, slow_download):
    began = time.monotonic()
    job = start_download(api, world, slow_download, "too slow", timeout_s=2)
    refused = refusal(job.wait)
    assert "SYS.1001" in refused.codes and time.monotonic() - began < 6
    no_trace_of_image(api, host, "too slow")


def test_a_short_timeout_ends_the_patience_of_a_graceful_stop(api, host, vms):
    vm = vms.create("impatient", "deaf_qcow2")["uuid"]
    host.guest_says(vm, "GUEST-UP")
    began = time.monotonic()
    job = api.start_action(vm, "stopVmInstance", timeout_s=2)
    answer = job.answer()
    assert time.monotonic() - began < STOP_GRACE_S - 1
    assert answer.status == 200 or answer.body["error"]["code"] in ("VM.1002", "SYS.1001")
    wait_for(lambda: api.state(vm) in ("Stopped", "Running"), 5, lambda: api.state(vm))


# --- order ---

def test_jobs_of_one_vm_run_in_the_order_they_came(api, guest):
    jobs = [api.start_action(guest, action) for action in ("pauseVmInstance", "resumeVmInstance") * 4]
    states = [job.wait()["inventory"]["state"] for job in jobs]
    assert states == ["Paused", "Running"] * 4


def test_jobs_of_other_vms_do_not_wait(api, host, guest, vms):
    vm = vms.create("holds its queue", "deaf_qcow2")["uuid"]
    host.guest_says(vm, "GUEST-UP")
    stop = api.start_action(vm, "stopVmInstance")
    began = time.monotonic()
    api.act(guest, "pauseVmInstance")
    api.act(guest, "resumeVmInstance")
    assert time.monotonic() - began < 2 and not stop.is_finished()
    stop.wait()


# --- webhooks ---

def test_a_webhook_brings_what_the_poll_says(api, guest, webhooks):
    wished = new_uuid()
    job = api.start_action(guest, "pauseVmInstance", webhook=webhooks.url, job=wished)
    delivery = webhooks.wait(wished)
    assert (delivery.job, delivery.success) == (job.uuid, "true")
    assert delivery.body == job.wait()
    time.sleep(2.5)
    assert len(webhooks.of(wished)) == 1


def test_the_java_client_gets_its_webhook_when_it_has_begun_to_wait(api, webhooks):
    """It forgets a callback that arrives before that, and sleeps for hours."""
    job = api.submit("POST", "/instance-offerings", {"params": {"name": "java", "cpuNum": 1, "memorySize": 1 << 30}}, webhook=webhooks.url,
                     headers={"User-Agent": "okhttp/4.9.3"})
    answered = time.monotonic()
    webhooks.wait(job.uuid)
    assert time.monotonic() - answered > 0.4
    api.run("DELETE", f"/instance-offerings/{job.wait()['inventory']['uuid']}")


def test_a_webhook_of_a_failure_carries_the_error(api, guest, webhooks):
    job = api.start_action(guest, "resumeVmInstance", webhook=webhooks.url)
    delivery = webhooks.wait(job.uuid)
    assert delivery.success == "false" and delivery.body["error"]["code"] == "VM.1013"
    assert delivery.body == job.poll().body


def test_a_webhook_carries_the_schema_when_the_request_asked_for_it(api, guest, webhooks):
    action = "pauseVmInstance" if api.state(guest) == "Running" else "resumeVmInstance"
    job = api.submit("PUT", f"/vm-instances/{guest}/actions", {action: {}}, webhook=webhooks.url, headers={"X-JSON-Schema": "true"})
    assert webhooks.wait(job.uuid).body["schema"]["inventory"] == "org.zstack.header.vm.VmInstanceInventory"


def test_a_receiver_that_fails_at_first_is_asked_again(api, webhooks):
    webhooks.statuses = [500, 503]
    job = api.submit("POST", "/instance-offerings", {"params": {"name": "hooked", "cpuNum": 1, "memorySize": 1 << 30}}, webhook=webhooks.url)
    wait_for(lambda: len(webhooks.of(job.uuid)) == 3, 15, "three deliveries")
    api.run("DELETE", f"/instance-offerings/{job.wait()['inventory']['uuid']}")


def test_calls_answered_at_once_have_no_webhook(api, webhooks):
    job = new_uuid()
    api.call("GET", "/zones", headers={"X-Web-Hook": webhooks.url, "X-Job-UUID": job})
    time.sleep(1.5)
    assert webhooks.of(job) == []


# --- restarts ---

@pytest.mark.slow
def test_results_webhooks_and_replays_outlive_the_daemon(own_host):
    own = own_host()
    api, host = own.api, own.host
    late = Webhooks(host.gateway)
    late.close()  # nobody listens there while the job ends
    body = {"params": {"name": "kept", "cpuNum": 1, "memorySize": 1 << 30}}
    job_uuid = new_uuid()
    job = api.submit("POST", "/instance-offerings", body, job=job_uuid, webhook=late.url)
    result = job.wait()
    host.kill("agent")
    host.start("agent")
    again = Webhooks(host.gateway, late.port)
    try:
        assert again.wait(job_uuid, 30).body == result
        assert job.wait() == result
        assert api.submit("POST", "/instance-offerings", body, job=job_uuid).wait() == result
        assert len(api.query("/instance-offerings", "name=kept")) == 1
    finally:
        again.close()


def test_a_polite_stop_of_the_daemon_loses_no_job(own_host):
    own = own_host()
    api = own.api
    vm = own.world.create("waits")["uuid"]
    jobs = [api.start_action(vm, action) for action in ("pauseVmInstance", "resumeVmInstance") * 5]
    own.host.restart("agent")
    states = [job.wait(through_restarts=True)["inventory"]["state"] for job in jobs]
    assert states == ["Paused", "Running"] * 5
    own.agrees()


# --- many at once ---

def test_many_clients_get_each_their_own_answer(api, vms):
    uuids = [vms.create(f"many-{i}", strategy="JustCreate")["uuid"] for i in range(4)]
    wrong = []

    def rename(vm, i):
        mine = api.copy()
        for n in range(10):
            name = f"{i}-{n}"
            if mine.act(vm, "updateVmInstance", name=name)["name"] != name:
                wrong.append(name)

    threads = [threading.Thread(target=rename, args=(vm, i)) for i, vm in enumerate(uuids)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == [] and [api.vm(vm)["name"] for vm in uuids] == [f"{i}-9" for i in range(4)]
