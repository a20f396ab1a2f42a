"""/metrics over running guests: names and figures, VMs that go, a QEMU that is frozen, who may read it."""
import json
import re
import shutil
import subprocess
import time

import pytest

from conftest import CONFIG, MIB
from lab import REPOSITORY, wait_for

SERIES = re.compile(r"^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$", re.IGNORECASE)
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
# Cached for 5 s by the agent.
CACHE_S = 5

# What dashboards made for prometheus-libvirt-exporter ask for, with the labels they group by.
OF_THE_EXPORTER = {
    "libvirt_domain_info_cpu_time_seconds_total": {"domain", "uuid"},
    "libvirt_domain_info_maximum_memory_bytes": {"domain", "uuid"},
    "libvirt_domain_info_memory_usage_bytes": {"domain", "uuid"},
    "libvirt_domain_info_virtual_cpus": {"domain", "uuid"},
    "libvirt_domain_block_stats_read_bytes_total": {"domain", "uuid", "source_file", "target_device"},
    "libvirt_domain_block_stats_read_requests_total": {"domain", "uuid", "source_file", "target_device"},
    "libvirt_domain_block_stats_write_bytes_total": {"domain", "uuid", "source_file", "target_device"},
    "libvirt_domain_block_stats_write_requests_total": {"domain", "uuid", "source_file", "target_device"},
    "libvirt_domain_interface_stats_receive_bytes_total": {"domain", "uuid", "target_device"},
    "libvirt_domain_interface_stats_receive_drops_total": {"domain", "uuid", "target_device"},
    "libvirt_domain_interface_stats_receive_errors_total": {"domain", "uuid", "target_device"},
    "libvirt_domain_interface_stats_receive_packets_total": {"domain", "uuid", "target_device"},
    "libvirt_domain_interface_stats_transmit_bytes_total": {"domain", "uuid", "target_device"},
    "libvirt_domain_interface_stats_transmit_drops_total": {"domain", "uuid", "target_device"},
    "libvirt_domain_interface_stats_transmit_errors_total": {"domain", "uuid", "target_device"},
    "libvirt_domain_interface_stats_transmit_packets_total": {"domain", "uuid", "target_device"},
}


class Scrape:
    def __init__(self, text, took_s):
        self.text = text
        self.took_s = took_s
        self.series = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, labels, value = SERIES.match(line).groups()
                self.series.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def of(self, name, **labels):
        return [(had, value) for found, had, value in self.series if found == name and labels.items() <= had.items()]

    def value(self, name, **labels):
        """The one series; None when there is none."""
        found = self.of(name, **labels)
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def sum(self, name, **labels):
        return sum(value for _, value in self.of(name, **labels))


def answer(api, **headers):
    return api.http.get(api.url + "/metrics", headers=headers, timeout=30)


def scrape(api):
    began = time.monotonic()
    page = answer(api, Authorization=f"OAuth {api.session}")
    assert page.status_code == 200, page.text
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return Scrape(page.text, time.monotonic() - began)


def new_figures(api):
    """A scrape whose figures were collected for it."""
    began = time.monotonic()
    time.sleep(0.002)  # ages are told in milliseconds

    def collected():
        asked = time.monotonic()
        seen = scrape(api)
        return seen if asked - seen.value("hvagent_vm_figures_age_seconds") > began + 0.0015 else None

    return wait_for(collected, CACHE_S + 5, "new figures of VMs", 0.2)


def check_rules(path):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed (Debian package prometheus, 96 MB)")
    return subprocess.run([promtool, *path], capture_output=True, text=True, check=False)


# --- running guests ---

def test_figures_of_a_guest_have_the_exporters_names_and_grow(api, host, guest):
    host.guest_says(guest, "GUEST-IP")
    first = new_figures(api)
    for name, labels in OF_THE_EXPORTER.items():
        series = first.of(name, domain=guest)
        assert series and all(set(had) == labels for had, _ in series), (name, series)
    uuid = f"{guest[:8]}-{guest[8:12]}-{guest[12:16]}-{guest[16:20]}-{guest[20:]}"
    assert first.value("libvirt_domain_info_virtual_cpus", uuid=uuid) == 1
    assert first.value("libvirt_domain_info_maximum_memory_bytes", domain=guest) == 256 * MIB
    assert 10 * MIB < first.value("libvirt_domain_memory_stats_rss_bytes", domain=guest)
    assert first.value("libvirt_domain_block_stats_read_bytes_total", domain=guest, target_device="vda") > MIB
    assert first.sum("libvirt_domain_interface_stats_transmit_bytes_total", domain=guest) > 0  # it asked for an address
    assert first.value("hvagent_vm_state", domain=guest, state="Running") == 1
    assert [had["name"] for had, _ in first.of("hvagent_vm_info", domain=guest)] == ["shared guest"]
    assert first.value("hvagent_vm_qemu_responding", domain=guest) == 1
    later = new_figures(api)
    name = "libvirt_domain_info_cpu_time_seconds_total"
    assert later.value(name, domain=guest) > first.value(name, domain=guest) > 0.1


def test_a_vm_that_is_stopped_has_a_state_only_and_one_that_is_gone_has_nothing(api, vms):
    vm = vms.create("short-lived", "deaf_qcow2")["uuid"]
    assert new_figures(api).value("libvirt_domain_info_cpu_time_seconds_total", domain=vm)
    api.act(vm, "stopVmInstance", type="cold")
    stopped = new_figures(api)
    assert stopped.value("hvagent_vm_state", domain=vm, state="Stopped") == 1
    assert stopped.of("libvirt_domain_info_cpu_time_seconds_total", domain=vm) == []
    api.destroy(vm)
    api.act(vm, "expungeVmInstance")
    assert vm not in scrape(api).text


