"""One host of the lab, seen from the machine."""
import contextlib
import json
import socket
import tomllib
from pathlib import Path

from .place import ROOT, Failure
from .processes import recorded


class Host:
    def __init__(self, number):
        self.number = number
        self.name = f"h{number}"
        self.dir = ROOT / self.name
        self.log = self.dir / "log"
        self.agent_config = self.dir / "etc" / "hvagentd.toml"

    @property
    def net(self):
        """K of 10.98.K.0/24."""
        return int((ROOT / "net").read_text())

    @property
    def address(self):
        return f"10.98.{self.net}.{10 + self.number}"

    @property
    def libvirt_uri(self):
        return f"qemu+tcp://{self.address}/system"

    @property
    def cables(self):
        """The machine's ends of eth0 and eth1."""
        return [f"hvlab{self.net}h{self.number}", f"hvlab{self.net}g{self.number}"]

    @property
    def config(self):
        return tomllib.loads(self.agent_config.read_text())

    @property
    def agent_port(self):
        return int(self.config["http"]["listen"].rpartition(":")[2])

    def init_pid(self):
        outer = recorded(self.name)
        children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split() if outer else []
        if not children:
            raise Failure(f"{self.name} is not running")
        return int(children[0])

    def ask(self, *words):
        """A command to the host's supervisor, and its answer."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self.dir / "ctl"))
                connection.sendall(" ".join(words).encode() + b"\n")
                reply = json.loads(connection.makefile().readline())
        except (OSError, ValueError) as error:
            raise Failure(f"{self.name} does not answer: {error}") from None
        if "error" in reply:
            raise Failure(f"{self.name}: {reply['error']}")
        return reply

    def listens(self, port):
        # Not before the supervisor is there: an unanswered ARP request would cost a second.
        with contextlib.suppress(OSError):
            if (self.dir / "ctl").exists():
                socket.create_connection((self.address, port), timeout=0.1).close()
                return True
        return False


def hosts():
    return [Host(number) for number in sorted(int(entry.name[1:]) for entry in ROOT.glob("h[0-9]*"))]


def host_named(name):
    for host in hosts():
        if host.name == name:
            return host
    raise Failure(f"no host {name}; there are: {' '.join(host.name for host in hosts()) or 'none'}")
