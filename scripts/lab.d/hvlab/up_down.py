"""Bringing a lab up and taking it down. Whatever `up` makes can be found again from ROOT, at every moment."""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
import zlib
from pathlib import Path

from . import certificates, host_files
from .host import Host, hosts
from .place import LOSSLESS_CACHE, NAME, PARTS, PATH, QEMU_CACHE, REPOSITORY, ROOT, SHARED, START_TIMEOUT_S, Failure, say, tail, wait
from .processes import any_alive, end, record, spawn

MARKER = ROOT / ".hvagent-lab"
TOOLS = ("libvirtd", "virtlogd", "virsh", "qemu-system-x86_64", "ip", "unshare", "nsenter", "dnsmasq", "findmnt", "openssl")


def up(count, agent, extra, lossless):
    if not 1 <= count <= 10:
        raise Failure("1 to 10 hosts")
    if os.geteuid():
        raise Failure("namespaces, bridges and libvirtd need root")
    for tool in TOOLS:
        if not shutil.which(tool):
            raise Failure(f"no {tool}: scripts/packages lab")
    agent = find_agent(agent)
    began = time.monotonic()
    claim_root()
    lab = [Host(number) for number in range(1, count + 1)]
    try:
        share()
        make_bridges(claim_net())
        certificates.make_authority("ours")
        for host in lab:
            host_files.write(host, count, agent, extra, lossless)
        running = {host: start(host) for host in lab}
        for host, process in running.items():
            plug_in(host, process)
        await_libvirtd(running)
        if agent:
            for host in lab:
                await_agent(host)
    except BaseException:
        for host in lab:
            if text := tail(host.log / "host.log"):
                say(f"{host.name}:\n{text}")
        tear_down()
        raise
    (ROOT / "pids" / "up").unlink()
    say(f"{count} host(s) up in {time.monotonic() - began:.2f} s; logs in {ROOT}/h*/log")
    for host in lab:
        config = host.config
        scheme = "http" if config["http"].get("insecure") else "https"
        print(json.dumps({
            "host": host.name, "url": f"{scheme}://{host.address}:{host.agent_port}",
            "admin_password": config["admin"]["password"], "libvirt_uri": host.libvirt_uri,
            "shared_dir": str(SHARED), "dir": str(host.dir)}), flush=True)


def down():
    with claims_locked():
        if not ROOT.exists():
            return
        if not MARKER.exists():
            raise Failure(f"{ROOT} is not a lab's")
        end("up", signal.SIGTERM) # one at work takes down what it made
        if ROOT.exists():
            tear_down()


def find_agent(wished):
    wished = wished or os.environ.get("HVAGENTD")
    if wished == "none":
        return None
    if wished:
        path = Path(wished).resolve()
        if not os.access(path, os.X_OK):
            raise Failure(f"{wished} cannot be run")
        return path
    builds = [REPOSITORY / "build" / kind / "hvagentd" for kind in ("release", "dev")]
    builds = [path for path in builds if os.access(path, os.X_OK)]
    if not builds:
        say("no hvagentd in build/release or build/dev: the hosts come up without an agent")
        return None
    return max(builds, key=lambda path: path.stat().st_mtime)


# --- who owns what ---

