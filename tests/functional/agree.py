#!/usr/bin/python3
"""Do the inventory, libvirt and the files of a host say the same? Prints every disagreement.

usage: scripts/lab up 1 | tests/functional/agree.py      one line of JSON per host on stdin
"""
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import PurePosixPath

import libvirt

from client import Api
from lab import Host, Lab, wait_for

TRANSITIONAL = {"Starting", "Stopping", "Rebooting", "Destroying", "Migrating", "Expunging", "Pausing", "Resuming", "VolumeMigrating",
                "VolumeRecovering"}
# State of a VM -> states its domain may be in; None: there is no domain.
DOMAIN_STATES = {
    "Created": {None},
    "Running": {libvirt.VIR_DOMAIN_RUNNING},
    "Paused": {libvirt.VIR_DOMAIN_PAUSED},
    "Stopped": {None, libvirt.VIR_DOMAIN_SHUTOFF},
    "Crashed": {libvirt.VIR_DOMAIN_CRASHED, libvirt.VIR_DOMAIN_SHUTOFF},
    "Destroyed": {None},
}
MARK = "https://hvagent.org/xmlns/vm/1"


def dashed(text):
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Inspection:
    def __init__(self, api, host):
        self.host = host
        self.found = []
        self.vms = {vm["uuid"]: vm for vm in api.query("/vm-instances", limit=10000)}
        self.images = {image["uuid"]: image for image in api.query("/images")}
        self.primary = [storage["url"] for storage in api.query("/primary-storage")]
        self.shared_primary = [storage["url"] for storage in api.query("/primary-storage", "type=SharedMountPoint")]
        self.backup = [storage["url"] for storage in api.query("/backup-storage")]
        self.volumes = {volume["uuid"]: volume for volume in api.query("/volumes", limit=10000)}
        self.shared = api.query("/volumes/vm-instances/refs", limit=10000)
        self.snapshots = {snapshot["uuid"]: snapshot for snapshot in api.query("/volume-snapshots", limit=10000)}
        self.trees = {tree["uuid"]: tree for tree in api.query("/volume-snapshots/trees", limit=10000)}
        self.nics = api.query("/vm-instances/nics", limit=10000)
        self.domains = {domain.name(): domain for domain in host.libvirt.listAllDomains()}

    def say(self, text):
        self.found.append(text)

    def all(self):
        self.check_domains()
        self.check_definitions()
        self.check_addresses()
        self.check_volume_files()
        self.check_trees()
        self.check_layers()
        self.check_image_files()
        return self.found

    def is_ours(self, domain):
        try:
            return bool(domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, MARK))
        except libvirt.libvirtError:
            return False

    def check_domains(self):
        for name, domain in self.domains.items():
            if self.is_ours(domain) and name not in self.vms:
                self.say(f"domain {name} carries our mark but the inventory has no such VM")
        for uuid, vm in self.vms.items():
            state = vm["state"]
            domain = self.domains.get(uuid)
            actual = domain.state()[0] if domain else None
            if state in TRANSITIONAL:
                self.say(f"VM {vm['name']} {uuid} is {state}, with nobody at work")
            elif actual not in DOMAIN_STATES.get(state, {actual}):
                self.say(f"VM {vm['name']} {uuid} is {state}, its domain {'does not exist' if actual is None else f'is in state {actual}'}")
            if ("hostUuid" in vm) != (state in ("Running", "Paused")):
                self.say(f"VM {vm['name']} is {state} with hostUuid {vm.get('hostUuid')}")

    def check_definitions(self):
        for uuid, vm in self.vms.items():
            domain = self.domains.get(uuid)
            if not domain or vm["state"] not in ("Running", "Paused"):
                continue
            xml = ElementTree.fromstring(domain.XMLDesc())
            live = {
                "uuid": xml.findtext("uuid"),
                "disks": {disk.find("source").get("file") for disk in xml.findall("devices/disk")
                          if disk.get("device") == "disk" and disk.find("source") is not None},
                "macs": {mac.get("address") for mac in xml.findall("devices/interface/mac")},
            }
            recorded = {
                "uuid": dashed(uuid),
                "disks": {volume["installPath"] for volume in vm["allVolumes"]}
                         | {self.volumes[ref["volumeUuid"]]["installPath"] for ref in self.shared if ref["vmInstanceUuid"] == uuid},
                "macs": {nic["mac"] for nic in vm["vmNics"]},
            }
            for what, value in recorded.items():
                if live[what] != value:
                    self.say(f"VM {vm['name']} {uuid}: {what} {value} in the inventory, {live[what]} in libvirt")

    def check_addresses(self):
        used = [nic["ip"] for nic in self.nics if nic.get("ip")]
        for ip in {ip for ip in used if used.count(ip) > 1}:
            self.say(f"the address {ip} is given to {used.count(ip)} NICs")
        for nic in self.nics:
            if nic["vmInstanceUuid"] not in self.vms:
                self.say(f"NIC {nic['uuid']} belongs to no VM")
        reserved = {}
        for network in self.host.libvirt.listAllNetworks():
            for entry in ElementTree.fromstring(network.XMLDesc()).iter("host"):
                if entry.get("mac"):
                    reserved[entry.get("mac")] = entry.get("ip")
        recorded = {nic["mac"]: nic.get("ip") for nic in self.nics}
        for mac, ip in reserved.items():
            if recorded.get(mac) != ip:
                self.say(f"DHCP reserves {ip} for {mac}, the inventory has {recorded.get(mac, 'no such NIC')}")

    def files_below(self, directories, pattern="*"):
        """Path -> size, inside the host."""
        listed = self.host.exec("find", *directories, "-type", "f", "-name", pattern, "-printf", "%s %p\\n", check=False).stdout
        return {path: int(size) for size, _, path in (line.partition(" ") for line in listed.splitlines())}

    def check_volume_files(self):
        files = self.files_below(self.primary)
        expected = {}
        for uuid, volume in self.volumes.items():
            if volume["status"] == "NotInstantiated" or (volume["status"] == "Deleted" and "installPath" not in volume):
                continue
            if volume["status"] not in ("Ready", "Deleted"):
                self.say(f"volume {volume['name']} {uuid} is {volume['status']}")
            expected[volume["installPath"]] = volume
            if volume["installPath"] not in files:
                self.say(f"volume {volume['name']} {uuid} has no file at {volume['installPath']}")
            if volume["type"] == "Root" and volume["status"] != "Deleted" and volume.get("vmInstanceUuid") not in self.vms:
                self.say(f"root volume {uuid} belongs to no VM")
        for uuid, snapshot in self.snapshots.items():
            path = snapshot["primaryStorageInstallPath"]
            if path in expected:
                self.say(f"{path} is the layer of snapshot {snapshot['name']} {uuid} and of another")
            if path not in files:
                self.say(f"snapshot {snapshot['name']} {uuid} has no file at {path}")
            expected.setdefault(path, None)
        for path in files:
            if any(path.startswith(url + "/") for url in self.shared_primary):
                continue  # it may be another host's
            if "/imagecache/" in path:
                # An image that came with a VM of another host is known here by that VM only.
                if not set(PurePosixPath(path).parts) & self.images.keys() and path not in self.bases(expected):
                    self.say(f"the cache holds {path}, of no image")
            elif path not in expected:
                self.say(f"nothing in the inventory owns {path}")
        self.check_volume_contents({path: volume for path, volume in expected.items() if volume and path in files})

    def chains_of(self, paths):
        """Path -> what qemu-img says of each layer, the top first."""
        script = "for file; do qemu-img info -U --backing-chain --output=json \"$file\" | tr -d '\\n'; echo; done"
        lines = self.host.exec("sh", "-c", script, "sh", *paths).stdout.splitlines() if paths else []
        return {path: json.loads(line or "[{}]") for path, line in zip(paths, lines)}

    def check_volume_contents(self, volumes):
        for path, chain in self.chains_of(list(volumes)).items():
            volume = volumes[path]
            if chain[0].get("virtual-size") != volume["size"]:
                self.say(f"{path} has {chain[0].get('virtual-size')} bytes, its volume {volume['size']}")
            # What was flattened, or copied from a running VM, lies on nothing.
            image, base = volume.get("rootImageUuid"), chain[-1].get("filename", "")
            if len(chain) > 1 and image in self.images and self.images[image]["mediaType"] != "ISO" and image not in base:
                self.say(f"{path} lies on {base}, its image is {image}")

    # --- snapshots ---

    def base_of(self, volume):
        """The snapshot that the volume's active layer lies on by the records."""
        for snapshot in self.snapshots.values():
            if snapshot["volumeUuid"] == volume and snapshot["latest"] and self.trees.get(snapshot["treeUuid"], {}).get("current"):
                return snapshot
        return None

    def recorded_layers(self, snapshot):
        """Paths from this snapshot's layer down to that of the first of its tree."""
        paths = []
        while snapshot:
            paths.append(snapshot["primaryStorageInstallPath"])
            snapshot = self.snapshots.get(snapshot.get("parentUuid"))
        return paths

    def check_trees(self):
        for uuid, snapshot in self.snapshots.items():
            name = f"snapshot {snapshot['name']} {uuid}"
            parent = self.snapshots.get(snapshot.get("parentUuid"))
            if snapshot["status"] != "Ready":
                self.say(f"{name} is {snapshot['status']}, with nobody at work")
            if snapshot["volumeUuid"] not in self.volumes:
                self.say(f"{name} is of no volume")
            if snapshot["treeUuid"] not in self.trees:
                self.say(f"{name} is in no tree")
            if ("parentUuid" in snapshot) != bool(parent):
                self.say(f"{name} has a parent that does not exist")
            if parent and parent["treeUuid"] != snapshot["treeUuid"]:
                self.say(f"{name} is in another tree than its parent")
            if snapshot["distance"] != (parent["distance"] + 1 if parent else 1):
                self.say(f"{name} has distance {snapshot['distance']}")
        for volume in self.volumes:
            latest = [s["name"] for s in self.snapshots.values() if s["volumeUuid"] == volume and s["latest"]]
            current = [t["uuid"] for t in self.trees.values() if t["volumeUuid"] == volume and t["current"]]
            if len(latest) > 1 or len(current) != len(latest):
                self.say(f"volume {volume} has the latest snapshots {latest} and the current trees {current}")
        for uuid, tree in self.trees.items():
            nodes = []
            todo = [tree["tree"]] if "tree" in tree else []
            while todo:
                node = todo.pop()
                nodes.append(node["inventory"]["uuid"])
                todo += node["children"]
            members = [snapshot for snapshot, record in self.snapshots.items() if record["treeUuid"] == uuid]
            if sorted(nodes) != sorted(members) or not members:
                self.say(f"tree {uuid} shows {len(nodes)} of its {len(members)} snapshots")

    def bases(self, tops):
        """What the drives hold, and what lies below these files."""
        drives = {drive.get("isoInstallPath") for vm in self.vms.values() for drive in vm["vmCdRoms"]}
        chains = self.chains_of([path for path in tops if path.endswith(".qcow2")]).values()
        return drives | {layer.get("filename") for chain in chains for layer in chain[1:]}

    def check_layers(self):
        tops = {volume["installPath"]: [volume["installPath"], *self.recorded_layers(self.base_of(uuid))]
                for uuid, volume in self.volumes.items() if volume.get("format") == "qcow2" and volume.get("installPath")}
        tops |= {layers[0]: layers for layers in map(self.recorded_layers, self.snapshots.values())}
        own = {path: snapshot["volumeUuid"] for snapshot in self.snapshots.values() for path in [snapshot["primaryStorageInstallPath"]]}
        owner = {volume.get("installPath"): uuid for uuid, volume in self.volumes.items()} | own
        for top, chain in self.chains_of(list(tops)).items():
            actual = [layer.get("filename") for layer in chain]
            recorded = tops[top]
            below = actual[len(recorded):]
            if actual[:len(recorded)] != recorded or any(own.get(path) == owner[top] for path in below):
                self.say(f"the layers of {top} are {actual}, recorded are {recorded}")
        self.check_live_layers(tops)

    def check_live_layers(self, tops):
        for uuid, vm in self.vms.items():
            domain = self.domains.get(uuid)
            if not domain or vm["state"] not in ("Running", "Paused"):
                continue
            for disk in ElementTree.fromstring(domain.XMLDesc()).findall("devices/disk"):
                paths, layer = [], disk
                while layer is not None and layer.find("source") is not None:
                    paths.append(layer.find("source").get("file"))
                    layer = layer.find("backingStore")
                if paths and paths[0] in tops:
                    actual = [layer.get("filename") for layer in self.chains_of(paths[:1])[paths[0]]]
                    if paths != actual:
                        self.say(f"VM {vm['name']} {uuid}: libvirt shows the layers {paths}, the files say {actual}")

    def check_image_files(self):
        files = self.files_below(self.backup)
        expected = set()
        for uuid, image in self.images.items():
            for ref in image["backupStorageRefs"]:
                if ref["status"] == "Ready":
                    path = ref["installPath"].partition("://")[2] or ref["installPath"]
                    expected.add(path)
                    if path not in files:
                        self.say(f"image {image['name']} {uuid} has no file at {path}")
            if image["status"] not in ("Ready", "Deleted"):
                self.say(f"image {image['name']} {uuid} is {image['status']}, with nobody at work")
        for path in files.keys() - expected:
            self.say(f"the image store holds {path}, of no image")


def disagreements(api, host):
    return Inspection(api, host).all()


def await_agreement(api, host, timeout_s=5):
    """Events and the daemon's own clean-up are allowed a moment."""
    seen = []

    def agree():
        seen[:] = disagreements(api, host)
        return not seen

    wait_for(agree, timeout_s, lambda: "\n".join(["host and inventory disagree:", *seen]), 0.2)


def main():
    if len(sys.argv) > 1:
        print(__doc__.strip())
        return 2
    bad = 0
    for line in sys.stdin:
        described = json.loads(line)
        host = Host(Lab(PurePosixPath(described["dir"]).parent.name.removeprefix("hvagent-")), described)
        api = Api(host.url)
        api.login(host.password)
        found = disagreements(api, host)
        bad += len(found)
        print("\n".join(f"{host.name}: {text}" for text in found or ["inventory, libvirt and files agree"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
