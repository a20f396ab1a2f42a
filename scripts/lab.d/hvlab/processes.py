"""The lab's processes on the machine, recorded in ROOT/pids before they run. A record holds the start time
as well, so that a pid which belongs to someone else by now is never taken for ours."""
import contextlib
import os
import signal
import subprocess
from pathlib import Path

from .place import ROOT, wait


def start_time(pid):
    """None for a zombie, too: it is nobody any more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def record(name, pid):
    (ROOT / "pids" / name).write_text(f"{pid} {start_time(pid)}\n")


def recorded(name):
    """The pid, or None when the process has ended."""
    try:
        pid, started = (ROOT / "pids" / name).read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if start_time(pid) == started else None


def any_alive():
    return any(recorded(entry.name) for entry in (ROOT / "pids").glob("*"))


def spawn(name, argv, log, env=None, cgroups=()):
    def before_exec():
        record(name, os.getpid())
        for group in cgroups:
            (group / "cgroup.procs").write_text("0")

    with open(log, "ab") as output:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, cwd="/",
                                start_new_session=True, preexec_fn=before_exec)


def end(name, how=signal.SIGKILL):
    pid = recorded(name)
    if not pid:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
    wait(lambda: recorded(name) is None, 15, f"end of {name} ({pid})")