@contextlib.contextmanager
def claims_locked():
    """On the parent directory, so that no lock file stays behind."""
    fd = os.open(ROOT.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def claim_root():
    with claims_locked():
        if MARKER.exists():
            if any_alive():
                raise Failure(f"lab {NAME} ({ROOT}) is up, or on its way; `lab down` ends it, "
                              "another LAB_NAME makes a second one")
            say("cleaning up what an earlier lab left")
            tear_down()
        elif ROOT.exists() and any(ROOT.iterdir()):
            raise Failure(f"{ROOT} exists and is not a lab's")
        ROOT.mkdir(exist_ok=True)
        MARKER.touch()
        (ROOT / "pids").mkdir()
        record("up", os.getpid())


def claim_net():
    """A free K for 10.98.K.0/24 and 10.99.K.0/24: to have made its bridge is to have it."""
    wished = os.environ.get("LAB_NET")
    if wished:
        prefix, _, k = wished.rpartition(".")
        if prefix != "10.98" or not k.isdigit() or int(k) > 255:
            raise Failure("LAB_NET must be 10.98.K")
        candidates = [int(k)]
    else:
        first = 0 if NAME == "lab" else 1 + zlib.crc32(NAME.encode()) % 255
        candidates = [(first + step) % 256 for step in range(256)]
    taken = subprocess.run(["ip", "-4", "route", "show", "table", "all"], capture_output=True, text=True, check=True).stdout
    for k in candidates:
        if f" 10.98.{k}." in taken or f" 10.99.{k}." in taken:
            continue
        if subprocess.run(["ip", "link", "add", f"hvlab{k}", "type", "bridge", "forward_delay", "0"],
                          capture_output=True, check=False).returncode == 0:
            (ROOT / "net").write_text(str(k))
            return k
    raise Failure(f"{wished or '10.98.0.0/16'} is in use")


# --- what all hosts share ---

def is_mounted(path):
    """Asks the kernel, not the path: a FUSE mount whose server is dead or hangs answers nothing."""
    return any(line.split()[4] == str(path) for line in Path("/proc/self/mountinfo").read_text().splitlines())


def share():
    """libvirt refuses to migrate off a disk unless it knows the file system to be shared. A FUSE mount of the
    subtype glusterfs passes for one; all hosts use the same mount, so image locks work across them."""
    for cache in (QEMU_CACHE, LOSSLESS_CACHE):
        cache.mkdir(mode=0o700, exist_ok=True)
    back = ROOT / "shared.back"
    back.mkdir()
    SHARED.mkdir()
    back.chmod(0o1777)
    if shutil.which("bindfs") and os.access("/dev/fuse", os.W_OK):
        process = spawn("bindfs", ["bindfs", "-f", "--multithreaded", "-o", "subtype=glusterfs", str(back), str(SHARED)],
                        ROOT / "bindfs.log")
        wait(lambda: is_mounted(SHARED) or process.poll() is not None, 5, "bindfs")
        if is_mounted(SHARED):
            return
    say("WARNING: no bindfs or no FUSE here: the shared directory is a plain one, migration on it needs VIR_MIGRATE_UNSAFE")
    subprocess.run(["mount", "--bind", str(back), str(SHARED)], check=True)


def ip(*lines):
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, capture_output=True, check=False)
    if done.returncode:
        raise Failure(f"ip: {done.stderr.strip()}")


def make_bridges(k):
    ip(f"link set hvlab{k} up", f"address add 10.98.{k}.1/24 dev hvlab{k}",
       f"link add hvlab{k}g type bridge forward_delay 0",
       f"link set hvlab{k}g up", f"address add 10.99.{k}.1/24 dev hvlab{k}g")
    spawn("dnsmasq", ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--pid-file=", "--user=root",
                      f"--interface=hvlab{k}g", "--except-interface=lo", "--bind-interfaces", "--no-ping",
                      "--dhcp-authoritative", f"--dhcp-range=10.99.{k}.100,10.99.{k}.250,12h", "--log-facility=-",
                      f"--dhcp-leasefile={ROOT}/leases"], ROOT / "dnsmasq.log")


def limit(host, rate, delay):
    """At the machine's end of the cable: there the host's own tc rules do not interfere."""
    def tc(*words):
        return subprocess.run(["tc", "qdisc", *words], capture_output=True, text=True, check=False)

    cable = host.cables[0]
    tc("del", "dev", cable, "root")  # fails where there is none
    if rate == "none":
        return
    # Segments of up to 64 KiB go over a cable between namespaces in one piece.
    done = tc("add", "dev", cable, "root", "handle", "1:", "tbf", "rate", rate, "burst", "256kb", "latency", "100ms")
    if done.returncode == 0 and delay:
        done = tc("add", "dev", cable, "parent", "1:1", "handle", "10:", "netem", "delay", delay, "limit", "10000")
    if done.returncode:
        tc("del", "dev", cable, "root")
        raise Failure(f"tc: {done.stderr.strip()}")


# --- hosts ---

