"""CheckStorage: what an operator asks for when a disk looks wrong."""
import pytest


@pytest.fixture
def volume(vms):
    return vms.create("checked", strategy="CreateStopped")["allVolumes"][0]


def findings(api, deep=False):
    answer = api.run("POST", "/storage-checks", {"params": {"deep": deep}})
    return [(finding["kind"], finding["path"]) for finding in answer["findings"]]


def test_a_sound_storage_has_no_findings(api, volume):
    assert findings(api, deep=True) == []


def test_orphans_and_missing_files_are_found(api, host, world, volume):
    orphan = api.only("/primary-storage")["url"] + "/rootVolumes/left.qcow2"
    path = volume["installPath"]
    host.exec("touch", orphan)
    try:
        assert findings(api) == [("orphan", orphan)]
        host.exec("mv", path, orphan)
        assert sorted(findings(api)) == [("missing", path), ("orphan", orphan)]
    finally:
        host.exec("sh", "-c", f"test -e {path} || mv {orphan} {path}; rm -f {orphan}")
    assert findings(api) == []


def test_a_layer_on_the_wrong_base_is_found(api, host, volume):
    path = volume["installPath"]
    base = host.exec("sh", "-c", f"qemu-img info -U --output=json {path} | jq -r '.\"full-backing-filename\"'").stdout.strip()
    stranger = path.replace(".qcow2", "-stranger.qcow2")
    host.exec("qemu-img", "create", "-q", "-f", "qcow2", stranger, str(volume["size"]))
    host.exec("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", stranger, path)
    try:
        assert sorted(findings(api)) == [("orphan", stranger), ("wrongChain", path)]
    finally:
        host.exec("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", base, path)
        host.exec("rm", stranger)


def test_damage_inside_an_image_is_found_by_the_deep_check(api, host, volume):
    path = volume["installPath"]
    host.exec("cp", path, f"{path}.sound")
    # The refcount table of a fresh image is its second cluster.
    host.exec("dd", "if=/dev/zero", f"of={path}", "bs=65536", "seek=1", "count=1", "conv=notrunc", "status=none")
    try:
        assert ("orphan", f"{path}.sound") in findings(api)
        assert ("corrupt", path) in findings(api, deep=True)
    finally:
        host.exec("mv", f"{path}.sound", path)
