"""Images from files and from the net, templates of volumes, their end, and images that somebody made to do harm."""
import hashlib
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client import ApiError, new_uuid
from conftest import CONFIG, MIB
from inside import Inside
from lab import wait_for
from servers import BreakingServer, FtpServer


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


@pytest.fixture
def add(api, world):
    """Adds an image that is gone from the inventory only when the lab is; names are the test's own."""
    def add(name, url, **params):
        return world.add_image(name, url, **params)

    return add


@pytest.fixture
def directory(host, request):
    """Seen under the same path here and in the host."""
    path = host.shared / request.node.name.replace("[", "-").replace("]", "")[:60]
    path.mkdir(exist_ok=True)
    return path


def qemu_img(*words):
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True)


def leftovers(host):
    """Files of the image stores that are on their way, or were forgotten there."""
    return host.shell("find /var/lib/hvagent/backup -type f ! -name '*.qcow2' ! -name '*.raw' ! -name '*.iso'")


def nothing_stays(api, host, name):
    assert api.query("/images", f"name={name}") == []
    assert leftovers(host) == ""


def test_an_image_from_a_file_is_recorded_as_it_is(api, host, images, add):
    image = add("from file", f"file://{images['qcow2']}", description="d", guestOsType="Lab", systemTags=["bootMode::Legacy"])
    assert (image["status"], image["state"], image["format"], image["mediaType"]) == ("Ready", "Enabled", "qcow2", "RootVolumeTemplate")
    assert image["size"] == 71303168 and 0 < image["actualSize"] < image["size"]
    with open(images["qcow2"], "rb") as file:
        assert image["md5Sum"] == hashlib.md5(file.read()).hexdigest()
    reference, = image["backupStorageRefs"]
    assert reference["status"] == "Ready" and host.has_file(reference["installPath"].partition("://")[2] or reference["installPath"])
    assert api.only("/images", f"uuid={image['uuid']}")["name"] == "from file"


class Files(ThreadingHTTPServer):
    """Serves one file, slowly if asked to, from this machine to the host."""
    daemon_threads = True

    def __init__(self, address, path, bytes_per_s=None, lie=0):
        outer = self
        self.data = open(path, "rb").read()
        self.started = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.partition("?")[0] != "/image":
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.data) + lie))
                self.end_headers()
                outer.started.set()
                step = bytes_per_s // 20 if bytes_per_s else len(outer.data)
                try:
                    for at in range(0, len(outer.data), step):
                        self.wfile.write(outer.data[at:at + step])
                        if bytes_per_s:
                            time.sleep(0.05)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        super().__init__((address, 0), Handler)
        self.url = f"http://{address}:{self.server_port}/image"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def test_an_image_from_the_net_is_fetched_and_boots(host, images, add, world, vms):
    with Files(host.gateway, images["qcow2"]) as files:
        image = add("from net", files.url)
    assert image["status"] == "Ready" and image["url"] == files.url
    assert vms.create("from net", image["uuid"])["state"] == "Running"


def test_a_server_on_the_hosts_own_loopback_will_do(api, host, images, add):
    server = host.shell("cd /var/tmp/hvagent-guest && python3 -m http.server --bind 127.0.0.1 8123 >/dev/null 2>&1 & echo $!").strip()
    try:
        wait_for(lambda: host.exec("sh", "-c", "curl -sf -o /dev/null -r 0-0 http://127.0.0.1:8123/guest.qcow2", check=False).returncode == 0,
                 10, "the server")
        assert add("loopback", "http://127.0.0.1:8123/guest.qcow2")["status"] == "Ready"
    finally:
        host.exec("kill", server, check=False)


def test_progress_is_told_while_an_image_is_fetched(api, host, images, world):
    with Files(host.gateway, images["qcow2"], bytes_per_s=12 * MIB) as files:
        body = {"params": {"name": "slow", "url": files.url, "format": "qcow2", "backupStorageUuids": [world.backup]}}
        job = api.submit("POST", "/images", body)
        seen = []
        while not job.is_finished():
            for step in api.get(f"/task-progresses/{job.uuid}").get("inventories", []):
                seen.append(int(float(step["content"])))
            time.sleep(0.1)
        assert job.wait()["inventory"]["status"] == "Ready"
    assert len(set(seen)) > 2 and seen == sorted(seen) and 0 <= seen[0] and seen[-1] <= 100


