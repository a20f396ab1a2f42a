"""What a VM can be made of: strategies, disks, networks, tags; checked in the live XML."""
import re
import xml.etree.ElementTree as ElementTree

import pytest

from client import ApiError
from conftest import MIB


def refusal(call):
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


def live(host, vm):
    return ElementTree.fromstring(host.xml(vm))


def test_a_vm_that_is_only_recorded_has_no_domain_until_it_is_started(api, host, vms):
    vm = vms.create("recorded", strategy="JustCreate")
    assert vm["state"] == "Created" and not host.has_domain(vm["uuid"])
    assert "hostUuid" not in vm
    started = api.act(vm["uuid"], "startVmInstance")
    assert started["state"] == "Running" and started["rootVolumeUuid"]


def test_a_recorded_vm_that_is_destroyed_is_gone(api, vms):
    vm = vms.create("recorded", strategy="JustCreate")["uuid"]
    api.destroy(vm)
    assert api.find_vm(vm) is None


def test_a_vm_created_stopped_has_its_volumes_and_can_be_started(api, host, vms):
    vm = vms.create("stopped", strategy="CreateStopped")
    assert vm["state"] == "Stopped"
    assert host.has_file(vm["allVolumes"][0]["installPath"])
    assert api.act(vm["uuid"], "startVmInstance")["state"] == "Running"


def test_the_live_domain_is_what_was_asked_for(host, world, vms):
    vm = vms.create("as asked", cpuNum=2, memorySize=192 * MIB)
    xml = live(host, vm["uuid"])
    assert xml.findtext("name") == vm["uuid"] and xml.findtext("uuid").replace("-", "") == vm["uuid"]
    assert xml.findtext("title") == "as asked"
    assert (xml.findtext("vcpu"), xml.findtext("memory")) == ("2", str(192 * 1024))
    volume, = vm["allVolumes"]
    assert volume["name"] == f"Root-Volume-For-VM-{vm['uuid']}" and volume["uuid"] == vm["rootVolumeUuid"]
    assert re.search(r"/rootVolumes/acct-36c27e8ff05c4780bf6d2fa65700f22e/vol-(\w{32})/\1\.qcow2$", volume["installPath"])
    disk, = [disk for disk in xml.findall("devices/disk") if disk.get("device") == "disk"]
    assert disk.find("source").get("file") == volume["installPath"] and disk.find("target").get("bus") == "virtio"
    nic, = vm["vmNics"]
    interface, = xml.findall("devices/interface")
    assert interface.find("mac").get("address") == nic["mac"] and interface.find("target").get("dev") == nic["internalName"]
    assert len([disk for disk in xml.findall("devices/disk") if disk.get("device") == "cdrom"]) == len(vm["vmCdRoms"]) == 1


def test_a_vm_with_data_disks_has_them_all(api, host, vms):
    offering = api.run("POST", "/disk-offerings", {"params": {"name": "small", "diskSize": 32 * MIB}})["inventory"]
    vm = vms.create("disks", dataDiskOfferingUuids=[offering["uuid"]], dataDiskSizes=[16 * MIB, 24 * MIB])
    data = [volume for volume in vm["allVolumes"] if volume["type"] == "Data"]
    assert [volume["size"] for volume in data] == [32 * MIB, 16 * MIB, 24 * MIB]
    assert [volume["deviceId"] for volume in vm["allVolumes"]] == [0, 1, 2, 3]
    assert {volume["status"] for volume in vm["allVolumes"]} == {"Ready"}
    sources = [disk.find("source").get("file") for disk in live(host, vm["uuid"]).findall("devices/disk") if disk.get("device") == "disk"]
    assert sources == [volume["installPath"] for volume in vm["allVolumes"]]
    api.run("DELETE", f"/disk-offerings/{offering['uuid']}")


def test_destroying_lets_go_of_data_volumes_and_keeps_them(api, host, vms):
    vm = vms.create("disks", strategy="CreateStopped", dataDiskSizes=[16 * MIB])
    data = vm["allVolumes"][1]
    api.destroy(vm["uuid"])
    assert [volume["type"] for volume in api.vm(vm["uuid"])["allVolumes"]] == ["Root"]
    api.act(vm["uuid"], "expungeVmInstance")
    assert host.has_file(data["installPath"])


def test_a_larger_root_disk_than_the_image_is_made_and_a_smaller_refused(host, vms, world):
    vm = vms.create("large root", rootDiskSize=200 * MIB)
    assert vm["allVolumes"][0]["size"] == 200 * MIB
    assert host.domain(vm["uuid"]).blockInfo(vm["allVolumes"][0]["installPath"])[0] == 200 * MIB
    refused = refusal(lambda: world.create("small root", rootDiskSize=1 * MIB))
    assert refused.codes[-1] == "SYS.1007" and "smaller" in refused.reason


@pytest.mark.slow
def test_a_vm_boots_from_an_iso_with_an_empty_disk(host, vms):
    vm = vms.create("from iso", "iso", rootDiskSize=64 * MIB)
    host.guest_says(vm["uuid"], "GUEST-UP")
    assert vm["vmCdRoms"][0]["isoUuid"] == vms.world.image("iso")