def test_host_storages_and_the_agents_own_work_are_shown(api, host, guest):
    before = scrape(api)
    api.act(guest, "pauseVmInstance")
    api.act(guest, "resumeVmInstance")
    seen = scrape(api)
    done = {"operation": "PauseVmInstance", "result": "succeeded"}
    assert seen.value("hvagent_jobs_total", **done) == (before.value("hvagent_jobs_total", **done) or 0) + 1
    assert seen.value("hvagent_job_duration_seconds_count", operation="PauseVmInstance") >= 1
    assert seen.value("hvagent_libvirt_calls_total", call="suspend", result="done") >= 1
    assert seen.sum("hvagent_http_requests_total", method="PUT", status="202") > 0
    assert seen.value("libvirt_up") == 1
    assert {kind for had, _ in seen.of("hvagent_storage_up") for kind in [had["kind"]]} == {"primary", "backup"}
    assert seen.value("hvagent_storage_available_bytes", kind="primary") > 0
    assert seen.value("hvagent_host_promised_memory_bytes") >= 256 * MIB
    assert seen.value("hvagent_host_memory_bytes") == int(re.search(r"MemTotal:\s+(\d+)", host.shell("cat /proc/meminfo"))[1]) * 1024
    assert 5 * MIB < seen.value("process_resident_memory_bytes") < 500 * MIB
    assert seen.value("hvagent_libvirtd_resident_memory_bytes") > 5 * MIB
    assert {had["class"] for had, _ in seen.of("hvagent_jobs_running")} == {"quick", "power", "copy", "migrate"}


def test_no_scrape_asks_libvirt_twice_within_the_cache(api, guest):
    calls = {"call": "read the figures of all VMs", "result": "done"}
    first = new_figures(api).value("hvagent_libvirt_calls_total", **calls)
    for _ in range(20):
        last = scrape(api)
    assert last.value("hvagent_libvirt_calls_total", **calls) <= first + 1


# --- a QEMU that is frozen ---

def test_one_frozen_qemu_delays_no_scrape_and_is_named(api, host, guest, vms):
    frozen = vms.create("frozen", "deaf_qcow2")["uuid"]
    usual_s = new_figures(api).value("hvagent_vm_figures_collect_seconds")
    host.signal_qemu(frozen, "STOP")
    try:
        first = new_figures(api)
        assert first.value("hvagent_vm_figures_up") == 1 and first.took_s < 3, first.took_s
        second = new_figures(api)
        assert second.took_s < 1, second.took_s
        # A machine under load is granted 50 ms.
        assert second.value("hvagent_vm_figures_collect_seconds") < 2 * usual_s + 0.05
        assert second.value("hvagent_vm_qemu_responding", domain=frozen) == 0
        assert second.value("hvagent_vm_qemu_silent_seconds", domain=frozen) > 1
        assert second.value("hvagent_vm_qemu_responding", domain=guest) == 1
        assert second.value("libvirt_domain_info_cpu_time_seconds_total", domain=guest) > 0
        assert second.of("libvirt_domain_memory_stats_rss_bytes", domain=frozen) == []
    finally:
        host.signal_qemu(frozen, "CONT")
    wait_for(lambda: scrape(api).value("hvagent_vm_qemu_responding", domain=frozen) == 1, 20, "QEMU answers again", 0.3)
    assert new_figures(api).value("libvirt_domain_memory_stats_rss_bytes", domain=frozen) > MIB


# --- who may read ---

def test_others_than_this_host_need_a_session(api, host):
    assert answer(api).status_code == 401
    assert answer(api, Authorization="Bearer guessed-by-somebody").status_code == 401
    assert answer(api, Authorization=f"OAuth {api.session}").status_code == 200
    inside = host.shell(f"curl -s -o /dev/null -w '%{{http_code}}' http://{host.address}:{host.port}/metrics")
    assert inside == "401"  # the lab's agent listens on the cable only: that is no loopback


def test_a_token_of_the_settings_opens_the_page_from_anywhere(own_host):
    own = own_host(CONFIG + '\n[metrics]\npublic = "never"\ntoken = "only-for-prometheus"\n')
    assert answer(own.api, Authorization="Bearer only-for-prometheus").status_code == 200
    assert answer(own.api).status_code == 401


# --- what is packaged for it ---

def test_rules_and_dashboard_ask_only_for_series_that_exist(api, guest):
    """A misspelt name in a rule is an alert that never fires."""
    known = {name for name, _, _ in new_figures(api).series} | {
        # made when the first of them happens
        "hvagent_webhook_deliveries_total", "hvagent_host_huge_pages", "hvagent_host_huge_pages_free",
        "hvagent_host_pressure_ratio", "hvagent_host_pressure_waited_seconds_total",
    }
    text = (REPOSITORY / "packaging/prometheus/hvagent.rules.yml").read_text()
    dashboard = json.loads((REPOSITORY / "packaging/grafana/hvagent.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    names = set(re.findall(r"\b(?:libvirt|hvagent|process)_[a-z0-9_]+", text + "\n".join(asked)))
    assert len(names) > 20
    assert names <= known, names - known


def test_promtool_accepts_the_rules():
    done = check_rules(["check", "rules", str(REPOSITORY / "packaging/prometheus/hvagent.rules.yml")])
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_sees_the_alerts_fire_and_rest():
    done = check_rules(["test", "rules", str(REPOSITORY / "packaging/prometheus/hvagent.rules.test.yml")])
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_no_fault_in_the_page(api, guest):
    page = scrape(api).text
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed (Debian package prometheus, 96 MB)")
    done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
