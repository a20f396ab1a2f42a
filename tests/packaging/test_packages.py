"""The packages: unit and RPM as they are read, the DEB installed and run under a real systemd in a container.

PACKAGE_BUILD is a build directory configured with prefix /usr and sysconfdir /etc.
"""
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ["PACKAGE_BUILD"]


def run(*command, timeout=120, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True, capture_output=True, timeout=timeout, **options).stdout


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.1)
    return result


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
    assert set(rpms) == {"hvagent", "hvagent-cli", "hvagent-dashboards", "hvagent-selinux"}
    listed = run("rpm", "-qplv", rpms["hvagent"])
    assert re.search(r"-rw-r-----.* root +hvagent .*/etc/hvagent/hvagentd.toml$", listed, re.M)
    for name in ("/usr/sbin/hvagentd", "sysusers.d/hvagent.conf", "tmpfiles.d/hvagent.conf", "60-hvagent.conf", "hvagentd.toml.5",
                 "firewalld/services/hvagent.xml", "firewalld/services/hvagent-migration.xml"):
        assert name in listed, name
    assert run("rpm", "-qpc", rpms["hvagent"]).split() == ["/etc/hvagent/hvagentd.toml"]
    assert "/usr/bin/hvctl" in run("rpm", "-qpl", rpms["hvagent-cli"])


def test_the_firewalls_service_opens_the_port_of_the_default():
    listen = re.search(r'# listen = "\S+:(\d+)"', run(Path(BUILD) / "hvagentd", "--print-settings"))[1]
    port = ElementTree.parse(ROOT / "packaging/firewalld/hvagent.xml").find("port")
    assert (port.get("protocol"), port.get("port")) == ("tcp", listen)


def test_selinux_labels_are_for_the_places_of_the_defaults(rpms):
    defaults = run(Path(BUILD) / "hvagentd", "--print-settings")
    labelled = set(re.findall(r'filecon "(\S+)\(/\.\*\)\?"', (ROOT / "packaging/selinux/hvagent.cil").read_text()))
    assert labelled == {"/var/lib/hvagent/serial", "/var/lib/hvagent/primary", "/var/lib/hvagent/backup"}
    for place in labelled - {"/var/lib/hvagent/serial"}:
        assert f'path = "{place}"' in defaults, place
    assert "/targeted/hvagent.cil" in run("rpm", "-qpl", rpms["hvagent-selinux"])
    assert "semodule -n -s targeted -X 200 -i" in run("rpm", "-qp", "--scripts", rpms["hvagent-selinux"])
    assert "hvagent-selinux = " in run("rpm", "-qpR", rpms["hvagent"])


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
        self.root = Path(directory) / "root"

    def host(self, *words, timeout=120):
        return run(ROOT / "tests/packaging/systemd-host", *words, env=self.environment, timeout=timeout)

    def do(self, *words):
        return self.host("exec", *words)

    def shown(self, name):
        return self.do("systemctl", "show", "-P", name, "hvagentd").strip()

    def poll(self, job):
        """The answer of a job; None while it runs, or while the daemon is not there."""
        said = subprocess.run([ROOT / "tests/packaging/systemd-host", "exec", "curl", "-s", "-w", "\n%{http_code}",
                               f"http://127.0.0.1:8080/zstack/v1/api-jobs/{job}"],
                              env=self.environment, text=True, capture_output=True, timeout=60).stdout
        body, _, status = said.rpartition("\n")
        return json.loads(body) if status in ("200", "503") else None

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
        found.do("dpkg", "--no-triggers", "-i", "/root/hvagent.deb")  # the index of manual pages takes longer than the test
        # A /dev/kvm that opens is no proof, and emulation runs everywhere.
        (found.root / "etc/hvagent/hvagentd.d/0.toml").write_text('[libvirt]\nvirt_type = "qemu"\n')
        found.do("systemctl", "start", "hvagentd")
        yield found
    finally:
        found.host("down")


@pytest.fixture(scope="module")
def cli(machine):
    """hvctl in the machine; answers as JSON."""
    machine.do("sh", "-c", "HVCTL_PASSWORD=$(cat /var/lib/hvagent/admin-password) hvctl login")
    return lambda *words: json.loads(machine.do("env", "HOME=/root", "hvctl", "--json", *words))


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


# --- the sandbox, tried from inside: a shell in the unit's own sandbox, as its user ---

