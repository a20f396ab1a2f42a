"""The query grammar on real records."""
import pytest

from client import ApiError
from conftest import MIB


@pytest.fixture(scope="module")
def five(world, api):
    """Five recorded VMs, q-1 to q-5, with i CPUs and i*16 MiB+48; q-1 and q-2 are tagged."""
    made = {}
    for i in range(1, 6):
        tags = [f"hostname::q-{i}"] if i < 3 else []
        body = {"params": world.vm_params(f"q-{i}", cpuNum=i, memorySize=(48 + 16 * i) * MIB, strategy="JustCreate",
                                          description=None if i % 2 else f"even {i}"),
                "systemTags": tags, "userTags": [f"user {i}"] if i > 3 else []}
        made[f"q-{i}"] = api.run("POST", "/vm-instances", body)["inventory"]["uuid"]
    yield made
    for uuid in made.values():
        api.destroy(uuid)


def names(api, *conditions, **params):
    return [vm["name"] for vm in api.query("/vm-instances", "name~=q-_", *conditions, sort="name", **params)]


@pytest.mark.parametrize("condition, expected", [
    ("name=q-2", "2"), ("name!=q-2", "1345"), ("cpuNum>3", "45"), ("cpuNum>=3", "345"), ("cpuNum<2", "1"), ("cpuNum<=2", "12"),
    (f"memorySize>{112 * MIB}", "5"), ("name?=q-1,q-5,q-9", "15"), ("name!?=q-1,q-5", "234"), ("cpuNum?=1,4", "14"),
    ("name~=q%3", "3"), ("name~=q", ""), ("name~=%", "12345"), ("name!~=%3", "1245"), ("name~=_-4", "4"),
    ("description is null", "135"), ("description not null", "24"), ("description=null", "135"), ("description!=null", "24"),
    ("description~=even%", "24"), ("description!=even 2", "4"), ("state=Created", "12345"), ("state!=Created", ""),
    ("platform=Linux", "12345"), ("createDate>Nov 14, 2017 10:20:57 PM", "12345"), ("createDate<2017-11-14 22:20:57", ""),
    ("zone.name=zone-1", "12345"), ("zone.name=elsewhere", ""), ("cluster.name~=cluster-%", "12345"), ("image.name=qcow2", "12345"),
    ("zone.cluster.name=cluster-1", "12345"), ("vmNics.l3Network.name=hvagent", "12345"), ("vmNics.deviceId=0", "12345"),
    ("vmNics.deviceId>0", ""), ("host.managementIp not null", ""),
    ("__systemTag__=hostname::q-1", "1"), ("__systemTag__~=hostname::%", "12"), ("__systemTag__!=hostname::q-1", "2345"),
    ("__systemTag__!~=hostname::%", "345"), ("__systemTag__=hostname:q-1", "1"), ("__userTag__=user 4", "4"),
    ("__userTag__?=user 4,user 5", "45"), ("__userTag__!~=user%", "123"), ("__userTag__ not null", "45"), ("__userTag__ is null", "123"),
])
def test_a_condition_selects(api, five, condition, expected):
    assert names(api, condition) == [f"q-{digit}" for digit in expected]


def test_conditions_are_all_required(api, five):
    assert names(api, "cpuNum>1", "cpuNum<4", "name!=q-3") == ["q-2"]


def test_the_manuals_word_condition_is_known(api, five):
    found = api.get("/vm-instances", {"condition": ["name=q-4"]})["inventories"]
    assert [vm["name"] for vm in found] == ["q-4"]


def test_running_vms_are_found_by_host_address_and_volume(api, guest, world, host):
    for condition in (f"hostUuid={world.host}", f"host.managementIp={host.address}", "rootVolume.type=Root", f"allVolumes.rootImageUuid={world.image()}",
                      f"vmNics.ip={api.vm(guest)['vmNics'][0]['ip']}", "vmNics.__systemTag__ is null"):
        assert guest in [vm["uuid"] for vm in api.query("/vm-instances", condition)], condition


def test_order_limit_start_and_counts(api, five):
    def query(**params):
        return api.get("/vm-instances", {"q": "name~=q-_", **params})

    assert [vm["cpuNum"] for vm in query(sort="-cpuNum")["inventories"]] == [5, 4, 3, 2, 1]
    assert [vm["cpuNum"] for vm in query(sort="+cpuNum")["inventories"]] == [1, 2, 3, 4, 5]
    assert [vm["cpuNum"] for vm in query(sort=" cpuNum")["inventories"]] == [1, 2, 3, 4, 5]
    assert [vm["cpuNum"] for vm in query(sort="cpuNum", start=1, limit=2)["inventories"]] == [2, 3]
    counted = query(count="true")
    assert counted["total"] == 5 and "inventories" not in counted
    assert query(count="True")["total"] == 5
    both = query(replyWithCount="true", limit=2)
    assert both["total"] == 5 and len(both["inventories"]) == 2
    assert "total" not in query()
    assert query(start=5)["inventories"] == []