def cgroup_mounts():
    """(mount point, type, options to mount it again) of each hierarchy here."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split()
        if kind in ("cgroup", "cgroup2"):
            options = [option for option in options.split(",") if option not in ("rw", "ro")]
            if any(option.startswith("name=") for option in options):
                options.insert(0, "none")
            yield Path(left.split()[4]), kind, ",".join(options) or "rw"


def make_cgroups(host):
    """A cgroup in every hierarchy; each is recorded before it is made."""
    groups, mounts = [], []
    for top, kind, options in cgroup_mounts():
        if not os.access(top / "cgroup.procs", os.W_OK):
            continue
        group = top / f"{ROOT.name}-{host.name}"
        with open(ROOT / "cgroups", "a") as file:
            file.write(f"{group}\n")
        group.mkdir()
        for knob in ("cpuset.cpus", "cpuset.mems"):
            if kind == "cgroup" and (group / knob).exists():
                (group / knob).write_text((top / knob).read_text())
        # A group weighs as much as one process beside it: next to a parallel build its guests would starve.
        for knob, weight in (("cpu.shares", "8192"), ("cpu.weight", "800")):
            if (group / knob).exists():
                (group / knob).write_text(weight)
        groups.append(group)
        mounts.append(f"{top} {kind} {options}\n")
    (host.dir / "cgroups").write_text("".join(mounts))
    return groups


def start(host):
    handed_on = {key: value for key, value in os.environ.items()
                 if key.startswith(("HVAGENT_", "MALLOC_")) or key.endswith("SAN_OPTIONS")}
    # --kill-child on the pid namespace: the end of this one process is the end of all in the host.
    return spawn(
        host.name,
        ["unshare", "-m", "-n", "-u", "-i", "-p", "-C", "--fork", "--kill-child", str(PARTS / "host-init"),
         host.name, str(host.dir), host.address, str(SHARED),
         str(LOSSLESS_CACHE if (host.dir / "lossless").exists() else QEMU_CACHE)],
        host.log / "host.log", env={"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root", **handed_on},
        cgroups=make_cgroups(host))


def check_alive(host, process):
    if process.poll() is not None:
        raise Failure(f"{host.name} ended")


def plug_in(host, process):
    mine = os.readlink("/proc/self/ns/net")

    def has_own_net():
        check_alive(host, process)
        return os.readlink(f"/proc/{process.pid}/ns/net") != mine

    wait(has_own_net, 5, f"namespaces of {host.name}")
    management, guests = host.cables
    ip(f"link add {management} type veth peer name eth0 netns {process.pid}",
       f"link set {management} master hvlab{host.net} up",
       f"link add {guests} type veth peer name eth1 netns {process.pid}",
       f"link set {guests} master hvlab{host.net}g up")


def await_libvirtd(running):
    for host, process in running.items():
        def is_there(host=host, process=process):
            check_alive(host, process)
            return host.listens(16509)

        wait(is_there, START_TIMEOUT_S, f"libvirtd of {host.name}")
    # It listens before its drivers are loaded, and answers when they are.
    for virsh in [subprocess.Popen(["virsh", "-c", host.libvirt_uri, "uri"], stdout=subprocess.DEVNULL) for host in running]:
        if virsh.wait(timeout=START_TIMEOUT_S):
            raise Failure("libvirtd does not answer")


def await_agent(host):
    def is_there():
        if host.listens(host.agent_port):
            return True
        if host.ask("status")["hvagentd"]["restarts"] >= 3:
            raise Failure(f"hvagentd of {host.name} keeps ending:\n{tail(host.log / 'hvagentd.log')}")
        return False

    wait(is_there, START_TIMEOUT_S, f"hvagentd of {host.name} listening on port {host.agent_port}")


# --- the end ---

def tear_down():
    """Removes what is recorded, whether or not all of it is there."""
    end("bindfs") # first: a hung shared directory keeps its users from dying
    for host in hosts():
        end(host.name)
    end("dnsmasq")
    while is_mounted(SHARED):
        subprocess.run(["umount", "-l", str(SHARED)], check=True)
    if (ROOT / "net").exists():
        k = int((ROOT / "net").read_text())
        for link in [cable for host in hosts() for cable in host.cables] + [f"hvlab{k}g", f"hvlab{k}"]:
            if Path(f"/sys/class/net/{link}").exists():
                # The end of a namespace may be faster.
                subprocess.run(["ip", "link", "del", link], check=False, capture_output=True)
    if (ROOT / "cgroups").exists():
        for line in (ROOT / "cgroups").read_text().splitlines():
            remove_cgroup(Path(line))
    subprocess.run(["rm", "-rf", "--one-file-system", str(ROOT)], check=True)


def remove_cgroup(top):
    def is_gone():
        for group, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(group)
        return not top.exists()

    wait(is_gone, 10, f"end of {top}")