@pytest.fixture(scope="module")
def sandboxed(machine):
    """Whether a script succeeds as the unit's own process: with its user, groups, capabilities and sandbox."""
    text = machine.do("cat", "/lib/systemd/system/hvagentd.service")
    kept = "\n".join(line for line in text.splitlines() if not re.match("Type=|ExecStart=|ExecReload=|Restart|Watchdog", line))
    unit = kept.replace("[Service]", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/bin/probe")

    def run_in_sandbox(script):
        (machine.root / "usr/local/bin/probe").write_text(f"#!/bin/sh\n{script}\n")
        machine.do("chmod", "755", "/usr/local/bin/probe")
        (machine.root / "etc/systemd/system/probe.service").write_text(unit)
        machine.do("systemctl", "daemon-reload")
        machine.do("sh", "-c", "systemctl stop probe; systemctl reset-failed probe 2>/dev/null || :")
        machine.do("sh", "-c", "systemctl start probe 2>/dev/null || :")
        assert machine.do("systemctl", "show", "-P", "ExecMainCode", "probe").strip() == "1", "it did not come to its own end"
        return machine.do("systemctl", "show", "-P", "Result", "probe").strip() == "success"
    return run_in_sandbox


def test_the_probe_of_the_sandbox_can_do_what_the_service_must(sandboxed):
    assert sandboxed("test $(id -un) = hvagent && touch /var/lib/hvagent/probe && rm /var/lib/hvagent/probe && cat /etc/hvagent/hvagentd.toml")
    assert not sandboxed("exit 1")


@pytest.mark.parametrize("what", [
    "touch /usr/lib/probe", "touch /etc/hvagent/probe", "touch /var/log/probe", "touch /boot/probe",  # read-only, whatever the capabilities
    "test -e /home/known", "test -e /root/hvagent.deb",                                                # homes are not there
    "echo 1 >/proc/sys/vm/drop_caches", "mkdir /sys/fs/cgroup/probe",                                   # tunables, control groups
    "test -e /proc/1/status",                                                                          # processes of others
    "head -c 1 /dev/vda", "mknod /var/lib/hvagent/probe b 8 0", "test -e /tmp/known",                  # devices, the tmp of others
    "unshare -U true", "chroot / true", "mount -t tmpfs none /mnt", "hostname probe", "setpriv --reuid=root --clear-groups true",
    "chrt -r 1 true", "cp /bin/sh /var/lib/hvagent/probe && chmod u+s /var/lib/hvagent/probe",
])
def test_the_sandbox_denies(machine, sandboxed, what):
    machine.do("sh", "-c", "touch /tmp/known /home/known; rm -f /var/lib/hvagent/probe")
    assert not sandboxed(what)


def test_the_sandbox_gives_no_new_privileges(sandboxed):
    assert sandboxed('grep -q "NoNewPrivs:.1" /proc/self/status && grep -q "Seccomp:.2" /proc/self/status')
    # CAP_DAC_OVERRIDE and CAP_FOWNER, and no other
    assert sandboxed('grep -q "CapBnd:.000000000000000a" /proc/self/status')


def test_memory_and_tasks_are_limited(machine):
    assert machine.shown("MemoryMax") == str(2 << 30) and machine.shown("TasksMax") == "2048"


# --- the journal ---

def test_the_journal_tells_the_story_of_a_job_by_its_id(machine, cli):
    zone = "feedfeedfeed4eedbeedfeedfeedfeed"
    cli("CreateZone", "name=logged", f"resourceUuid={zone}")
    job = machine.do("sh", "-c", "journalctl --no-pager -o json OPERATION=CreateZone | tail -1")
    story = machine.do("journalctl", "--no-pager", "-o", "cat", "JOB=" + json.loads(job)["JOB"])
    for line in ("job accepted", "job started", "job done"):
        assert line in story, story
    assert machine.do("sh", "-c", "journalctl --no-pager -o json JOB=" + json.loads(job)["JOB"] + " | grep -c REQUEST").strip() == "1"


# --- stores of other versions, and settings that are wrong ---

def test_a_store_of_a_newer_version_is_left_alone_and_systemd_does_not_loop(machine):
    machine.do("systemctl", "stop", "hvagentd")
    change = "import sqlite3,sys; db=sqlite3.connect('/var/lib/hvagent/hvagent.db'); db.execute('UPDATE schema_version SET version=version+'+sys.argv[1]); db.commit()"
    machine.do("python3", "-c", change, "100")
    with pytest.raises(subprocess.CalledProcessError):
        machine.do("systemctl", "start", "hvagentd")
    assert machine.shown("ExecMainStatus") == "65" and machine.shown("ActiveState") == "failed"
    assert machine.shown("NRestarts") == "0"
    said = machine.do("journalctl", "--no-pager", "-u", "hvagentd", "-n", "5")
    assert "written by a newer hvagent" in said
    machine.do("python3", "-c", change, "-100")
    machine.do("systemctl", "start", "hvagentd")


def test_an_older_store_is_copied_before_its_upgrade(machine):
    machine.do("systemctl", "stop", "hvagentd")
    older = "import sqlite3; db=sqlite3.connect('/var/lib/hvagent/hvagent.db'); print(db.execute('SELECT version FROM schema_version').fetchone()[0]); db.execute('UPDATE schema_version SET version=version-1'); db.commit()"
    version = int(machine.do("python3", "-c", older))
    machine.do("systemctl", "start", "hvagentd")
    copy = f"/var/lib/hvagent/hvagent.db.schema-{version - 1}"
    assert machine.do("stat", "-c", "%U %a", copy).strip() == "hvagent 600"
    read = f"import sqlite3; print(sqlite3.connect('file:{copy}?mode=ro', uri=True).execute('SELECT version FROM schema_version').fetchone()[0])"
    assert int(machine.do("python3", "-c", read)) == version - 1


def test_wrong_settings_end_the_daemon_once_and_are_named(machine):
    machine.do("sh", "-c", "printf '[shutdown]\\nguests = \"suspend\"\\n' >/etc/hvagent/hvagentd.d/2.toml")
    with pytest.raises(subprocess.CalledProcessError):
        machine.do("systemctl", "restart", "hvagentd")
    assert machine.shown("ExecMainStatus") == "78" and machine.shown("NRestarts") == "0"
    assert "2.toml:2" in machine.do("journalctl", "--no-pager", "-u", "hvagentd", "-n", "5")
    machine.do("rm", "/etc/hvagent/hvagentd.d/2.toml")
    machine.do("systemctl", "start", "hvagentd")


def test_trouble_of_libvirts_unit_is_named_in_the_status(machine):
    machine.do("systemctl", "stop", "libvirtd")
    try:
        wait_for(lambda: "libvirtd.service is inactive" in machine.shown("StatusText"), 60, lambda: machine.shown("StatusText"))
    finally:
        machine.do("systemctl", "start", "libvirtd")
    wait_for(lambda: machine.shown("StatusText").startswith("Ready"), 60, lambda: machine.shown("StatusText"))


# --- the host goes down ---

@pytest.fixture(scope="module")
def guest(machine, cli):
    """A VM that watches its power button."""
    image = json.loads(run(ROOT / "scripts/lab", "image"))["qcow2"]
    shutil.copy(image, machine.root / "srv/tiny.qcow2")
    store = cli("QueryBackupStorage")["inventories"][0]["uuid"]
    image = cli("AddImage", "name=tiny", "url=file:///srv/tiny.qcow2", "format=qcow2", f"backupStorageUuids={store}")["inventory"]["uuid"]
    l3 = cli("QueryL3Network")["inventories"][0]["uuid"]
    vm = cli("CreateVmInstance", "name=web", "cpuNum=1", "memorySize=268435456", f"imageUuid={image}", f"l3NetworkUuids={l3}")["inventory"]["uuid"]
    await_guest(machine, vm)
    return vm


def serial(machine, vm):
    return (machine.root / f"var/lib/hvagent/serial/{vm}.log").read_text(errors="replace")


def await_guest(machine, vm, boots=1):
    wait_for(lambda: serial(machine, vm).count("GUEST-UP") >= boots, 120, lambda: serial(machine, vm)[-2000:])


def test_an_upgrade_leaves_guests_running_and_ends_running_jobs(machine, cli, guest):
    qemu = machine.do("pgrep", "-f", guest).split()
    pid = machine.shown("MainPID")
    volume = cli("QueryVolume", f"vmInstanceUuid={guest}")["inventories"][0]["uuid"]
    job = cli("CreateVolumeSnapshot", f"volumeUuid={volume}", "name=upgrade", "--no-wait")
    machine.do("dpkg", "--no-triggers", "-i", "/root/hvagent.deb")
    machine.await_other_process(pid, 30)
    location = job["location"].rpartition("/")[2]
    answered = wait_for(lambda: machine.poll(location), 60, location)
    assert "inventory" in answered, answered
    assert machine.do("pgrep", "-f", guest).split() == qemu


@pytest.fixture
def slow_copies(machine):
    limit = machine.root / "etc/hvagent/hvagentd.d/copies.toml"
    limit.write_text("[storage]\ncopy_rate = 4194304\n")
    machine.do("systemctl", "restart", "hvagentd")
    yield
    limit.unlink()
    machine.do("systemctl", "restart", "hvagentd")


def begin_conversion(machine, cli, name, mib):
    """The job, and the content that the image must have."""
    raw = machine.root / f"srv/{name}.raw"
    raw.write_bytes(os.urandom(mib << 20))
    run("qemu-img", "convert", "-O", "vmdk", raw, machine.root / f"srv/{name}.vmdk")
    store = cli("QueryBackupStorage")["inventories"][0]["uuid"]
    job = cli("AddImage", f"name={name}", f"url=file:///srv/{name}.vmdk", "format=vmdk", f"backupStorageUuids={store}", "--no-wait")
    wait_for(lambda: copies(machine), 60, "the conversion")
    return job["location"].rpartition("/")[2], raw


def copies(machine):
    return machine.do("sh", "-c", "pgrep -f '^qemu-img convert' || true").split()


def ends_right(machine, job, raw):
    answered = wait_for(lambda: machine.poll(job), 90, job)
    path = answered["inventory"]["backupStorageRefs"][0]["installPath"]
    run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, machine.root / path.lstrip("/"))


