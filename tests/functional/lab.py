"""The test lab as tests see it: hosts that scripts/lab brought up, and what can be done to them by hand."""
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import libvirt

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "scripts" / "lab"

libvirt.registerErrorHandler(lambda *_: None, None)  # errors reach us as exceptions


class NotInTime(AssertionError):
    pass


def wait_for(condition, timeout_s, what, interval_s=0.02):
    """The first true result of `condition`. `what` may be a function that describes what was seen last."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise NotInTime(f"not within {timeout_s} s: {what() if callable(what) else what}")
        time.sleep(interval_s)


class Lab:
    """A lab of its own name, so that several live side by side."""

    def __init__(self, name, config=""):
        self.name = name
        self.config = config
        self.hosts = []

    def run(self, *words, check=True, **options):
        done = subprocess.run([SCRIPT, *map(str, words)], env={**os.environ, "LAB_NAME": self.name}, text=True,
                              capture_output=True, check=False, **options)
        if check and done.returncode:
            raise RuntimeError(f"lab {' '.join(map(str, words))}: {done.stderr}")
        return done

    def up(self, count=1, *options):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as extra:
            extra.write(self.config)
            extra.flush()
            lines = self.run("up", count, "--config-extra", extra.name, *options).stdout.splitlines()
        self.hosts = [Host(self, json.loads(line)) for line in lines]
        return self.hosts

    def down(self):
        for host in self.hosts:
            host.close()
        self.run("down")

    def images(self):
        return json.loads(self.run("image", timeout=300).stdout)


class Host:
    def __init__(self, lab, described):
        self.lab = lab
        self.name = described["host"]
        self.url = described["url"]
        self.password = described["admin_password"]
        self.libvirt_uri = described["libvirt_uri"]
        self.dir = Path(described["dir"])
        self.shared = Path(described["shared_dir"])
        self.state = self.dir / "hvagent"  # /var/lib/hvagent of the host
        self.address, port = self.url.split("//")[1].split(":")
        self.port = int(port)
        self.gateway = self.address.rpartition(".")[0] + ".1"  # this machine, seen from the host
        self.libvirt_ = None

    # --- the host's processes and files ---

    def exec(self, *words, check=True, **options):
        done = self.lab.run("exec", self.name, "--", *words, check=False, **options)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
        return done

    def shell(self, script, check=True):
        return self.exec("sh", "-c", script, check=check).stdout

    def status(self):
        for line in self.lab.run("status").stdout.splitlines():
            status = json.loads(line)
            if status["host"] == self.name:
                return status
        raise RuntimeError(f"{self.name} is not up")

    def daemons(self):
        return self.status()["daemons"]

    def signal(self, daemon, name):
        self.lab.run("signal", self.name, daemon, name)

    def kill(self, daemon):
        self.signal(daemon, "KILL")

    def stop(self, daemon):
        self.lab.run("stop", self.name, daemon)

    def start(self, daemon):
        self.lab.run("start", self.name, daemon)

    def restart(self, daemon):
        self.lab.run("restart", self.name, daemon)

    @property
    def root(self):
        """The host's own file system, with what is mounted in it."""
        return Path(f"/proc/{self.status()['init_pid']}/root")

    def has_file(self, path):
        return (self.root / str(path).lstrip("/")).exists()

    def listens(self):
        """Whether the agent takes connections."""
        try:
            socket.create_connection((self.address, self.port), timeout=0.2).close()
            return True
        except OSError:
            return False

    # --- libvirt, by hand ---

    @property
    def libvirt(self):
        """A connection; a new one after libvirtd was killed."""
        if self.libvirt_ is not None:
            try:
                self.libvirt_.getLibVersion()
                return self.libvirt_
            except libvirt.libvirtError:
                self.close()
        self.libvirt_ = wait_for(self.try_connect, 20, "a connection to libvirtd")
        return self.libvirt_

    def try_connect(self):
        try:
            return libvirt.open(self.libvirt_uri)
        except libvirt.libvirtError:
            return None

    def close(self):
        if self.libvirt_ is not None:
            try:
                self.libvirt_.close()
            except libvirt.libvirtError:
                pass
            self.libvirt_ = None

    def domain(self, vm):
        return self.libvirt.lookupByName(vm)

    def has_domain(self, vm):
        return vm in [domain.name() for domain in self.libvirt.listAllDomains()]

    def xml(self, vm):
        return self.domain(vm).XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)

    def qemu_pid(self, vm):
        """Inside the host; 0 when it does not run."""
        return int(self.shell(f"cat /run/libvirt/qemu/{vm}.pid 2>/dev/null || echo 0"))

    def signal_qemu(self, vm, name):
        self.exec("kill", f"-{name}", self.qemu_pid(vm))

    # --- the guest ---

    def serial(self, vm):
        log = self.state / "serial" / f"{vm}.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def guest_says(self, vm, text, since=0, timeout_s=30):
        """Waits for a line on the serial console after the first `since` characters; returns how many there are now."""
        def said():
            log = self.serial(vm)
            return len(log) if re.search(text, log[since:]) else None

        return wait_for(said, timeout_s, lambda: f"{text} on the console of {vm}; it said:\n{self.serial(vm)[-2000:]}", 0.05)
