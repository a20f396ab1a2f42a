"""Moves through MigrateVm of two agents, beside `virsh migrate --live --p2p` of an equal guest, in the same rounds.

Each way has a guest of its own, since an agent's VM that moves without it is an accident to the agent. While one guest moves,
the other one is paused."""
import os
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))

PATIENCE_S = 30  # for the plain move of a guest that never converges
BUSY_LIMIT = 32 << 20
BUSY_MIB = 64
POLL_S = 0.005
SHARED = "5a5a5a5a5a5a4a5a8a5a5a5a5a5a5a5a"
L2 = "2a2a2a2a2a2a4a2a8a2a2a2a2a2a2a2a"
L3 = "3a3a3a3a3a3a4a3a8a3a3a3a3a3a3a3a"
PLAIN = "plain"


class Taken:
    def __init__(self):
        self.total, self.downtime, self.tried = [], [], 0

    def figures(self):
        def samples(values):
            ordered = sorted(values)
            def at(part):
                return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 3) if ordered else 0
            return {"n": len(ordered), "p50_ms": at(0.5), "p95_ms": at(0.95), "max_ms": at(1)}

        return {"total": samples(self.total), "downtime": samples(self.downtime), "moved": len(self.total), "tried": self.tried}


class Site:
    """A host with its agent."""

    def __init__(self, host, images):
        from client import Api
        from world import World
        self.host = host
        self.api = Api(host.url)
        self.api.login(host.password)
        self.world = World(self.api, images)
        self.uuid, self.cluster, zone = self.world.host, self.world.cluster, self.world.zone
        self.api.run("POST", "/primary-storage/smp", {"params": {
            "name": "shared", "url": f"{host.shared}/primary", "zoneUuid": zone, "resourceUuid": SHARED}})
        self.api.run("POST", f"/clusters/{self.cluster}/primary-storage/{SHARED}", {})
        # The guest network that all hosts are on, as where guests move for a living. A NAT network is each host's own, and costs
        # libvirt half a second on either side: a new DHCP entry makes it write all rules of its firewall again.
        self.api.run("POST", "/l2-networks/no-vlan", {"params": {
            "name": "guests", "zoneUuid": zone, "physicalInterface": "br1", "resourceUuid": L2}})
        self.api.run("POST", f"/l2-networks/{L2}/clusters/{self.cluster}", {})
        self.api.run("POST", "/l3-networks", {"params": {"name": "guests", "l2NetworkUuid": L2, "resourceUuid": L3}})

    def meet(self, other):
        self.api.run("POST", "/hosts/kvm", {"params": {
            "name": other.host.name, "managementIp": other.host.address, "clusterUuid": self.cluster, "username": "admin",
            "password": other.host.password}})


class Guest:
    def __init__(self, sites, name, at=0):
        self.sites, self.name, self.at = sites, name, at
        self.taken = Taken()

    @property
    def here(self):
        return self.sites[self.at]

    @property
    def there(self):
        return self.sites[1 - self.at]

    @property
    def domain(self):
        return self.here.host.domain(self.name)

    def inside(self):
        from inside import Inside
        return Inside(self.here.host, self.name)

    def move(self, limit, say):
        import libvirt
        self.taken.tried += 1
        began = time.perf_counter()
        try:
            self.carry(limit)
        except Exception as failure:  # whatever the reason, it did not move; the figures say so
            say(f"a move of {self.name} failed: {str(failure)[:300]}")
            self.stay()
            return
        took = time.perf_counter() - began
        self.at = 1 - self.at
        self.taken.total.append(1000 * took)
        # As the destination's libvirt counted it, for both ways.
        self.taken.downtime.append(self.domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)["downtime"])


class AgentsGuest(Guest):
    def carry(self, limit):
        tags = [f"migration::bandwidth::{limit}"] if limit else []
        job = self.here.api.submit("PUT", f"/vm-instances/{self.name}/actions",
                                   {"migrateVm": {"hostUuid": self.there.uuid}, "systemTags": tags})
        while (answer := job.poll()).status == 202:
            time.sleep(POLL_S)
        if answer.status != 200:
            raise RuntimeError(answer)

    def stay(self):
        pass  # the agent has seen to it


