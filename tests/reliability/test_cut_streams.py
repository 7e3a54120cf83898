"""Generators behind an answer that its client cuts off: closed at once, not when they are collected."""

import gc
import socket
import time
from collections.abc import AsyncIterable, Iterable
from contextlib import nullcontext
from urllib.parse import urlsplit

import anyio
import pytest

from covet import CovetPy, Request
from covet.requests import ClientDisconnect
from covet.responses import EventSourceResponse, StreamingResponse
from covet.testing.live import serve

PIECE = "x" * 65536


def application(closed):
    """An application with one endless answer of each kind; `closed` learns whose generator has ended."""
    app = CovetPy()

    async def endless(name):
        try:
            while True:
                yield PIECE
        finally:
            await anyio.sleep(0.01)  # a database session takes a moment to close, too
            closed.append(name)

    def endless_blocking(name):
        try:
            while True:
                yield PIECE
        finally:
            closed.append(name)

    @app.get("/response")
    async def response():
        return StreamingResponse(endless("response"))

    @app.get("/response-blocking")
    async def response_blocking():
        return StreamingResponse(endless_blocking("response-blocking"))

    @app.get("/lines")
    async def lines() -> AsyncIterable[str]:
        try:
            while True:
                yield PIECE
        finally:
            await anyio.sleep(0.01)
            closed.append("lines")

    @app.get("/lines-blocking")
    def lines_blocking() -> Iterable[str]:
        yield from endless_blocking("lines-blocking")

    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterable[str]:
        try:
            while True:
                yield PIECE
        finally:
            await anyio.sleep(0.01)
            closed.append("events")

    @app.get("/events-blocking", response_class=EventSourceResponse)
    def events_blocking() -> Iterable[str]:
        yield from endless_blocking("events-blocking")

    @app.get("/chunks", response_class=StreamingResponse)
    async def chunks() -> AsyncIterable[str]:
        try:
            while True:
                yield PIECE
        finally:
            await anyio.sleep(0.01)
            closed.append("chunks")

    return app


NAMES = [
    "response",
    "response-blocking",
    "lines",
    "lines-blocking",
    "events",
    "events-blocking",
    "chunks",
]


@pytest.fixture(autouse=True)
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def cut(url, name):
    """Read the beginning of an answer, then leave."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), 5) as client:
        client.sendall(f"GET /{name} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.05)


def is_soon(accept):
    end = time.monotonic() + 1
    while not accept() and time.monotonic() < end:
        time.sleep(0.01)
    return accept()


@pytest.mark.parametrize("name", NAMES)
def test_on_the_socket_door(name):
    closed = []
    with serve(application(closed)) as url:
        cut(url, name)
        assert is_soon(lambda: closed == [name])


@pytest.mark.parametrize("name", NAMES)
def test_below_a_function_middleware(name):
    closed = []
    app = application(closed)

    @app.middleware("http")
    async def around(request: Request, call_next):
        return await call_next(request)

    with serve(app) as url:
        cut(url, name)
        assert is_soon(lambda: closed == [name])


@pytest.mark.parametrize("version", ["2.3", "2.4"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("name", NAMES)
def test_on_the_asgi_door(name, backend, version):
    closed = []
    app = application(closed)
    scope = {"type": "http", "method": "GET", "path": f"/{name}", "query_string": b"", "headers": []}
    scope["asgi"] = {"version": "3.0", "spec_version": version}

    async def main():
        sent = anyio.Event()
        incoming = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive():
            if incoming:
                return incoming.pop()
            await sent.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.body":
                sent.set()
                if version == "2.4":
                    raise OSError("the client has left")
                await anyio.sleep_forever()

        expected = pytest.raises(ClientDisconnect) if version == "2.4" else nullcontext()
        with anyio.fail_after(2), expected:
            await app(scope, receive, send)

    anyio.run(main, backend=backend)
    assert closed == [name]