def test_repeated_limits_take_the_first_and_unknown_parameters_are_ignored(api, five):
    found = api.get("/vm-instances", [("q", "name~=q-_"), ("limit", "2"), ("limit", "20"), ("total", "77"), ("filterName", "x:y")])
    assert len(found["inventories"]) == 2


def test_only_the_named_fields_are_answered(api, five):
    for fields in (["uuid,name"], ["uuid", "name"]):
        found = api.get("/vm-instances", {"q": "name=q-1", "fields": fields})["inventories"]
        assert found == [{"uuid": five["q-1"], "name": "q-1"}]
    nested = api.get("/vm-instances", {"q": "name=q-1", "fields": "uuid,vmNics"})["inventories"][0]
    assert set(nested) == {"uuid", "vmNics"}


def test_groups_are_answered_once_each(api, five):
    found = api.query("/vm-instances", "name~=q-_", groupBy="state")
    assert len(found) == 1


def test_a_query_by_uuid_ignores_everything_else(api, five):
    found = api.get(f"/vm-instances/{five['q-1']}", {"q": "name=other", "limit": 0})["inventories"]
    assert [vm["name"] for vm in found] == ["q-1"]


@pytest.mark.parametrize("condition", ["colour=red", "zone.colour=red", "zoo.name=x", "vmNics=x", "vmNics.vmInstance.zoo.name=1", "uuid2=x", "=x"])
def test_an_unknown_field_is_an_error_and_never_everything(api, condition):
    with pytest.raises(ApiError) as refused:
        api.query("/vm-instances", condition)
    assert refused.value.status in (400, 503) and "inventories" not in str(refused.value.body)


def test_an_unknown_field_is_sys_1000_with_its_name(api):
    with pytest.raises(ApiError) as refused:
        api.query("/vm-instances", "colour=red")
    assert (refused.value.status, refused.value.code) == (503, "SYS.1000") and "colour" in refused.value.details


@pytest.mark.parametrize("params", [{"q": "name"}, {"q": "name="}, {"q": ""}, {"q": "name%x"}, {"limit": "ten"}, {"start": "x"}, {"limit": "-1"},
                                    {"fields": "colour"}, {"q": "cpuNum>many"}, {"q": "createDate>yesterday"}, {"groupBy": "colour"}])
def test_a_malformed_query_is_an_error(api, params):
    with pytest.raises(ApiError) as refused:
        api.get("/vm-instances", params)
    assert refused.value.status in (400, 503)


def test_sorting_by_an_unknown_field_is_ignored_for_old_clients(api, five):
    assert len(api.query("/vm-instances", "name~=q-_", sort="+null")) == 5


@pytest.mark.parametrize("value", ["' OR '1'='1", "\" OR 1=1 --", "q-1'; DROP TABLE vm; --", "%' ESCAPE '", "q-1\\"])
def test_a_value_is_never_read_as_sql(api, five, value):
    assert api.query("/vm-instances", f"name={value}") == []
    assert api.query("/vm-instances", f"name?={value},x") == []
    assert len(names(api)) == 5


def test_values_keep_their_blanks(api, five):
    assert api.query("/vm-instances", "name= q-1") == []


@pytest.mark.parametrize("path", ["/zones", "/clusters", "/hosts", "/primary-storage", "/backup-storage", "/images", "/l2-networks", "/l3-networks",
                                  "/l3-networks/ip-ranges", "/vm-instances/nics", "/instance-offerings", "/disk-offerings", "/system-tags",
                                  "/user-tags", "/volumes"])
def test_every_resource_can_be_queried_sorted_and_counted(api, five, path):
    found = api.get(path, {"replyWithCount": "true", "sort": "-createDate"})
    assert found["total"] == len(found["inventories"]) and "schema" in found
    if found["inventories"]:
        uuid = found["inventories"][0]["uuid"]
        assert api.query(path, f"uuid={uuid}")[0]["uuid"] == uuid


def test_a_nic_is_joined_to_its_vm_and_network(api, guest):
    nic = api.only("/vm-instances/nics", f"vmInstanceUuid={guest}")
    assert api.only("/vm-instances/nics", f"vmInstance.uuid={guest}", "l3Network.name=hvagent", "vmInstance.state=Running")["mac"] == nic["mac"]


def test_dates_have_the_form_every_client_reads(api):
    import re
    for zone in api.query("/zones"):
        assert re.fullmatch(r"[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d{2}:\d{2} (AM|PM)", zone["createDate"])


def test_null_is_never_sent(api, five):
    assert "null" not in api.call("GET", "/vm-instances").text.replace("\"null\"", "")