class PlainGuest(Guest):
    """Of the same definition, but no agent's."""

    @classmethod
    def like(cls, original, image):
        host = original.here.host
        disk = host.shared / f"{PLAIN}.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", image, disk], check=True)
        disk.chmod(0o666)
        root = ElementTree.fromstring(original.domain.XMLDesc(2 | 8))  # inactive, migratable
        for tag in ("uuid", "metadata"):
            for element in root.findall(tag):
                root.remove(element)
        root.find("name").text = PLAIN
        root.find("devices/disk[@device='disk']/source").set("file", str(disk))
        for nic in root.findall("devices/interface"):
            nic.find("mac").set("address", "fa:00:00:00:00:01")
            for element in nic.findall("target"):
                nic.remove(element)
        for log in root.findall("devices/*/log"):
            log.set("file", f"/var/lib/libvirt/{PLAIN}.log")
        host.libvirt.defineXML(ElementTree.tostring(root, encoding="unicode")).create()
        guest = cls(original.sites, PLAIN, original.at)
        guest.inside().sh("true")
        return guest

    def carry(self, limit):
        command = ["timeout", "--signal=KILL", str(PATIENCE_S), "virsh", "-q", "-c", self.here.host.libvirt_uri, "migrate", "--live",
                   "--p2p", "--persistent", "--undefinesource", PLAIN, self.there.host.libvirt_uri]
        subprocess.run(command + (["--bandwidth", str(limit >> 20)] if limit else []), check=True, capture_output=True, text=True)

    def stay(self):
        """Killed, virsh leaves the move to libvirt."""
        import libvirt
        from lab import wait_for

        def is_over():
            try:
                self.domain.abortJob()
            except libvirt.libvirtError:
                return self.domain.jobInfo()[0] == 0
            return False

        wait_for(is_over, 30, "the end of the plain move")


def compare(guests, limit, rounds, say):
    for guest in guests:
        guest.taken = Taken()
    for _ in range(rounds):
        for guest, other in (guests, guests[::-1]):
            other.domain.suspend()
            guest.move(limit, say)
            other.domain.resume()
    plain, ours = guests
    figures = {"virsh": plain.taken.figures(), "MigrateVm": ours.taken.figures()}
    if plain.taken.total and ours.taken.total:
        for what in ("total", "downtime"):
            sides = [figures[way][what]["p50_ms"] for way in ("MigrateVm", "virsh")]
            figures[f"ratio_{what}"] = sides[0] / max(1, sides[1])
    return figures


def measure(name, agent, memory_mib, rounds, say):
    os.environ["HVAGENTD"] = str(agent)
    from lab import Lab
    from world import MIB
    lab = Lab(name, "[migration]\ntls = false\n")
    lab.run("down", check=False)
    try:
        images = lab.images()
        sites = [Site(host, images) for host in lab.up(2, "--lossless")]
        sites[0].meet(sites[1])
        vm = sites[0].world.create("measured", memorySize=memory_mib * MIB, primaryStorageUuidForRootVolume=SHARED,
                                   l3NetworkUuids=[L3])["uuid"]
        ours = AgentsGuest(sites, vm)
        ours.inside().sh("true")
        for _ in range(2):  # the first visit makes the network there
            ours.move(0, say)
        plain = PlainGuest.like(ours, images["qcow2"])
        for _ in range(2):
            plain.move(0, say)
        guests = (plain, ours)
        say("moves of an easy guest, MigrateVm beside virsh")
        figures = {"easy": compare(guests, 0, rounds, say)}
        say("moves of a guest that is busy with its memory, MigrateVm beside virsh")
        for guest in guests:
            guest.inside().sh(f"setsid lab dirty {BUSY_MIB} >/dev/null 2>&1 &")
        figures["busy"] = {**compare(guests, BUSY_LIMIT, max(1, rounds // 4), say), "patience_s": PATIENCE_S}
        return figures
    finally:
        lab.down()
