"""The packages: unit and RPM as they are read, the DEB installed and run under a real systemd in a container.

PACKAGE_BUILD is a build directory configured with prefix /usr and sysconfdir /etc.
"""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ["PACKAGE_BUILD"]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True, capture_output=True, timeout=120, **options).stdout


@pytest.fixture(scope="session")
def rpms(tmp_path_factory):
    if not shutil.which("rpmbuild"):
        pytest.skip("rpmbuild is not installed")
    output = tmp_path_factory.mktemp("rpm")
    run(ROOT / "scripts/build-rpm", "--reuse", BUILD, output)
    return {re.match(r"(.*)-0\.", path.name)[1]: path for path in output.glob("RPMS/*/*.rpm")}


def test_the_units_exposure_is_2_or_better():
    said = run("systemd-analyze", "security", "--offline=yes", "--no-pager", ROOT / "packaging/hvagentd.service")
    assert float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1]) <= 2.0


def test_the_rpms_hold_every_file_once_and_the_secrets_for_root_and_the_service_alone(rpms):
    assert set(rpms) == {"hvagent", "hvagent-cli", "hvagent-dashboards"}
    listed = run("rpm", "-qplv", rpms["hvagent"])
    assert re.search(r"-rw-r-----.* root +hvagent .*/etc/hvagent/hvagentd.toml$", listed, re.M)
    for name in ("/usr/sbin/hvagentd", "sysusers.d/hvagent.conf", "tmpfiles.d/hvagent.conf", "60-hvagent.conf", "hvagentd.toml.5"):
        assert name in listed, name
    assert run("rpm", "-qpc", rpms["hvagent"]).split() == ["/etc/hvagent/hvagentd.toml"]
    assert "/usr/bin/hvctl" in run("rpm", "-qpl", rpms["hvagent-cli"])


def test_the_rpm_scriptlets_enable_stop_and_restart_the_unit_by_name(rpms):
    scripts = run("rpm", "-qp", "--scripts", rpms["hvagent"])
    for line in (r"systemctl.* preset hvagentd.service", r"disable --now hvagentd.service", r"try-restart hvagentd.service"):
        assert re.search(line, scripts), line
    assert "u hvagent" in scripts


def test_rpmlint_finds_no_error(rpms):
    if not shutil.which("rpmlint"):
        pytest.skip("rpmlint is not installed")
    said = subprocess.run(["rpmlint", "-c", ROOT / "packaging/rpmlint.toml", ROOT / "packaging/hvagent.spec", *rpms.values()],
                          text=True, capture_output=True, timeout=60).stdout
    assert " 0 errors, 0 warnings" in said, said


class Machine:
    def __init__(self, directory):
        self.environment = {**os.environ, "LAB_SD": str(directory)}

    def host(self, *words):
        return run(ROOT / "tests/packaging/systemd-host", *words, env=self.environment)

    def do(self, *words):
        return self.host("exec", *words)

    def shown(self, name):
        return self.do("systemctl", "show", "-P", name, "hvagentd").strip()

    def await_other_process(self, pid, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.shown("MainPID") not in ("0", pid) and self.shown("ActiveState") == "active":
                return
            time.sleep(0.1)
        pytest.fail(f"hvagentd was not restarted in {seconds} s")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
        pytest.skip("a machine with systemd needs root and systemd-nspawn")
    made = tmp_path_factory.mktemp("deb")
    run("cpack", "-G", "DEB", "-B", made, cwd=BUILD)
    found = Machine(made / "machine")
    try:
        found.host("up")
    except subprocess.CalledProcessError as error:
        found.host("down")
        pytest.skip("systemd-nspawn does not run here: " + (error.stderr or "")[-200:])
    try:
        shutil.copy(next(made.glob("*.deb")), made / "machine/root/root/hvagent.deb")
        found.do("dpkg", "-i", "/root/hvagent.deb")
        found.do("systemctl", "start", "hvagentd")
        yield found
    finally:
        found.host("down")


def test_the_service_is_ready_when_libvirt_answers_and_runs_as_its_own_user(machine):
    assert machine.shown("StatusText").startswith("Ready")
    assert machine.do("ps", "-o", "user=", "-p", machine.shown("MainPID")).strip() == "hvagent"


def test_a_killed_daemon_comes_back(machine):
    pid = machine.shown("MainPID")
    machine.do("kill", "-9", pid)
    machine.await_other_process(pid, 15)


def test_a_reload_takes_what_it_can_and_keeps_the_process(machine):
    pid = machine.shown("MainPID")
    machine.do("sh", "-c", "printf '[vm]\\nstop_grace = 5\\n' >/etc/hvagent/hvagentd.d/1.toml")
    machine.do("systemctl", "reload", "hvagentd")
    end = time.monotonic() + 10
    while "[vm] stop_grace" not in (said := machine.do("journalctl", "--no-pager", "-u", "hvagentd")):
        assert time.monotonic() < end, said
        time.sleep(0.1)
    assert machine.shown("MainPID") == pid


def test_the_watchdog_ends_a_daemon_that_does_not_move(machine):
    pid = machine.shown("MainPID")
    machine.do("kill", "-STOP", pid)
    machine.await_other_process(pid, 45)


def test_a_removal_stops_the_service_and_keeps_the_state(machine):
    machine.do("dpkg", "-r", "hvagent")
    machine.do("sh", "-c", "test ! -e /usr/sbin/hvagentd && test -e /var/lib/hvagent/hvagent.db && ! pgrep -x hvagentd")
