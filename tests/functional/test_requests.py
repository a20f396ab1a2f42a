"""How a request is read: paths, verbs, bodies, headers. Nothing here changes a VM."""
import json

import pytest

from client import PREFIX, ApiError, hashed, new_uuid

GIB = 1 << 30


def offering(**params):
    return {"params": {"name": "o", "cpuNum": 1, "memorySize": GIB, **params}}


@pytest.fixture
def authorized(api):
    return {"Authorization": f"OAuth {api.session}"}


def raw(api, method, path, data, authorized, **headers):
    return api.send(method, PREFIX + path, data=data, headers={**authorized, "Content-Type": "application/json", **headers})


# --- paths ---

@pytest.mark.parametrize("path", ["/zstack/v1/zones", "/v1/zones", "/zstack/v1/zones/", "/zstack/v1//zones", "/zstack/v1/zones?",
                                  "/ZStack/V1/Zones", "/v1/ZONES"])
def test_a_path_is_found_under_both_prefixes_and_in_any_case(api, authorized, path):
    answer = api.send("GET", path, headers=authorized)
    assert answer.status == 200 and answer.body["inventories"], answer


def test_an_unknown_path_is_404_and_named(api, authorized):
    answer = api.send("GET", "/zstack/v1/no/such/thing", headers=authorized)
    assert answer.status == 404 and "/no/such/thing" in answer.text


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/zstack", "/zstack/v2/zones", "/../etc/passwd", "/zstack/v1/../../etc/passwd"])
def test_paths_outside_the_api_are_404(api, path):
    assert api.send("GET", path).status == 404


@pytest.mark.parametrize("method, path", [("DELETE", "/zones"), ("PATCH", "/zones"), ("POST", "/vm-instances/{vm}/actions"),
                                          ("PUT", "/vm-instances"), ("DELETE", "/api-jobs/{vm}x"), ("POST", "/api-jobs/{vm}")])
def test_a_wrong_verb_is_405_and_says_which_are_right(api, authorized, method, path):
    answer = api.send(method, PREFIX + path.replace("{vm}", new_uuid()), headers=authorized, json={})
    if "api-jobs" in path and method == "DELETE":
        assert answer.status in (404, 405)  # DELETE cancels a job
    else:
        assert answer.status == 405, answer


def test_an_unknown_job_is_404(api):
    assert api.send("GET", f"{PREFIX}/api-jobs/{new_uuid()}").status == 404


# --- bodies ---

@pytest.mark.parametrize("text", ["{", '{"params": {"name": "x"', "nonsense", '{"params": {"name": "\x01"}}', "[]", '"text"', "\xff",
                                  '{"a":' * 600 + "1" + "}" * 600])
def test_malformed_json_is_a_bad_request(api, authorized, text):
    answer = raw(api, "POST", "/instance-offerings", text.encode("latin-1"), authorized)
    assert answer.status == 400, answer
    assert answer.body["error"]["details"]


@pytest.mark.parametrize("field, value", [("cpuNum", "many"), ("cpuNum", 1.5), ("cpuNum", [1]), ("cpuNum", {"a": 1}), ("cpuNum", True),
                                          ("memorySize", "1g"), ("memorySize", 1e30), ("name", {"a": 1}), ("name", ["x"])])
def test_a_value_of_the_wrong_type_is_a_bad_request_that_names_it(api, field, value):
    answer = api.call("POST", "/instance-offerings", offering(**{field: value}), check=False)
    assert answer.status == 400 and field in answer.text, answer


@pytest.mark.parametrize("field, value", [("cpuNum", 0.0), ("cpuNum", -1), ("memorySize", -5), ("name", "x" * 256), ("cpuNum", 4096),
                                          ("name", ""), ("name", "a<b>"), ("name", "bell\x07"), ("name", "line\nbreak")])
def test_a_value_out_of_range_fails_the_call_with_sys_1007(api, field, value):
    before = api.query("/instance-offerings")
    with pytest.raises(ApiError) as refused:
        api.run("POST", "/instance-offerings", offering(**{field: value}))
    assert refused.value.codes[-1] == "SYS.1007" and field in refused.value.reason
    assert api.query("/instance-offerings") == before


@pytest.mark.parametrize("sent", [{"cpuNum": 2.0, "memorySize": 8.589934592e9}, {"cpuNum": "2", "memorySize": "8589934592"},
                                  {"CPUNUM": 2, "memorysize": 8589934592},
                                  {"cpuNum": 2, "memorySize": 8589934592, "description": None, "sortKey": 0, "type": "", "whatever": 1}])
def test_numbers_as_doubles_and_texts_and_names_in_any_case_are_understood(api, sent):
    made = api.run("POST", "/instance-offerings", {"params": {"name": "lenient", **sent}, "requestIp": "1.2.3.4"})["inventory"]
    try:
        assert (made["cpuNum"], made["memorySize"]) == (2, 8589934592)
        assert isinstance(made["memorySize"], int) and "description" not in made
    finally:
        api.run("DELETE", f"/instance-offerings/{made['uuid']}")


