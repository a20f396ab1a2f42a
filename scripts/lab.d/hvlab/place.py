"""Where the lab is, and the few words all its parts share."""
import os
import sys
import time
from pathlib import Path

NAME = os.environ.get("LAB_NAME", "lab")
ROOT = Path(os.environ.get("LAB_ROOT", f"/var/tmp/hvagent-{NAME}")).absolute()
SHARED = ROOT / "shared"
PARTS = Path(__file__).resolve().parent.parent
REPOSITORY = PARTS.parent.parent
QEMU_CACHE = Path("/var/tmp/hvagent-qemu-cache")
LOSSLESS_CACHE = Path(f"{QEMU_CACHE}-lossless")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_TIMEOUT_S = 20


class Failure(Exception):
    """Ends the command with a message."""


def say(text):
    print(f"lab: {text}", file=sys.stderr, flush=True)


def wait(condition, timeout_s, what):
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {timeout_s} s")
        time.sleep(0.01)
    return result


def tail(path, lines=20):
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
