"""A long copy goes on while the agent is away, and is the same copy afterwards."""
import random
import subprocess

import pytest

from client import ApiError
from conftest import CONFIG, MIB
from lab import wait_for

SIZE_MIB = 24
RATE_MIB = 3  # 8 s to fetch, 8 s to convert
SLOW = CONFIG + f"[storage]\ncopy_rate = {RATE_MIB * MIB}\n"


class Conversion:
    """An image that is converted as it comes."""

    def __init__(self, own):
        self.own, self.host = own, own.host
        self.raw = own.host.shared / "content.raw"
        self.raw.write_bytes(random.Random(1).randbytes(SIZE_MIB * MIB))
        source = own.host.shared / "source.vmdk"
        subprocess.run(["qemu-img", "convert", "-O", "vmdk", self.raw, source], check=True)
        self.job = own.api.submit("POST", "/images", {"params": {"name": "converted", "url": f"file://{source}", "format": "vmdk",
                                                                "backupStorageUuids": [own.world.backup]}})
        wait_for(lambda: self.pids() and self.copied() > MIB, 60, "the conversion")

    def pids(self):
        return self.host.shell("pgrep -x qemu-img", check=False).split()

    def copied(self):
        return int(self.host.shell("find /var/lib/hvagent/backup -name '*.part-*' -printf '%s\\n'", check=False).strip() or 0)

    def end_agent(self, signal):
        """Returns when its next life answers."""
        before = self.host.daemons()["hvagentd"]["pid"]
        self.host.signal("agent", signal)
        wait_for(lambda: (self.host.daemons()["hvagentd"].get("pid") or before) != before and self.host.listens(), 60, "the next life of the agent")

    def traces(self):
        return self.host.shell("find /var/lib/hvagent/copies /var/lib/hvagent/backup -name '*.part-*' -o -name command.json -o -name minder", check=False)


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_a_conversion_goes_on_while_the_agent_is_away(own_host, signal):
    copy = Conversion(own_host(SLOW))
    before = copy.pids()
    copy.end_agent(signal)
    assert copy.pids() == before
    image = copy.job.wait(60, through_restarts=True)["inventory"]
    path = image["backupStorageRefs"][0]["installPath"]
    subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", copy.raw, copy.host.root / path.lstrip("/")], check=True)
    assert (copy.pids(), copy.traces()) == ([], "")


def test_a_conversion_that_was_taken_up_can_be_cancelled(own_host):
    copy = Conversion(own_host(SLOW))
    copy.end_agent("KILL")
    assert copy.pids()
    copy.own.api.login(copy.host.password)
    copy.own.api.call("PUT", f"/longjobs/{copy.job.uuid}/actions", {"cancelLongJob": {}})
    with pytest.raises(ApiError, match="cancelled"):
        copy.job.wait(30)
    assert (copy.pids(), copy.traces()) == ([], "")
    assert copy.own.api.query("/images", "name=converted") == []
