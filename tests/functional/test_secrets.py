"""Secrets are planted wherever the API takes one, and looked for wherever one could be read."""
import json
import re
import threading

import pytest

from client import Api, ApiError, hashed
from conftest import CONFIG
from test_images import Files

CANARY = "kanari47"  # a console password has 8 characters at most


def canary(name):
    return f"{CANARY}-{name}"


class Watch(threading.Thread):
    """Reads the command lines of the host's processes while the test works."""

    def __init__(self, host):
        super().__init__(daemon=True)
        self.host = host
        self.seen = set()
        self.over = threading.Event()

    def run(self):
        proc = self.host.root / "proc"
        while not self.over.wait(0.02):
            for cmdline in proc.glob("[0-9]*/cmdline"):
                try:
                    words = cmdline.read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if CANARY in words:
                    self.seen.add(words.replace("\0", " "))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def plant_in_accounts(own):
    """Passwords and sessions, right and wrong."""
    stranger = Api(own.host.url)
    for key in ("logInByAccount", "loginByAccount"):
        body = {key: {"accountName": "admin", "password": canary("wrong-password")}}
        with pytest.raises(ApiError):
            stranger.call("PUT", "/accounts/login", body, session="")
    with pytest.raises(ApiError):
        stranger.call("GET", "/zones", session=canary("session"))
    stranger.call("DELETE", "/accounts/sessions/" + canary("closed-session"), session="", check=False)
    with pytest.raises(ApiError):
        stranger.call("GET", "/zones", query={"sessionId": canary("query-session")}, session="")


def plant_in_images(own, path):
    with Files(own.host.gateway, path) as files:
        url = files.url.replace("http://", f"http://joe:{canary('url-password')}@") + f"?token={canary('url-token')}"
        own.world.add_image("secret url", url)
        with pytest.raises(ApiError):
            own.world.add_image("secret url", url.replace("/image", "/none"))


def plant_in_vms(own):
    world = own.world
    with pytest.raises(ApiError) as refused:  # there is no metadata service; the text is nobody's business all the same
        world.create("refused", tags=["userdata::" + canary("userdata")], memorySize=64 << 20)
    assert CANARY not in str(refused.value)
    return world.create("secret", tags=[f"consolePassword::{CANARY}"], memorySize=64 << 20)


def plant_in_reports(own):
    send = Api(own.host.url)
    send.session = own.api.session
    body = {"url": "http://127.0.0.1:1/reports", "token": canary("controller-token")}
    answer = send.call("POST", "/hvagent/v1/controllers", body, prefix="")
    assert canary("controller-token") not in answer.text
    assert canary("controller-token") not in send.call("GET", "/hvagent/v1/controllers", prefix="").text


def rows_of_jobs(host):
    """What the database keeps of finished jobs."""
    script = """import json, sqlite3
db = sqlite3.connect("file:/var/lib/hvagent/hvagent.db?mode=ro", uri=True)
tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%job%'")]
print(json.dumps([[table, [str(cell) for cell in row]] for table in tables for row in db.execute(f"SELECT * FROM {table}")]))"""
    rows = json.loads(host.exec("python3", "-c", script).stdout)
    assert rows, "jobs are looked for under another name"
    return rows


def test_planted_secrets_are_found_nowhere(own_host, images):
    own = own_host(CONFIG + f'\n[log]\nlevel = "debug"\n[metrics]\ntoken = "{canary("metrics-token")}"\n')
    host = own.host
    with Watch(host) as watch:
        own.api  # logs in
        plant_in_accounts(own)
        plant_in_images(own, images["qcow2"])
        plant_in_reports(own)
        vm = plant_in_vms(own)
        own.api.act(vm["uuid"], "stopVmInstance", type="cold")
    log = (host.dir / "log" / "hvagentd.log").read_text(errors="replace")
    assert '"message":"job done"' in log, "debug lines are there"
    assert not [line for line in log.splitlines() if CANARY in line]
    assert hashed(host.password) not in log and own.api.session not in log
    assert not watch.seen
    assert CANARY not in json.dumps(own.api.get("/longjobs"))
    for path in ("/images", "/vm-instances"):
        assert CANARY not in json.dumps(own.api.query(path)), path
    assert not [row for row in rows_of_jobs(host) if CANARY in json.dumps(row)]


def test_each_line_of_the_log_is_one_json_object(host, api):
    zone = api.run("POST", "/zones", {"params": {"name": "logged"}})["inventory"]["uuid"]
    api.run("DELETE", f"/zones/{zone}")
    lines = (host.dir / "log" / "hvagentd.log").read_text(errors="replace").splitlines()
    ours = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(ours) > len(lines) / 2
    for line in ours:
        assert {"time", "level", "message"} <= line.keys()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert any({"job", "operation", "request"} <= line.keys() for line in ours)