@pytest.mark.parametrize("body", [{"createInstanceOffering": {"name": "alias", "cpuNum": 1, "memorySize": GIB}},
                                  {"params": {"name": "alias", "cpuNum": 1, "memorySize": GIB}, "systemTags": [], "userTags": []}])
def test_a_post_body_may_stand_under_params_or_the_name_of_the_api(api, body):
    made = api.run("POST", "/instance-offerings", body)["inventory"]
    assert made["name"] == "alias"
    api.run("DELETE", f"/instance-offerings/{made['uuid']}")


def test_a_missing_parameter_is_named(api):
    with pytest.raises(ApiError) as refused:
        api.run("POST", "/instance-offerings", {"params": {"name": "no size"}})
    assert refused.value.codes[-1] == "SYS.1007" and "cpuNum" in refused.value.reason


def test_an_unknown_action_is_a_bad_request_that_lists_the_known_ones(api):
    answer = api.call("PUT", f"/vm-instances/{new_uuid()}/actions", {"explodeVmInstance": {}}, check=False)
    assert answer.status == 400 and "explodeVmInstance" in answer.text and "stopVmInstance" in answer.text


@pytest.mark.parametrize("body", [None, {}, {"systemTags": []}])
def test_an_actions_path_without_an_action_is_a_bad_request(api, body):
    assert api.call("PUT", f"/vm-instances/{new_uuid()}/actions", body, check=False).status == 400


@pytest.mark.parametrize("action", ["stopVmInstance", "STOPVMINSTANCE", "StopVmInstance", "stopvminstance"])
def test_an_action_is_known_in_any_case_and_an_unknown_vm_is_sys_1003(api, action):
    with pytest.raises(ApiError) as refused:
        api.act(new_uuid(), action, type="grace")
    assert refused.value.codes[-1] == "SYS.1003"


@pytest.mark.parametrize("uuid", ["x", "36c27e8ff05c4780bf6d2fa65700f22", "G" * 32, "..%2F..%2Fetc", "36c27e8f-f05c-4780-bf6d-2fa65700f22e"])
def test_a_malformed_uuid_is_not_found_and_nothing_else(api, uuid):
    with pytest.raises(ApiError) as refused:
        api.act(uuid, "stopVmInstance")
    assert refused.value.status == 400 or refused.value.codes[-1] in ("SYS.1003", "SYS.1007")


def test_a_query_by_an_unknown_uuid_is_an_empty_list(api):
    assert api.get(f"/vm-instances/{new_uuid()}")["inventories"] == []


def test_deleting_what_is_not_there_is_a_success(api):
    assert api.destroy(new_uuid()) == {}


def test_a_body_over_the_limit_is_413_and_the_daemon_reads_on(api, authorized):
    answer = raw(api, "POST", "/instance-offerings", b'{"params":{"name":"' + b"x" * (2 << 20) + b'"}}', authorized)
    assert answer.status == 413, answer
    assert api.query("/zones")


def test_parameters_of_a_delete_come_from_the_query_string(api):
    made = api.run("POST", "/instance-offerings", offering())["inventory"]
    for query in ({"deleteMode": "Permissive"}, {"deleteMode": ""}, {"deleteMode": "Enforcing", "uuid": made["uuid"]}):
        assert api.run("DELETE", f"/instance-offerings/{made['uuid']}", query=query) == {}


# --- headers ---

@pytest.mark.parametrize("text", ["short", "x" * 33, new_uuid() + "-"])
def test_a_job_uuid_of_another_length_is_a_bad_request(api, text):
    answer = api.call("POST", "/instance-offerings", offering(), headers={"X-Job-UUID": text}, check=False)
    assert answer.status == 400 and "X-Job-UUID" in answer.text


@pytest.mark.parametrize("text", ["soon", "-1", "1.5.2"])
def test_a_timeout_that_is_no_number_is_a_bad_request(api, text):
    answer = api.call("POST", "/instance-offerings", offering(), headers={"X-API-Timeout": text}, check=False)
    assert answer.status == 400 and "X-API-Timeout" in answer.text


@pytest.mark.parametrize("url", ["ftp://example.org/", "not a url", "file:///etc/passwd"])
def test_a_webhook_that_cannot_be_called_is_a_bad_request(api, url):
    answer = api.call("POST", "/instance-offerings", offering(), headers={"X-Web-Hook": url}, check=False)
    assert answer.status == 400 and "X-Web-Hook" in answer.text


def test_a_replayed_request_is_the_same_job_and_runs_once(api):
    job = new_uuid()
    body = offering(name=f"once {job}")
    first = api.submit("POST", "/instance-offerings", body, job=job)
    again = api.submit("POST", "/instance-offerings", body, job=job)
    assert first.location == again.location and first.uuid == job
    assert first.wait() == again.wait()
    late = api.submit("POST", "/instance-offerings", body, job=job)
    assert late.wait() == first.wait()
    assert len(api.query("/instance-offerings", f"name=once {job}")) == 1
    api.run("DELETE", f"/instance-offerings/{first.wait()['inventory']['uuid']}")