@pytest.mark.parametrize("url, named", [
    ("http://{gateway}:1/none", ""), ("file:///var/tmp/no-such-file.qcow2", "no-such-file"), ("file:///etc/passwd", "/etc"),
    ("gopher://example.org/x", "gopher"), ("ftp://{gateway}:1/x", ""), ("sftp://a:b@{gateway}:1/x", ""), ("nbd://localhost/x", "nbd"), ("json:{{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}}", "url"),
    ("file:///var/tmp/../../etc/passwd", "/etc"), ("file:///dev/zero", "/dev"), ("file:///var/tmp", ""), ("/proc/self/mem", "/proc"),
    ("file://otherhost/x", ""), ("", "url")])
def test_a_url_that_cannot_be_or_must_not_be_read_is_refused(api, host, world, url, named):
    name = f"bad url {abs(hash(url))}"
    refused = refusal(lambda: world.add_image(name, url.format(gateway=host.gateway)))
    assert refused.codes[-1] in ("SYS.1007", "BS.1000", "SYS.1015", "SYS.1016", "SYS.1003") and named in refused.reason
    nothing_stays(api, host, name)


def test_a_link_to_a_forbidden_file_is_not_followed(api, host, world, directory):
    (directory / "link.qcow2").symlink_to("/etc/shadow")
    refused = refusal(lambda: world.add_image("link", f"file://{directory}/link.qcow2", format="raw"))
    assert "not allowed" in refused.reason
    nothing_stays(api, host, "link")