@pytest.mark.slow
def test_a_guest_gets_the_address_the_inventory_names(host, vms):
    vm = vms.create("addressed")
    nic = vm["vmNics"][0]
    host.guest_says(vm["uuid"], rf"GUEST-IP {re.escape(nic['ip'])}\b.*mac={nic['mac']}")
    assert nic["usedIps"][0]["ip"] == nic["ip"]


@pytest.mark.slow
def test_an_address_goes_to_the_next_vm_at_once(host, world, vms):
    """The DHCP server would keep it an hour for a guest that is gone without a word."""
    first = vms.create("first")
    ip = first["vmNics"][0]["ip"]
    host.guest_says(first["uuid"], f"GUEST-IP {re.escape(ip)} ")
    world.remove(first["uuid"])
    second = vms.create("second", tags=[f"staticIp::{world.l3}::{ip}"])
    host.guest_says(second["uuid"], f"GUEST-IP {re.escape(ip)} ")


def free_address(api, world):
    return api.get("/l3-networks/ip/free", {"l3NetworkUuid": world.l3, "limit": 1})["inventories"][0]["ip"]


def test_network_tags_reach_domain_and_dhcp(api, host, world, vms):
    mac, ip = "fa:ce:00:12:34:56", free_address(api, world)
    tags = [f"customMac::{world.l3}::{mac}", f"staticIp::{world.l3}::{ip}", "hostname::web-1"]
    vm = vms.create("tagged", tags=tags)
    nic = vm["vmNics"][0]
    assert (nic["mac"], nic["ip"]) == (mac, ip)
    assert live(host, vm["uuid"]).find("devices/interface/mac").get("address") == mac
    network = live(host, vm["uuid"]).find("devices/interface/source").get("network")
    entry = ElementTree.fromstring(host.libvirt.networkLookupByName(network).XMLDesc()).find(f".//dhcp/host[@mac='{mac}']")
    assert (entry.get("ip"), entry.get("name")) == (ip, "web-1")
    assert api.query("/vm-instances", f"__systemTag__=staticIp::{world.l3}::{ip}")[0]["uuid"] == vm["uuid"]
    assert api.query("/vm-instances", f"vmNics.ip={ip}")[0]["uuid"] == vm["uuid"]

    taken = refusal(lambda: world.create("same mac", tags=[tags[0]]))
    assert mac in taken.reason
    taken = refusal(lambda: world.create("same ip", tags=[tags[1]]))
    assert ip in taken.reason
    assert api.query("/vm-instances", "name~=same %") == []


@pytest.mark.parametrize("tags, path, expected", [
    (["bootMode::UEFI"], "os/loader", {"type": "pflash"}),
    (["consolePassword::s3cret"], "devices/graphics[@type='vnc']", {"passwd": "s3cret"}),
    (["vmMachineType::pc"], "os/type", {"machine": re.compile("pc-i440fx|^pc$")}),
    (["vmMachineType::q35"], "os/type", {"machine": re.compile("q35")}),
    (["bootOrder::CdRom,HardDisk"], "devices/disk[@device='cdrom']/boot", {"order": "1"}),
    (["cleanTraffic::true"], "devices/interface/filterref", {"filter": "clean-traffic"}),
    (["VDIMonitorNumber::2"], "devices/video/model", {"heads": "2"}),
])
def test_a_tag_shows_in_the_live_domain(host, vms, tags, path, expected):
    vm = vms.create("tagged", tags=tags)
    element = live(host, vm["uuid"]).find(path)
    assert element is not None, path
    for attribute, value in expected.items():
        found = element.get(attribute)
        assert value.search(found) if isinstance(value, re.Pattern) else value == found, (attribute, found)


def test_a_console_password_is_told_to_nobody_who_only_queries(api, host, vms):
    vm = vms.create("secret", tags=["consolePassword::s3cret77"])
    assert "s3cret77" not in str(api.get(f"/vm-instances/{vm['uuid']}"))
    assert "s3cret77" not in (host.dir / "log" / "hvagentd.log").read_text()


def test_a_vm_without_cd_rom_has_none(host, vms):
    vm = vms.create("no cd", tags=["createWithoutCdRom::true"])
    assert vm["vmCdRoms"] == []
    assert live(host, vm["uuid"]).find("devices/disk[@device='cdrom']") is None


def test_a_virtio_scsi_root_disk_is_on_a_scsi_bus(host, vms):
    vm = vms.create("scsi", rootVolumeSystemTags=["capability::virtio-scsi"])
    xml = live(host, vm["uuid"])
    assert xml.find("devices/disk[@device='disk']/target").get("bus") == "scsi"
    assert xml.find("devices/controller[@type='scsi']").get("model") == "virtio-scsi"


def test_a_guest_without_virtio_gets_emulated_devices(host, vms):
    vm = vms.create("emulated", virtio="false")
    xml = live(host, vm["uuid"])
    assert xml.find("devices/disk[@device='disk']/target").get("bus") == "sata"
    assert xml.find("devices/interface/model").get("type") == "e1000"


