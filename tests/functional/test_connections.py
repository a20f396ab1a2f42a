"""Many clients, slow clients, silent clients."""
import asyncio
import socket
import time

import pytest

from client import PREFIX

CONNECTIONS = 1000


async def ask(address, port, session, barrier):
    """Connects, waits until all have, asks, and returns the status line."""
    reader, writer = await asyncio.open_connection(address, port)
    barrier["open"] += 1
    await barrier["all"].wait()
    writer.write(f"GET {PREFIX}/zones HTTP/1.1\r\nHost: {address}\r\nAuthorization: OAuth {session}\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer.split(b"\r\n")[0]


async def ask_all(address, port, session):
    barrier = {"open": 0, "all": asyncio.Event()}
    tasks = [asyncio.create_task(ask(address, port, session, barrier)) for _ in range(CONNECTIONS)]
    while barrier["open"] < CONNECTIONS and not any(task.done() for task in tasks):
        await asyncio.sleep(0.01)
    barrier["all"].set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def place_of(host):
    return host.address, int(host.url.rpartition(":")[2])


def threads_of_agent(host):
    pid = host.daemons()["hvagentd"]["pid"]
    return int(host.shell(f"ls /proc/{pid}/task | wc -l"))


def test_a_thousand_connections_at_once_are_all_answered_by_few_threads(host, api):
    before = threads_of_agent(host)
    began = time.monotonic()
    answers = asyncio.run(ask_all(*place_of(host), api.session))
    print(f"{CONNECTIONS} connections answered in {time.monotonic() - began:.2f} s")
    assert [answer for answer in answers if answer != b"HTTP/1.1 200 OK"] == []
    assert threads_of_agent(host) <= max(before, 64)


def test_slow_and_silent_clients_keep_nobody_waiting(host, api):
    held = []
    try:
        for kind in ("silent", "head", "body") * 30:
            connection = socket.create_connection(place_of(host), timeout=5)
            if kind == "head":
                connection.sendall(b"GET /zstack/v1/zones HTTP/1.1\r\nHost: x\r\nX-")
            if kind == "body":
                connection.sendall(b"POST /zstack/v1/instance-offerings HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"par")
            held.append(connection)
        took = []
        for _ in range(20):
            began = time.monotonic()
            assert api.query("/zones")
            took.append(time.monotonic() - began)
        assert max(took) < 1, took
    finally:
        for connection in held:
            connection.close()


def test_a_client_that_connects_and_leaves_harms_nothing(host, api):
    for _ in range(50):
        socket.create_connection(place_of(host), timeout=5).close()
    assert api.query("/zones")


def test_a_connection_serves_request_after_request(host, api):
    with socket.create_connection(place_of(host), timeout=5) as connection:
        request = f"GET {PREFIX}/zones HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth {api.session}\r\n\r\n".encode()
        connection.sendall(request * 5)  # pipelined
        seen = b""
        while seen.count(b"HTTP/1.1 200 OK") < 5:
            part = connection.recv(65536)
            assert part, seen
            seen += part


@pytest.mark.parametrize("text", [b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n",
                                  b"POST /zstack/v1/zones HTTP/1.1\r\nContent-Length: -4\r\n\r\n",
                                  b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"])
def test_what_is_no_http_request_is_refused_and_cut(host, api, text):
    with socket.create_connection(place_of(host), timeout=10) as connection:
        try:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except ConnectionError:
            answer = b""
        assert answer == b"" or answer.split(b" ")[1].startswith((b"4", b"5")), answer
    assert api.query("/zones")


def test_a_raw_query_string_is_read_leniently(host, api):
    with socket.create_connection(place_of(host), timeout=5) as connection:
        connection.sendall(f"GET {PREFIX}/zones?q=name~=%&q=uuid not null&sort=+name HTTP/1.1\r\nHost: x\r\n"
                           f"Authorization: OAuth {api.session}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200") and b'"inventories"' in answer