def make_hostile(directory, kind):
    """Returns path and format claimed."""
    path = directory / "hostile.img"
    if kind == "backing file":
        qemu_img("create", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", "-u", path, "1M")
    elif kind == "data file":
        qemu_img("create", "-f", "qcow2", "-o", f"data_file={directory}/other.raw,data_file_raw=on", path, "1M")
    elif kind == "raw called qcow2":
        path.write_bytes(b"\0" * MIB)
    elif kind == "qcow2 called raw":
        qemu_img("create", "-f", "qcow2", path, "1M")
        return path, "raw"
    elif kind == "vmdk called qcow2":
        qemu_img("create", "-f", "vmdk", path, "1M")
    elif kind == "vmdk that names other files":
        path.write_text('# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicFlat"\n'
                        'RW 8 FLAT "/etc/passwd" 0\n')
        return path, "vmdk"
    elif kind == "vdi called vmdk":
        qemu_img("create", "-f", "vdi", path, "1M")
        return path, "vmdk"
    elif kind == "truncated vhdx":
        whole = directory / "whole.vhdx"
        qemu_img("create", "-f", "vhdx", whole, "1G")
        path.write_bytes(whole.read_bytes()[:70000])
        return path, "vhdx"
    elif kind == "backing file by json":
        qemu_img("create", "-f", "qcow2", "-F", "raw", "-b", 'json:{"driver":"raw","file":{"driver":"file","filename":"/etc/passwd"}}',
                 "-u", path, "1M")
    elif kind == "truncated":
        whole = directory / "whole.qcow2"
        qemu_img("create", "-f", "qcow2", "-o", "preallocation=metadata", whole, "1G")
        path.write_bytes(whole.read_bytes()[:300])
    elif kind == "huge virtual size":
        qemu_img("create", "-f", "qcow2", "-o", "cluster_size=2M", path, "1P")
    elif kind == "header of nonsense":
        path.write_bytes(b"QFI\xfb\x00\x00\x00\x03" + b"\xff" * 600)
    elif kind == "empty":
        path.write_bytes(b"")
    return path, "qcow2"


@pytest.mark.parametrize("kind", ["backing file", "data file", "raw called qcow2", "qcow2 called raw", "vmdk called qcow2", "truncated",
                                  "huge virtual size", "header of nonsense", "empty", "backing file by json",
                                  "vmdk that names other files", "vdi called vmdk", "truncated vhdx"])
def test_a_hostile_image_is_refused_and_nothing_of_it_stays(api, host, world, directory, kind):
    path, claimed = make_hostile(directory, kind)
    refused = refusal(lambda: world.add_image(f"hostile {kind}", f"file://{path}", format=claimed))
    assert refused.codes[0] in ("SYS.1002", "SYS.1007") and refused.codes[-1] in ("SYS.1007", "BS.1000", "SYS.1015", "SYS.1016", "SYS.1006")
    nothing_stays(api, host, f"hostile {kind}")


def test_a_download_that_ends_early_is_no_image(api, host, images, world):
    with Files(host.gateway, images["qcow2"], lie=1000) as files:
        refused = refusal(lambda: world.add_image("short", files.url))
    assert "BS.1000" in refused.codes
    nothing_stays(api, host, "short")


def test_an_image_that_is_not_ready_makes_no_vm(api, host, images, world):
    with Files(host.gateway, images["qcow2"], bytes_per_s=8 * MIB) as files:
        body = {"params": {"name": "not yet", "url": files.url, "format": "qcow2", "backupStorageUuids": [world.backup]}}
        job = api.submit("POST", "/images", body)
        uuid = wait_for(lambda: api.query("/images", "name=not yet"), 5, "the image")[0]["uuid"]
        refused = refusal(lambda: world.create("too early", uuid))
        assert "Downloading" in refused.reason
        job.wait()
    assert api.query("/vm-instances", "name=too early") == []


def test_two_vms_of_one_image_share_the_cached_copy(host, vms):
    first, second = vms.create("one", strategy="CreateStopped"), vms.create("two", strategy="CreateStopped")
    chains = [host.shell(f"qemu-img info --output=json {vm['allVolumes'][0]['installPath']} | grep '\"backing-filename\"'") for vm in (first, second)]
    assert chains[0] == chains[1] and "imagecache" in chains[0]


# --- what comes over a bad line ---

def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def random_disk(directory):
    """A raw file of which every byte counts."""
    path = directory / "random.raw"
    subprocess.run(["dd", "if=/dev/urandom", f"of={path}", "bs=1M", "count=24"], check=True, capture_output=True)
    return path


def test_a_download_goes_on_where_the_connection_broke(host, add, random_disk):
    with BreakingServer(host.gateway, random_disk, break_after=[5 * MIB, 9 * MIB]) as server:
        image = add("broken line", server.url, format="raw")
    assert image["status"] == "Ready" and image["md5Sum"] == md5(random_disk)
    begins = [begin for begin, _ in server.served]
    assert len(begins) == 3 and begins[0] == 0 < begins[1] < begins[2], server.served
    assert sum(sent for _, sent in server.served) < random_disk.stat().st_size + 2 * MIB  # not begun afresh
    assert leftovers(host) == ""


def test_a_download_goes_on_after_the_daemon_was_killed(api, host, world, random_disk):
    with BreakingServer(host.gateway, random_disk, bytes_per_s=6 * MIB) as server:
        uuid = new_uuid()
        body = {"params": {"name": "killed", "url": server.url, "format": "raw", "backupStorageUuids": [world.backup], "resourceUuid": uuid}}
        job = api.submit("POST", "/images", body)
        wait_for(lambda: server.sent() > 12 * MIB, 20, "half of the file")
        host.kill("agent")
        image = job.wait(through_restarts=True)["inventory"]
    assert image["status"] == "Ready" and image["md5Sum"] == md5(random_disk)
    assert len(server.served) == 2 and server.served[1][0] > 6 * MIB, server.served
    assert leftovers(host) == ""


def test_an_image_comes_by_ftp_and_goes_on_there_too(host, add, random_disk):
    with FtpServer(host.gateway, random_disk, "joe", "s3cret", break_after=[7 * MIB]) as server:
        image = add("by ftp", server.url, format="raw")
    assert image["status"] == "Ready" and image["md5Sum"] == md5(random_disk)
    assert server.begins == [0, 7 * MIB]
    assert image["url"].startswith("ftp://***@") and "s3cret" not in json.dumps(image)


def test_passwords_in_urls_are_seen_nowhere(api, host, world, add, images):
    with Files(host.gateway, images["qcow2"]) as files:
        url = files.url.replace("http://", "http://joe:hush-hush@")
        image = add("secret", url + "?token=hush-hush")
        assert image["url"] == files.url.replace("http://", "http://***@") + "?..."
        refused = refusal(lambda: world.add_image("secret 2", url + "/none?token=hush-hush"))
        assert "404" in refused.reason and "hush-hush" not in str(refused)
    assert "hush-hush" not in json.dumps(api.get("/longjobs")) + json.dumps(api.query("/images"))
    assert "hush-hush" not in (host.dir / "log" / "hvagentd.log").read_text(errors="replace")


def test_a_checksum_is_compared(api, host, add, world, images):
    with open(images["qcow2"], "rb") as file:
        data = file.read()
    url = f"file://{images['qcow2']}"
    for tag in (f"checksum::sha256::{hashlib.sha256(data).hexdigest().upper()}", f"checksum::md5::{hashlib.md5(data).hexdigest()}"):
        body = {"params": {"name": "sum", "url": url, "format": "qcow2", "backupStorageUuids": [world.backup]}, "systemTags": [tag]}
        assert api.run("POST", "/images", body)["inventory"]["status"] == "Ready"
    for wrong in ("checksum::sha256::" + "0" * 64, "checksum::sha256::12", "checksum::crc32::00000000"):
        body = {"params": {"name": "wrong sum", "url": url, "format": "qcow2", "backupStorageUuids": [world.backup]}, "systemTags": [wrong]}
        refused = refusal(lambda: api.run("POST", "/images", body))
        assert refused.codes[-1] == "SYS.1007" and "checksum" in refused.reason
        nothing_stays(api, host, "wrong sum")


# --- formats and places ---

def stored_path(host, image):
    return host.root / image["backupStorageRefs"][0]["installPath"].lstrip("/")


def same_content(one, other):
    return subprocess.run(["qemu-img", "compare", "-U", str(one), str(other)], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("kind, options", [("vmdk", ""), ("vmdk", "subformat=streamOptimized"), ("vdi", ""), ("vhdx", ""), ("vpc", "force_size=on")])
def test_foreign_formats_become_qcow2(host, images, add, directory, kind, options):
    path = directory / "disk"
    qemu_img("convert", "-f", "qcow2", "-O", kind, *(["-o", options] if options else []), images["qcow2"], path)
    image = add(f"from {kind} {options}", f"file://{path}", format=kind)
    assert (image["status"], image["format"]) == ("Ready", "qcow2")
    assert same_content(stored_path(host, image), images["qcow2"])
    assert leftovers(host) == ""


@pytest.fixture
def small_store(api, host, world, request):
    """An image store with room for a megabyte, or what the test asks for."""
    path = f"/var/lib/hvagent/small-{new_uuid()[:6]}"
    host.exec("mkdir", path)
    host.exec("mount", "-t", "tmpfs", "-o", f"size={getattr(request, 'param', '1m')}", "small", path)
    params = {"name": "small", "url": path, "hostname": "localhost", "username": "nobody", "password": "none"}
    uuid = api.run("POST", "/backup-storage/image-store", {"params": params})["inventory"]["uuid"]
    api.run("POST", f"/zones/{world.zone}/backup-storage/{uuid}")
    yield uuid
    for image in api.query("/images", f"backupStorageRefs.backupStorageUuid={uuid}"):
        remove_image(api, image["uuid"])
    api.run("DELETE", f"/backup-storage/{uuid}")
    host.exec("umount", path)
    host.exec("rmdir", path)


def remove_image(api, uuid):
    api.run("DELETE", f"/images/{uuid}")
    api.run("PUT", f"/images/{uuid}/actions", {"expungeImage": {}})


def test_one_backup_storage_with_room_is_enough(api, host, images, world, small_store):
    for order in ([small_store, world.backup], [world.backup, small_store]):
        body = {"name": "two stores", "url": f"file://{images['qcow2']}", "format": "qcow2", "backupStorageUuids": order}
        image = api.run("POST", "/images", {"params": body})["inventory"]
        status = {ref["backupStorageUuid"]: ref["status"] for ref in image["backupStorageRefs"]}
        assert image["status"] == "Ready" and status == {world.backup: "Ready", small_store: "Error"}
    assert host.shell("find /var/lib/hvagent/small-* -type f") == ""
    body["backupStorageUuids"] = [small_store]
    body["name"] = "no room"
    refused = refusal(lambda: api.run("POST", "/images", {"params": body}))
    assert "BS.1003" in refused.codes
    nothing_stays(api, host, "no room")


# --- templates ---

def chain(host, path):
    return [layer["filename"] for layer in json.loads(host.shell(f"qemu-img info --output=json --backing-chain -U {path}"))]


def template(api, volume, name, **params):
    return api.run("POST", f"/images/root-volume-templates/from/volumes/{volume}", {"params": {"name": name, **params}})["inventory"]


def marker(guest):
    """Leaves something on the root disk that nobody can guess."""
    guest.sh("head -c 3000000 /dev/urandom >/data/marker; sync")
    return guest.sh("md5sum </data/marker")


def test_a_template_of_a_running_vm_holds_what_its_guest_wrote(api, host, guest, vms):
    root = api.vm(guest)["rootVolumeUuid"]
    inside = Inside(host, guest)
    written = marker(inside)
    path = api.only("/volumes", f"uuid={root}")["installPath"]
    before = chain(host, path)
    image = template(api, root, "of a running vm", description="d")
    assert (image["status"], image["mediaType"], image["format"], image["url"]) == ("Ready", "RootVolumeTemplate", "qcow2", f"volume://{root}")
    assert chain(host, image["backupStorageRefs"][0]["installPath"]) == [image["backupStorageRefs"][0]["installPath"]]
    assert chain(host, path) == before and api.state(guest) == "Running"
    assert "mirror" not in host.xml(guest) and leftovers(host) == ""
    assert inside.sh("md5sum </data/marker") == written

    copy = vms.create("from the template", image["uuid"])["uuid"]
    assert Inside(host, copy).sh("md5sum </data/marker") == written
    remove_image(api, image["uuid"])
    # It lies on the cache.
    assert Inside(host, copy).sh("echo 3 >/proc/sys/vm/drop_caches; md5sum </data/marker") == written
    checked = host.exec("qemu-img", "check", "-U", api.only("/volumes", f"vmInstanceUuid={copy}")["installPath"], check=False)
    # 3: leaks alone, which are a running QEMU's clusters under way.
    assert checked.returncode in (0, 3), checked


def test_a_template_of_a_stopped_vm_is_its_disk(api, host, guest, vms):
    vm = vms.create("stopped source", strategy="CreateStopped")
    path = vm["allVolumes"][0]["installPath"]
    image = template(api, vm["rootVolumeUuid"], "of a stopped vm", platform="Other", systemTags=None)
    assert image["platform"] == "Other" and len(chain(host, image["backupStorageRefs"][0]["installPath"])) == 1
    assert host.exec("qemu-img", "compare", path, image["backupStorageRefs"][0]["installPath"]).returncode == 0
    remove_image(api, image["uuid"])


def test_a_template_of_a_snapshot_is_the_past(api, host, guest, world):
    root, inside = api.vm(guest)["rootVolumeUuid"], Inside(host, guest)
    marker(inside)
    snapshot = api.run("POST", f"/volumes/{root}/volume-snapshots", {"params": {"name": "then"}})["inventory"]["uuid"]
    frozen = api.only("/volume-snapshots", f"uuid={snapshot}")["primaryStorageInstallPath"]
    marker(inside)
    body = {"params": {"name": "of a snapshot", "backupStorageUuids": [world.backup]}}
    answer = api.run("POST", f"/images/root-volume-templates/from/volume-snapshots/{snapshot}", body)
    image = answer["inventory"]
    assert answer["failures"] == [] and image["url"] == f"volumeSnapshot://{snapshot}"
    stored = image["backupStorageRefs"][0]["installPath"]
    assert chain(host, stored) == [stored]
    assert host.exec("qemu-img", "compare", "-U", frozen, stored).returncode == 0
    active = api.only("/volumes", f"uuid={root}")["installPath"]
    assert host.exec("qemu-img", "compare", "-U", active, stored, check=False).returncode == 1
    remove_image(api, image["uuid"])
    api.run("DELETE", f"/volume-snapshots/{snapshot}")


def test_a_template_that_cannot_fit_is_refused_before_anything_is_copied(api, host, guest, world, small_store):
    root = api.vm(guest)["rootVolumeUuid"]
    refused = refusal(lambda: template(api, root, "too large", backupStorageUuids=[small_store]))
    assert "needs up to" in refused.reason and "BS.1003" in refused.codes
    assert host.shell("find /var/lib/hvagent/small-* -type f") == "" and api.state(guest) == "Running"
    nothing_stays(api, host, "too large")


@pytest.fixture
def data_volume(api, host, guest, world):
    """Attached to the running guest: uuid, and the checksum of eight megabytes that the guest wrote from the fourth on."""
    params = {"name": "for a template", "diskSize": 32 * MIB, "primaryStorageUuid": world.primary}
    volume = api.run("POST", "/volumes/data", {"params": params})["inventory"]["uuid"]
    api.run("POST", f"/volumes/{volume}/vm-instances/{guest}")
    inside = Inside(host, guest)
    yield volume, inside.fill(inside.await_disk(volume), 8, at_mib=4)
    api.run("DELETE", f"/volumes/{volume}/vm-instances")
    api.run("DELETE", f"/volumes/{volume}")
    api.run("PUT", f"/volumes/{volume}/actions", {"expungeDataVolume": {}})


def data_of(host, image):
    path = image["backupStorageRefs"][0]["installPath"]
    assert chain(host, path) == [path]
    return host.shell(f"qemu-img convert -O raw {path} /var/tmp/t.raw && dd if=/var/tmp/t.raw bs=1M skip=4 count=8 2>/dev/null | md5sum; "
                      "rm /var/tmp/t.raw").split()[0]


def test_a_data_template_is_a_volume_to_be(api, host, world, data_volume):
    volume, written = data_volume
    image = api.run("POST", f"/images/data-volume-templates/from/volumes/{volume}", {"params": {"name": "data template"}})["inventory"]
    assert (image["mediaType"], image["size"]) == ("DataVolumeTemplate", 32 * MIB)
    assert data_of(host, image) == written
    candidates = api.get("/images/candidate-backup-storage", {"volumeUuid": volume})["inventories"]
    assert world.backup in [one["uuid"] for one in candidates]
    for_path = api.get(f"/images/volumes/{volume}/candidate-backup-storage")["inventories"]
    assert [one["uuid"] for one in for_path] == [one["uuid"] for one in candidates]
    remove_image(api, image["uuid"])


@contextmanager
def copy_under_way(api, host, guest, volume, after_s=0, **params):
    """The job of a template whose copy QEMU has begun; QEMU then stands still, so that it is not done, until the block ends."""
    qemu = host.qemu_pid(guest)
    stop = f"until [ -e /var/lib/hvagent/*/images/*/*.copying ]; do :; done; sleep {after_s}; kill -STOP {qemu}"
    with ThreadPoolExecutor(1) as aside:
        stopped = aside.submit(host.shell, f"touch /run/armed; timeout 20 sh -c '{stop}'; rm /run/armed")
        wait_for(lambda: host.has_file("/run/armed"), 5, "the watch for the copy")
        job = api.submit("POST", f"/images/data-volume-templates/from/volumes/{volume}", {"params": {"name": "half way", **params}})
        stopped.result()
    try:
        yield job
    finally:
        host.signal_qemu(guest, "CONT")


def source_is_untouched(api, host, guest, volume, before):
    assert chain(host, api.only("/volumes", f"uuid={volume}")["installPath"]) == before
    assert "mirror" not in host.xml(guest) and api.state(guest) == "Running"


def test_a_template_of_a_running_vm_survives_a_killed_daemon(api, host, guest, data_volume):
    volume, written = data_volume
    before = chain(host, api.only("/volumes", f"uuid={volume}")["installPath"])
    for after_s in (0, 0.03, 0.1):
        with copy_under_way(api, host, guest, volume, after_s) as job:
            host.kill("agent")
            assert after_s or ".copying" in leftovers(host)
        image = job.wait(through_restarts=True)["inventory"]
        assert image["status"] == "Ready" and data_of(host, image) == written and leftovers(host) == ""
        source_is_untouched(api, host, guest, volume, before)
        remove_image(api, image["uuid"])
    inside = Inside(host, guest)
    assert inside.checksum(inside.disk(volume), 8, at_mib=4) == written


def test_a_template_of_a_running_vm_that_is_cancelled_leaves_nothing(api, host, guest, data_volume):
    volume, _ = data_volume
    before = chain(host, api.only("/volumes", f"uuid={volume}")["installPath"])
    with copy_under_way(api, host, guest, volume) as job:
        api.call("PUT", f"/longjobs/{job.uuid}/actions", {"cancelLongJob": {}})
    assert "cancelled" in str(refusal(job.wait))
    nothing_stays(api, host, "half way")
    source_is_untouched(api, host, guest, volume, before)


@pytest.mark.parametrize("small_store", ["24m"], indirect=True)
def test_a_store_that_fills_up_during_the_copy_keeps_nothing_of_it(api, host, guest, data_volume, small_store):
    volume, written = data_volume
    before = chain(host, api.only("/volumes", f"uuid={volume}")["installPath"])
    with copy_under_way(api, host, guest, volume, backupStorageUuids=[small_store]) as job:
        host.shell("for d in /var/lib/hvagent/small-*; do mountpoint -q $d && dd if=/dev/zero of=$d/filler bs=1M 2>/dev/null; done; true")
    assert refusal(job.wait).codes[0] == "SYS.1002"
    assert host.shell("find /var/lib/hvagent/small-* -type f ! -name filler") == ""
    nothing_stays(api, host, "half way")
    source_is_untouched(api, host, guest, volume, before)
    inside = Inside(host, guest)
    assert inside.checksum(inside.disk(volume), 8, at_mib=4) == written


# --- the end of an image ---

def test_a_deleted_image_can_be_taken_back_until_it_is_expunged(api, host, images, add, world):
    uuid = add("mortal", f"file://{images['qcow2']}")["uuid"]
    path = api.only("/images", f"uuid={uuid}")["backupStorageRefs"][0]["installPath"]
    api.run("DELETE", f"/images/{uuid}", query={"deleteMode": "Enforcing"})
    assert api.only("/images", f"uuid={uuid}")["status"] == "Deleted" and host.has_file(path)
    assert "Deleted" in refusal(lambda: world.create("of a dead image", uuid)).reason
    assert api.run("PUT", f"/images/{uuid}/actions", {"recoverImage": {}})["inventory"]["status"] == "Ready"
    assert "SYS.1006" in refusal(lambda: api.run("PUT", f"/images/{uuid}/actions", {"expungeImage": {}})).codes
    remove_image(api, uuid)
    assert api.query("/images", f"uuid={uuid}") == [] and not host.has_file(path)
    assert api.run("DELETE", f"/images/{uuid}") == {}


def test_a_disabled_image_makes_no_vm(api, images, add, world, vms):
    uuid = add("switched", f"file://{images['qcow2']}")["uuid"]
    act = lambda action, **params: api.run("PUT", f"/images/{uuid}/actions", {action: params})
    assert act("changeImageState", stateEvent="disable")["inventory"]["state"] == "Disabled"
    assert "Disabled" in refusal(lambda: world.create("of a disabled image", uuid)).reason
    act("changelmageState", stateEvent="enable")
    assert act("updateImage", name="renamed", platform="Windows")["inventory"]["name"] == "renamed"
    assert "is qcow2" in refusal(lambda: act("updateImage", format="raw")).reason
    assert act("syncImageSize")["inventory"]["size"] == 71303168
    assert api.get(f"/images/{uuid}/qga")["enable"] is False
    act("setImageQga", enable=True)
    assert api.get(f"/images/{uuid}/qga")["enable"] is True
    remove_image(api, uuid)


def test_deleted_images_expire_and_take_their_cached_copies_along(own_host):
    own = own_host(CONFIG + "[image]\nexpunge_after = 2\n")
    world, host = own.world, own.host
    kept, dropped = (world.add_image(name, f"file://{own.images['qcow2']}")["uuid"] for name in ("kept", "dropped"))
    vm = world.create("stays", kept, strategy="CreateStopped")["uuid"]
    world.remove(world.create("goes", dropped, strategy="CreateStopped")["uuid"])
    cached = lambda uuid: host.shell(f"find /var/lib/hvagent -path '*imagecache*{uuid}*' -type f").split()
    assert cached(kept) and cached(dropped)
    for uuid in (kept, dropped):
        own.api.run("DELETE", f"/images/{uuid}")
    wait_for(lambda: own.api.query("/images") == [], 15, "the images to expire", 0.2)
    assert cached(kept) and wait_for(lambda: not cached(dropped), 5, "the cached copy to go", 0.1)
    own.api.act(vm, "startVmInstance")
    assert own.api.state(vm) == "Running"
    world.remove(vm)
    wait_for(lambda: not cached(kept), 5, "the cached copy to go", 0.1)