def test_an_upgrade_lets_a_long_copy_go_on(machine, cli, slow_copies):
    job, raw = begin_conversion(machine, cli, "upgraded", 32)
    before, pid = copies(machine), machine.shown("MainPID")
    machine.do("dpkg", "--no-triggers", "-i", "/root/hvagent.deb")
    machine.await_other_process(pid, 30)
    assert copies(machine) == before
    ends_right(machine, job, raw)


def test_a_long_copy_of_a_service_that_may_has_a_scope_of_its_own(machine, cli, slow_copies):
    machine.do("sh", "-c", "mkdir -p /run/systemd/system/hvagentd.service.d && cd /run/systemd/system/hvagentd.service.d && "
                           "printf '[Service]\\nUser=root\\nGroup=root\\n' >root.conf && systemctl daemon-reload && systemctl restart hvagentd")
    try:
        job, raw = begin_conversion(machine, cli, "scoped", 16)
        copy, = copies(machine)
        assert "/hvagent-copy-" in machine.do("cat", f"/proc/{copy}/cgroup")
        ends_right(machine, job, raw)
    finally:
        machine.do("sh", "-c", "rm -r /run/systemd/system/hvagentd.service.d; systemctl daemon-reload; systemctl restart hvagentd")


def test_a_poweroff_stops_guests_cleanly_within_the_time_and_they_are_back_after_the_boot(machine, cli, guest, slow_copies):
    """The time is logind's, raised by the package's drop-in."""
    given = machine.do("busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                       "InhibitDelayMaxUSec")
    assert given.split() == ["t", "120000000"]
    assert "hvagentd" in machine.do("systemd-inhibit", "--list", "--no-pager")
    job, raw = begin_conversion(machine, cli, "over-the-boot", 16)
    began = time.monotonic()
    machine.host("poweroff", timeout=180)
    took = time.monotonic() - began
    print(f"down after {took:.1f} s")
    assert not list(machine.root.glob("var/lib/hvagent/backup/**/*.part-*")), "a copy went on while the host went down"
    assert "GUEST-DOWN" in serial(machine, guest), serial(machine, guest)[-1000:]
    assert took < 120
    machine.host("boot")
    machine.do("systemctl", "start", "hvagentd")
    wait_for(lambda: cli("QueryVmInstance", f"uuid={guest}")["inventories"][0]["state"] == "Running", 60, "the VM is Running again")
    await_guest(machine, guest, 2)
    ends_right(machine, job, raw)


def test_a_removal_stops_the_service_and_keeps_the_state(machine):
    machine.do("dpkg", "--no-triggers", "-r", "hvagent")
    machine.do("sh", "-c", "test ! -e /usr/sbin/hvagentd && test -e /var/lib/hvagent/hvagent.db && ! pgrep -x hvagentd")
