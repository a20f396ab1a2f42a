"""What the first start of a host made, and the images that tests use."""

MIB = 1024 * 1024


class World:
    """What the first start of a host made, and images added when first asked for."""

    def __init__(self, api, images):
        self.api = api
        self.paths = images
        self.added = {}
        self.zone = api.only("/zones")["uuid"]
        self.cluster = api.only("/clusters")["uuid"]
        self.host = api.only("/hosts")["uuid"]
        self.primary = api.only("/primary-storage")["uuid"]
        self.backup = api.only("/backup-storage")["uuid"]
        self.l3 = api.only("/l3-networks")["uuid"]

    def add_image(self, name, url, **params):
        body = {"name": name, "url": url, "format": "qcow2", "backupStorageUuids": [self.backup], **params}
        return self.api.run("POST", "/images", {"params": body})["inventory"]

    def image(self, kind="qcow2"):
        """`qcow2`: the obedient guest; `deaf_qcow2`: hears neither button nor agent; `slow_qcow2`; `iso`."""
        if kind not in self.added:
            media = {"format": "iso", "mediaType": "ISO"} if kind == "iso" else {}
            self.added[kind] = self.add_image(kind.replace("_", "-"), f"file://{self.paths[kind]}", **media)["uuid"]
        return self.added[kind]

    def vm_params(self, name, image="qcow2", **params):
        wished = {"name": name, "cpuNum": 1, "memorySize": 256 * MIB, "imageUuid": self.image(image) if image in self.paths else image,
                  "l3NetworkUuids": [self.l3], **params}
        return {key: value for key, value in wished.items() if value is not None}

    def create(self, name, image="qcow2", tags=(), job=None, webhook=None, **params):
        body = {"params": self.vm_params(name, image, **params), "systemTags": list(tags)}
        return self.api.submit("POST", "/vm-instances", body, job=job, webhook=webhook).wait()["inventory"]

    def remove(self, vm):
        if self.api.find_vm(vm):
            self.api.destroy(vm)
        if self.api.find_vm(vm):
            self.api.act(vm, "expungeVmInstance")
