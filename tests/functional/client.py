"""A small client of the REST contract. Every answer is checked against the daemon's own OpenAPI document."""
import hashlib
import time
import uuid

import requests

PREFIX = "/zstack/v1"
ADMIN = "36c27e8ff05c4780bf6d2fa65700f22e"


def new_uuid():
    return uuid.uuid4().hex


def hashed(password):
    return hashlib.sha512(password.encode()).hexdigest()


class ApiError(Exception):
    """An answer that is an error, of a call or of a job."""

    def __init__(self, status, body):
        self.status = status
        self.body = body
        error = body.get("error", {}) if isinstance(body, dict) else {}
        self.code = error.get("code")
        self.description = error.get("description")
        self.details = error.get("details")
        self.codes = []  # from the outermost to the reason
        while error:
            self.codes.append(error.get("code"))
            self.reason = error.get("details")
            error = error.get("cause")
        super().__init__(f"{status} {body}")


class Answer:
    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        self.body = response.json() if response.text.startswith(("{", "[")) else None

    def __repr__(self):
        return f"{self.status} {self.text[:500]}"


class Job:
    def __init__(self, api, uuid, location, operation):
        self.api = api
        self.uuid = uuid
        self.location = location
        self.operation = operation

    def poll(self):
        """Polls carry no session: they need none."""
        answer = self.api.call("GET", f"/api-jobs/{self.uuid}", session="", check=False)
        if answer.status == 200 and self.api.contract:
            self.api.contract.check_result(self.operation, answer.body)
        return answer

    def is_finished(self):
        return self.poll().status != 202

    def answer(self, timeout_s=60, through_restarts=False):
        deadline = time.monotonic() + timeout_s
        pause_s = 0.01
        while True:
            try:
                answer = self.poll()
                if answer.status != 202:
                    return answer
            except requests.ConnectionError:
                if not through_restarts:
                    raise
            assert time.monotonic() < deadline, f"job {self.uuid} did not end within {timeout_s} s"
            time.sleep(pause_s)
            pause_s = min(0.1, pause_s * 1.5)

    def wait(self, timeout_s=60, through_restarts=False):
        """The result; ApiError when the job failed."""
        answer = self.answer(timeout_s, through_restarts)
        if answer.status != 200:
            raise ApiError(answer.status, answer.body)
        return answer.body


class Api:
    """One client with one session. Not for several threads: each takes a copy()."""

    def __init__(self, url, contract=None):
        self.url = url
        self.contract = contract
        self.session = None
        self.http = requests.Session()
        self.http.trust_env = False

    def copy(self):
        other = Api(self.url, self.contract)
        other.session = self.session
        return other

    # --- calls ---

    def send(self, method, path, **options):
        """A request as it stands: no session, no prefix, no judgement of the answer beyond the contract's."""
        options.setdefault("timeout", 30)
        answer = Answer(self.http.request(method, self.url + path, allow_redirects=False, **options))
        if self.contract:
            self.contract.check(method, path.partition("?")[0], answer, partial="fields" in (options.get("params") or {}))
        return answer

    def call(self, method, path, body=None, query=None, headers=None, session=None, check=True, prefix=PREFIX):
        """`session`: None is our own, "" none at all. With `check` every status but 200 and 202 is an ApiError."""
        headers = dict(headers or {})
        session = self.session if session is None else session
        if session:
            headers.setdefault("Authorization", f"OAuth {session}")
        answer = self.send(method, prefix + path, json=body, params=query, headers=headers)
        if check and answer.status not in (200, 202):
            raise ApiError(answer.status, answer.body or answer.text)
        return answer

    def get(self, path, query=None, **options):
        answer = self.call("GET", path, query=query, **options)
        assert answer.status == 200, answer
        return answer.body

    def submit(self, method, path, body=None, query=None, headers=None, job=None, webhook=None, timeout_s=None, **options):
        headers = dict(headers or {})
        if job:
            headers["X-Job-UUID"] = job
        if webhook:
            headers["X-Web-Hook"] = webhook
        if timeout_s is not None:
            headers["X-API-Timeout"] = str(timeout_s)
        answer = self.call(method, path, body=body, query=query, headers=headers, **options)
        assert answer.status == 202, answer
        location = answer.body["location"]
        operation = self.contract.name_of(method, path, body) if self.contract else None
        return Job(self, location.rpartition("/")[2], location, operation)

    def run(self, method, path, body=None, patience_s=60, **options):
        return self.submit(method, path, body, **options).wait(patience_s)

    # --- sessions ---

    def login(self, password, name="admin", method="PUT", key="logInByAccount"):
        body = {key: {"accountName": name, "password": hashed(password)}}
        session = self.call(method, "/accounts/login", body, session="").body["inventory"]
        self.session = session["uuid"]
        return session

    # --- VMs ---

    def start_action(self, vm, action, /, job=None, webhook=None, timeout_s=None, **params):
        return self.submit("PUT", f"/vm-instances/{vm}/actions", {action: params}, job=job, webhook=webhook, timeout_s=timeout_s)

    def act(self, vm, action, /, **params):
        """The answer's inventory, or all of an answer without one."""
        result = self.start_action(vm, action, **params).wait()
        return result.get("inventory", result)

    def find_vm(self, vm):
        found = self.get(f"/vm-instances/{vm}")["inventories"]
        return found[0] if found else None

    def vm(self, vm):
        found = self.find_vm(vm)
        assert found, f"there is no VM {vm}"
        return found

    def state(self, vm):
        found = self.find_vm(vm)
        return found["state"] if found else None

    def destroy(self, vm, **options):
        return self.run("DELETE", f"/vm-instances/{vm}", **options)

    def query(self, path, *conditions, **params):
        return self.get(path, {"q": list(conditions), **params})["inventories"]

    def only(self, path, *conditions):
        found = self.query(path, *conditions)
        assert len(found) == 1, found
        return found[0]
