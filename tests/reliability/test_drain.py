"""The end of a server under load: what it accepted is answered, and it ends in time whatever hangs."""

import os
import signal
import time

import pytest

PATHS = ["/"] * 35 + ["/slow"] * 15
DRAINS = int(os.environ.get("COVET_TEST_DRAINS", "4"))  # a release is preceded by some hundreds

HEAD = b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n"


def primed(server):
    """Connect and get one answer: this connection is surely accepted."""
    connection = server.connect()
    connection.sendall(HEAD % b"/")
    assert connection.recv(65536).endswith(b"}")
    return connection


@pytest.mark.parametrize(("workers", "drains"), [(1, 4), (2, 2)])
def test_drains_lose_nothing(serve, workers, drains):
    for _ in range(drains):
        server = serve("hostile:app", "--workers", str(workers), "--timeout-drain", "5")
        if workers == 2:
            server.wait_for("worker 2 ready")
        accepted = [primed(server) for _ in range(50)]
        for number, connection in enumerate(accepted):
            connection.sendall(HEAD % (b"/" if number % 5 else b"/slow"))
        time.sleep(0.1)
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 5
        for connection in accepted:
            with connection:
                assert connection.recv(65536).startswith(b"HTTP/1.1 200 "), server.output
        assert server.output.count("lifespan shutdown") == workers


@pytest.mark.timeout(60 + 5 * DRAINS)
@pytest.mark.parametrize(("workers", "drains"), [(1, DRAINS), (2, DRAINS // 2)])
def test_drains_under_load_answer_or_refuse(serve, load, until, workers, drains):
    for _ in range(drains):
        server = serve("hostile:app", "--workers", str(workers), "--timeout-drain", "5")
        if workers == 2:
            server.wait_for("worker 2 ready")
        clients = load(server, PATHS)
        assert until(lambda clients=clients: clients.answered > 100)
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 5
        assert until(lambda clients=clients: clients.refused > 0)
        clients.stop()
        assert clients.broken == 0, server.output
        assert server.output.count("lifespan shutdown") == workers


EVENTS = """
import asyncio
from collections.abc import AsyncIterable
from covet import CovetPy
from covet.responses import EventSourceResponse

app = CovetPy()
wrapped = CovetPy()

@wrapped.middleware("http")
async def around(request, call_next):
    return await call_next(request)

async def events() -> AsyncIterable[str]:
    try:
        yield "first"
        await asyncio.sleep(1000)
    finally:
        print("generator closed", flush=True)

for each in (app, wrapped):
    each.get("/events", response_class=EventSourceResponse)(events)
"""


@pytest.mark.parametrize("app", ["events:app", "events:wrapped"])
def test_streams_of_events_end_with_the_drain(serve, tmp_path, app):
    (tmp_path / "events.py").write_text(EVENTS)
    server = serve(app)
    with server.connect() as listening:
        listening.sendall(HEAD % b"/events")
        answer = b""
        while b"first" not in answer:
            answer += listening.recv(65536)
        start = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        while piece := listening.recv(65536):
            answer += piece
    assert answer.endswith(b"\r\n0\r\n\r\n"), "the end is an orderly one"
    assert server.process.wait(10) == 0
    assert time.monotonic() - start < 5
    assert "generator closed" in server.output
    assert "cut off" not in server.output


def test_a_hanging_handler_is_named_and_left(serve):
    server = serve("hostile:app", "--timeout-drain", "1")
    with server.connect() as hanging:
        hanging.sendall(b"GET /hang HTTP/1.1\r\nhost: a\r\n\r\n")
        server.get()
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 4
    assert "/hang" in server.output
    assert "lifespan shutdown" in server.output


def test_a_killed_worker_is_replaced(serve, load, until):
    server = serve("hostile:app", "--workers", "2")
    server.wait_for("worker 2 ready")
    clients = load(server, PATHS[:20])
    assert until(lambda: clients.answered > 50)
    children = set(_children(server))
    victim = min(children)
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    assert until(lambda: len(set(_children(server)) - {victim}) == 2, 2)
    assert time.monotonic() - killed < 2
    newcomer = (set(_children(server)) - children).pop()
    server.wait_for(rf"ready in \d+ ms \(pid {newcomer}\)")
    assert until(lambda: str(newcomer) in server.get(), 10)
    clients.stop()
    assert clients.refused == 0
    assert clients.broken <= 20  # only what the dead worker held


def _children(server):
    pid = server.process.pid
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]
