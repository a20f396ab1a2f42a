"""Who may call: login, logout, expiry, access keys."""
import base64
import datetime
import hashlib
import hmac
import time

import pytest

from client import ADMIN, Api, ApiError, hashed, new_uuid

DATE = "%b %d, %Y %I:%M:%S %p"


def code_of_refusal(call):
    """A refusal may come at once or, for a job, through its poll."""
    with pytest.raises(ApiError) as refused:
        call()
    return refused.value


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("key", ["logInByAccount", "loginByAccount", "params"])
def test_login_answers_a_session_whatever_verb_and_key_the_client_uses(host, contract, method, key):
    api = Api(host.url, contract)
    session = api.login(host.password, method=method, key=key)
    assert len(session["uuid"]) == 32
    assert session["accountUuid"] == session["userUuid"] == ADMIN
    left = datetime.datetime.strptime(session["expiredDate"], DATE) - datetime.datetime.strptime(session["createDate"], DATE)
    assert left == datetime.timedelta(seconds=7200)
    assert api.query("/zones")


def test_a_wrong_password_is_refused_with_id_1000(host, contract):
    api = Api(host.url, contract)
    refused = code_of_refusal(lambda: api.login("wrong"))
    assert (refused.status, refused.code) == (503, "ID.1000")


def test_an_unknown_account_is_refused_like_a_wrong_password(host, contract):
    api = Api(host.url, contract)
    unknown = code_of_refusal(lambda: api.login(host.password, name="nobody"))
    wrong = code_of_refusal(lambda: api.login("wrong"))
    assert unknown.body == wrong.body


def test_the_clear_password_is_not_accepted_in_place_of_its_hash(host, contract):
    body = {"logInByAccount": {"accountName": "admin", "password": host.password}}
    assert code_of_refusal(lambda: Api(host.url, contract).call("PUT", "/accounts/login", body)).code == "ID.1000"


def test_login_by_user_is_known_and_refused(host, contract):
    body = {"logInByUser": {"accountName": "admin", "userName": "u", "password": hashed("x")}}
    assert code_of_refusal(lambda: Api(host.url, contract).call("PUT", "/accounts/users/login", body)).code == "ID.1000"


def test_a_valid_session_is_said_to_be_valid_and_a_made_up_one_not(host, contract):
    api = Api(host.url, contract)
    session = api.login(host.password)["uuid"]
    assert api.get(f"/accounts/sessions/{session}/valid", session="") == {"valid": True}
    assert api.get(f"/accounts/sessions/{new_uuid()}/valid", session="") == {"valid": False}


def test_after_logout_the_session_is_worth_nothing(host, contract):
    api = Api(host.url, contract)
    session = api.login(host.password)["uuid"]
    assert api.call("DELETE", f"/accounts/sessions/{session}", query={"deleteMode": ""}).body == {}
    assert api.get(f"/accounts/sessions/{session}/valid", session="") == {"valid": False}
    refused = code_of_refusal(lambda: api.query("/zones"))
    assert (refused.status, refused.code) == (503, "ID.1001")
    assert "Session expired" in refused.details


def test_a_job_asked_for_without_a_valid_session_never_runs(api, host, contract):
    stranger = Api(host.url, contract)
    stranger.session = new_uuid()
    name = f"never {new_uuid()}"
    body = {"params": {"name": name, "cpuNum": 1, "memorySize": 1 << 30}}
    assert code_of_refusal(lambda: stranger.run("POST", "/instance-offerings", body)).code == "ID.1001"
    assert api.query("/instance-offerings", f"name={name}") == []


def test_a_session_may_be_written_with_a_colon_and_blanks(host, contract):
    api = Api(host.url, contract)
    session = api.login(host.password)["uuid"]
    for text in (f"OAuth {session}", f"OAuth: {session}", f"OAuth   {session}  ", f" OAuth {session}"):
        answer = api.send("GET", "/zstack/v1/zones", headers={"Authorization": text.strip(" ") if text.startswith(" ") else text})
        assert answer.status == 200, (text, answer)


def test_a_call_without_authorization_or_with_an_unknown_scheme_is_a_bad_request(host, contract):
    api = Api(host.url, contract)
    missing = api.send("GET", "/zstack/v1/zones")
    assert missing.status == 400 and "Authorization" in missing.text
    assert api.send("GET", "/zstack/v1/zones", headers={"Authorization": "Basic YWRtaW46cGFzc3dvcmQ="}).status == 400


def test_version_and_time_need_no_session(host, contract):
    api = Api(host.url, contract)
    assert api.call("PUT", "/management-nodes/actions", {"getVersion": {}}).body["version"]
    now = api.call("PUT", "/management-nodes/actions", {"getCurrentTime": {}}).body["currentTime"]
    assert abs(now["MillionSeconds"] / 1000 - time.time()) < 5


def test_a_renewed_session_lives_as_long_as_was_asked(host, contract):
    api = Api(host.url, contract)
    session = api.login(host.password)
    renewed = api.call("PUT", f"/accounts/sessions/{session['uuid']}/renew", {"renewSession": {"duration": 86400}}).body["inventory"]
    gained = datetime.datetime.strptime(renewed["expiredDate"], DATE) - datetime.datetime.strptime(session["expiredDate"], DATE)
    assert abs(gained - datetime.timedelta(seconds=86400 - 7200)) < datetime.timedelta(seconds=5)


def test_who_guesses_passwords_is_told_to_wait(own_host):
    own = own_host()
    codes = [code_of_refusal(lambda: Api(own.host.url, own.contract).login("wrong")).code for _ in range(7)]
    assert codes[:4] == ["ID.1000"] * 4
    assert codes[-1] == "LOGIN_CONTROL.1004"
    time.sleep(3.5)
    Api(own.host.url, own.contract).login(own.host.password)