@pytest.mark.parametrize("tag", ["userdata::aGk=", "sshkey::ssh-rsa", "rootPassword::x", "RDPEnable::true", "cdromUuid::36c27e8ff05c4780bf6d2fa65700f22e",
                                 "pciDevice::00:1f.0", "affinityGroupUuid::36c27e8ff05c4780bf6d2fa65700f22e", "additionalQmp::x"])
def test_a_tag_of_the_manual_that_is_not_offered_is_refused_by_name(api, world, tag):
    refused = refusal(lambda: world.create("refused", strategy="JustCreate", tags=[tag]))
    assert refused.codes[-1] == "SYS.1007" and tag.partition("::")[0] in refused.reason
    assert api.query("/vm-instances", "name=refused") == []


@pytest.mark.parametrize("tag", ["nonsense", "nonsense::1", "hostname::-bad-", "hostname::a b", "staticIp::x::1.2.3.4", "bootMode::Quick",
                                 "consolePassword::waytoolong", "customMac::{l3}::01:00:5e:00:00:01", "staticIp::{l3}::8.8.8.8", "ha::Sometimes",
                                 "bootOrder::Floppy"])
def test_a_tag_that_is_no_tag_is_refused_and_quoted(api, world, tag):
    tag = tag.replace("{l3}", world.l3)
    refused = refusal(lambda: world.create("no tag", strategy="CreateStopped", tags=[tag]))
    assert tag.partition("::")[0] in refused.reason or tag.rpartition("::")[2] in refused.reason
    assert api.query("/vm-instances", "name=no tag") == []


@pytest.mark.parametrize("params", [{"sshKeyPairUuids": ["36c27e8ff05c4780bf6d2fa65700f22e"]}, {"tagUuids": ["36c27e8ff05c4780bf6d2fa65700f22e"]},
                                    {"diskAOs": [{"boot": True}]}])
def test_a_parameter_that_is_not_offered_is_refused_by_name(api, world, params):
    refused = refusal(lambda: world.create("refused", strategy="JustCreate", **params))
    assert refused.codes[-1] == "SYS.1007" and next(iter(params)) in refused.reason
    assert api.query("/vm-instances", "name=refused") == []


@pytest.mark.parametrize("params, named", [
    ({"imageUuid": "0" * 32}, "image"), ({"l3NetworkUuids": ["f" * 32]}, "l3Network"), ({"instanceOfferingUuid": "e" * 32}, "nstanceOffering"),
    ({"hostUuid": "d" * 32}, "ost"), ({"zoneUuid": "c" * 32}, "one")])
def test_a_reference_to_nothing_is_sys_1003_or_names_it(api, world, params, named):
    refused = refusal(lambda: world.create("refused", **params))
    assert refused.codes[-1] in ("SYS.1003", "HOST_ALLOCATION.1000") and named in refused.reason
    assert api.query("/vm-instances", "name=refused") == []


@pytest.mark.parametrize("name", ["<b>x</b>", "a\x00b", "tab\there", "new\nline", "\x1b[31m", "]]>", "x" * 256])
def test_a_name_with_markup_or_control_characters_is_refused(api, world, name):
    before = len(api.query("/vm-instances"))
    refused = refusal(lambda: world.create(name, strategy="CreateStopped"))
    assert refused.codes[-1] == "SYS.1007" and "name" in refused.reason
    assert len(api.query("/vm-instances")) == before


@pytest.mark.parametrize("name", ["web-1", "数据库 主", "Müller & Söhne's \"best\"", "a/b\\c", "emoji 🙂", "%s%n", "'; DROP TABLE vm; --"])
def test_an_unusual_name_goes_through_unharmed(api, host, vms, name):
    vm = vms.create(name)
    assert vm["name"] == api.vm(vm["uuid"])["name"] == name
    assert live(host, vm["uuid"]).findtext("title") == name
    assert [one["uuid"] for one in api.query("/vm-instances", f"name={name}")] == [vm["uuid"]]


def test_a_description_with_markup_is_only_text(api, host, vms):
    text = "</description><devices/><!-- & \" ' -->"
    vm = vms.create("described", description=text)
    assert api.vm(vm["uuid"])["description"] == text
    assert live(host, vm["uuid"]).findtext("description") == text


def test_more_memory_than_the_host_has_is_refused_and_nothing_stays(api, host, world):
    refused = refusal(lambda: world.create("huge", memorySize=1 << 44))
    assert refused.codes[-1] == "HOST_ALLOCATION.1000" and "memory" in refused.reason
    assert api.query("/vm-instances", "name=huge") == []


def test_tags_may_stand_inside_the_parameters_as_java_clients_put_them(api, world, vms):
    params = world.vm_params("inside", strategy="JustCreate", systemTags=["hostname::inside"], userTags=["mine"])
    vm = vms.own(api.run("POST", "/vm-instances", {"params": params})["inventory"]["uuid"])
    assert [one["uuid"] for one in api.query("/vm-instances", "__systemTag__=hostname::inside")] == [vm]
    assert [one["uuid"] for one in api.query("/vm-instances", "__userTag__=mine")] == [vm]
