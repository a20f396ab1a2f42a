"""Images from files and from the net, and those that somebody made to do harm."""
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client import ApiError
from conftest import MIB
from lab import wait_for


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


def nothing_stays(api, host, name):
    assert api.query("/images", f"name={name}") == []
    left = host.exec("find", "/var/lib/hvagent/backup", "-type", "f", "-name", "*.download*", check=False).stdout
    assert left == ""


def test_an_image_from_a_file_is_recorded_as_it_is(api, host, images, add):
    image = add("from file", f"file://{images['qcow2']}", description="d", guestOsType="Lab", systemTags=["bootMode::Legacy"])
    assert (image["status"], image["state"], image["format"], image["mediaType"]) == ("Ready", "Enabled", "qcow2", "RootVolumeTemplate")
    assert image["size"] == 71303168 and 0 < image["actualSize"] < image["size"]
    with open(images["qcow2"], "rb") as file:
        import hashlib
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
                if self.path != "/image":
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
    ("ftp://example.org/x", "ftp"), ("nbd://localhost/x", "nbd"), ("json:{{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}}", "url"),
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
                                  "huge virtual size", "header of nonsense", "empty"])
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