# --- limits, on a host of its own ---

def test_a_session_ends_after_its_time_and_polls_go_on(own_host):
    own = own_host("[admin]\nsession_timeout = 2\nmax_sessions = 3\n")
    api = own.api
    job = api.submit("POST", "/instance-offerings", {"params": {"name": "o", "cpuNum": 1, "memorySize": 1 << 30}})
    time.sleep(2.2)
    refused = code_of_refusal(lambda: api.query("/zones"))
    assert refused.code == "ID.1001" and "Session expired" in refused.details
    assert job.wait()["inventory"]["name"] == "o"
    assert api.get(f"/accounts/sessions/{api.session}/valid", session="") == {"valid": False}

    others = [Api(own.host.url, own.contract) for _ in range(3)]
    for other in others:
        other.login(own.host.password)
    refused = code_of_refusal(lambda: Api(own.host.url, own.contract).login(own.host.password))
    assert refused.code == "ID.1006"
    others[0].call("DELETE", f"/accounts/sessions/{others[0].session}")
    Api(own.host.url, own.contract).login(own.host.password)


def test_sessions_outlive_a_restart_of_the_daemon(own_host):
    own = own_host()
    assert own.api.query("/zones")
    own.host.kill("agent")
    own.host.start("agent")
    assert own.api.query("/zones")


# --- access keys ---

def signature(secret, method, date, path):
    text = f"{method}\n{date}\n{path}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


@pytest.mark.parametrize("method, date, path, expected", [
    ("GET", "Tue, 03 Jun 2025 10:11:12 CST", "/v1/vm-instances", "PowWaYA8YNUENCgKsZSaQQtxTAQ="),
    ("PUT", "Tue, 03 Jun 2025 10:11:12 Asia/Shanghai", "/v1/vm-instances/36c27e8ff05c4780bf6d2fa65700f22e/actions",
     "0YWbYvZgHLEQPgXNaLPbk0Qkxpw="),
    ("POST", "Tue, 03 Jun 2025 02:11:12 Z", "/v1/vm-instances", "6luspHuabPl+5HRVdZ3P5GK+rg0="),
])
def test_our_signature_is_that_of_the_real_clients(method, date, path, expected):
    assert signature("SECRET", method, date, path) == expected


@pytest.fixture(scope="module")
def access_key(api):
    key = api.run("POST", "/accesskeys", {"params": {"accountUuid": ADMIN, "userUuid": ADMIN}})["inventory"]
    return key["AccessKeyID"], key["AccessKeySecret"]


def signed(key, method, path, date, signed_path=None):
    return {"Authorization": f"ZStack {key[0]}:{signature(key[1], method, date, signed_path or '/v1' + path)}", "Date": date}


def now(zone="GMT", offset_s=0):
    return (datetime.datetime.utcnow() + datetime.timedelta(seconds=offset_s)).strftime("%a, %d %b %Y %H:%M:%S ") + zone


def now_in_iso():
    return datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("spelling", [
    (now,), (now, "UTC"), (now, "Z"), (now, "CST", 8 * 3600), (now, "Asia/Shanghai", 8 * 3600), (now, "+0800", 8 * 3600),
    (now, "GMT+08:00", 8 * 3600), (now_in_iso,),
], ids=lambda spelling: str(spelling[1]) if len(spelling) > 1 else spelling[0].__name__)
def test_a_request_signed_with_an_access_key_is_served_in_every_spelling_of_the_date(api, access_key, spelling):
    date = spelling[0](*spelling[1:])
    path = "/vm-instances"
    assert api.call("GET", path, session="", headers=signed(access_key, "GET", path, date)).status == 200
    assert api.call("GET", path, session="", headers=signed(access_key, "GET", path, date), prefix="/v1").status == 200


def test_a_job_can_be_asked_for_with_an_access_key_and_polled_without(api, access_key):
    path = "/instance-offerings"
    body = {"params": {"name": "by key", "cpuNum": 1, "memorySize": 1 << 30}}
    job = api.submit("POST", path, body, session="", headers=signed(access_key, "POST", path, now()))
    poll = api.send("GET", f"/zstack/v1/api-jobs/{job.uuid}", headers={"Authorization": "OAuth null"})
    assert poll.status in (200, 202)
    assert job.wait()["inventory"]["name"] == "by key"


def test_a_wrong_signature_is_refused(api, access_key):
    path = "/vm-instances"
    for headers in (signed(access_key, "POST", path, now()), signed(access_key, "GET", "/zones", now()),
                    signed((access_key[0], "x" * 40), "GET", path, now())):
        refused = code_of_refusal(lambda: api.call("GET", path, session="", headers=headers))
        assert refused.code == "ID.1000" or refused.status in (400, 403)
        assert "wrong accessKey signature" in str(refused)


def test_an_unknown_key_is_refused_by_name(api):
    refused = code_of_refusal(lambda: api.call("GET", "/zones", session="", headers=signed(("nobody", "x"), "GET", "/zones", now())))
    assert "access key id" in str(refused)


def test_a_signature_of_another_time_is_refused_as_skewed(api, access_key):
    headers = signed(access_key, "GET", "/zones", now(offset_s=-35 * 60))
    answer = api.call("GET", "/zones", session="", headers=headers, check=False)
    assert answer.status == 403 and "requestTimeTooSkewed" in answer.text


def test_a_signed_request_needs_a_date_that_can_be_read(api, access_key):
    headers = signed(access_key, "GET", "/zones", "yesterday")
    assert api.call("GET", "/zones", session="", headers=headers, check=False).status == 400
    del headers["Date"]
    assert api.call("GET", "/zones", session="", headers=headers, check=False).status == 400