def test_a_job_uuid_used_for_another_request_is_a_bad_request(api):
    job = new_uuid()
    made = api.submit("POST", "/instance-offerings", offering(name="first"), job=job).wait()["inventory"]
    answer = api.call("POST", "/instance-offerings", offering(name="second"), headers={"X-Job-UUID": job}, check=False)
    assert answer.status == 400
    assert api.query("/instance-offerings", "name=second") == []
    api.run("DELETE", f"/instance-offerings/{made['uuid']}")


def test_the_location_is_where_the_client_said_the_host_is(api, authorized):
    answer = api.send("POST", "/v1/instance-offerings", json=offering(name="located"), headers={**authorized, "Host": "agent.example:8989"})
    assert answer.status == 202
    location = answer.body["location"]
    assert location.startswith("http://agent.example:8989/zstack/v1/api-jobs/") and len(location.rpartition("/")[2]) == 32
    while (poll := api.send("GET", f"/v1/api-jobs/{location.rpartition('/')[2]}")).status == 202:
        assert poll.body["location"]
    api.run("DELETE", f"/instance-offerings/{poll.body['inventory']['uuid']}")


def test_schema_comes_with_queries_and_otherwise_when_asked_for(api, authorized):
    zones = api.get("/zones")
    assert zones["schema"]["inventories[0]"] == "org.zstack.header.zone.ZoneInventory"
    job = api.submit("POST", "/instance-offerings", offering(name="schema"))
    made = job.wait()
    assert "schema" not in made
    asked = api.send("GET", f"{PREFIX}/api-jobs/{job.uuid}", headers={"X-JSON-Schema": "true"}).body
    assert asked["schema"] == {"inventory": "org.zstack.header.configuration.InstanceOfferingInventory"}
    api.run("DELETE", f"/instance-offerings/{made['inventory']['uuid']}")


def test_errors_have_one_top_level_key_and_are_ascii(api):
    answer = api.call("POST", "/instance-offerings", offering(cpuNum="viele"), check=False)
    assert list(answer.body) == ["error"] and {"code", "description", "details"} <= answer.body["error"].keys()
    assert answer.text.isascii()


def test_no_answer_asks_to_retry_or_to_go_elsewhere(api, authorized):
    for method, path in (("GET", "/zones"), ("GET", "/nothing"), ("PATCH", "/zones"), ("GET", f"/api-jobs/{new_uuid()}")):
        answer = api.send(method, PREFIX + path, headers=authorized)
        assert "Retry-After" not in answer.headers and "Location" not in answer.headers and answer.text


# --- beside the API ---

def test_health_and_readiness_need_no_session(api):
    assert api.send("GET", "/hvagent/v1/health").status == 200
    assert api.send("GET", "/hvagent/v1/ready").status == 200


def test_the_openapi_document_is_one_and_names_the_operations(api, contract):
    assert contract.document["openapi"].startswith("3.1")
    text = json.dumps(contract.document)
    for operation in ("CreateVmInstance", "StopVmInstance", "QueryVmInstance", "AddImage", "LogInByAccount", "QueryVmNic"):
        assert operation in text


def test_the_legacy_endpoint_serves_the_python_binding(api, host):
    def legacy(message, **params):
        body = {f"org.zstack.header.{message}": {**params, "timeout": 15000}}
        answer = api.http.post(f"{host.url}/zstack/api/", json=body).json()
        assert "null" not in json.dumps(answer)
        return answer

    def result(answer):
        (_, value), = json.loads(answer["result"]).items()
        return value

    login = legacy("identity.APILogInByAccountMsg", accountName="admin", password=hashed(host.password), session={})
    assert login["state"] == "Done" and result(login)["success"] is True
    session = {"uuid": result(login)["inventory"]["uuid"]}
    zones = result(legacy("zone.APIQueryZoneMsg", session=session, conditions=[{"name": "name", "op": "not null"}], replyWithCount="true"))
    assert zones["total"] == len(zones["inventories"]) == 1

    started = legacy("configuration.APICreateInstanceOfferingMsg", session=session, name="legacy", cpuNum="1", memorySize=str(GIB))
    while started["state"] == "Processing":
        started = api.http.get(f"{host.url}/zstack/api/result/{started['uuid']}").json()
    assert result(started)["success"] is True
    made = result(started)["inventory"]
    assert made["cpuNum"] == 1

    failed = legacy("vm.APIStopVmInstanceMsg", session=session, uuid=new_uuid())
    while failed["state"] == "Processing":
        failed = api.http.get(f"{host.url}/zstack/api/result/{failed['uuid']}").json()
    assert failed["state"] == "Done" and result(failed)["success"] is False and result(failed)["error"]["code"]
    expired = result(legacy("zone.APIQueryZoneMsg", session={"uuid": new_uuid()}, conditions=[]))
    assert expired["success"] is False and "Session expired" in expired["error"]["details"]
    api.run("DELETE", f"/instance-offerings/{made['uuid']}")
