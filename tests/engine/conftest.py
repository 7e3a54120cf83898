"""A server in a thread with a loop of its own, to test the socket door: plans made by hand, raw sockets."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from covet._engine import Server
from covet.requests import Request
from covet.responses import JSONResponse

ASYNC, POOL, INLINE = 0, 1, 2
Handler = Callable[..., Any]


def plan(
    handler: Handler, kind: int = ASYNC, params: tuple[Any, ...] = (), body: Any = None
) -> tuple[Any, ...]:
    """Make the plan of one handler; params are (source, name, kind), go by their names, a body by `body`."""
    described = tuple((source, name, what, None, True, None, 0) for source, name, what in params)
    names = [name for _, name, _ in params]
    slots = list(range(len(params)))
    if body is not None:
        names.append("body")
        slots.append(len(params))
    if "request" in handler.__code__.co_varnames[: handler.__code__.co_argcount]:
        names.append("request")
        slots.append(-1)
    calls = ((handler, kind, tuple(names), tuple(slots), True),)
    return described, calls, body, (0, None, None, "application/json", None, JSONResponse), 0


class App:
    """An application as the engine sees one: a table of plans, and an ASGI callable behind it."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.settings: dict[str, Any] = {"direct": True, "plain_not_found": True, "request": Request}
        self.settings["route_error"] = self.route_error
        self.python: Callable[..., Awaitable[None]] | None = None

    def add(
        self, path: str, handler: Handler, kind: int = ASYNC, methods: Any = ("GET",), **parts: Any
    ) -> None:
        """Add a native route."""
        made = plan(handler, kind, **parts)
        self.entries.append((path, list(methods), None, "route", made, None, f"{methods[0]} {path}", None))

    async def route_error(self, scope: Any, receive: Any, send: Any, exc: Exception) -> None:
        """Answer 500 with the error's text; SystemExit and the like never come here."""
        text = f"{type(exc).__name__}: {exc}".encode()
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": text})

    def __covet_table__(self) -> Any:
        return self.entries, self.settings

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.python is not None:
            await self.python(scope, receive, send)


class Running:
    """A server that runs; `loop` is its loop, in another thread than the test."""

    def __init__(
        self, app: Any, options: dict[str, Any], factory: Callable[[], asyncio.AbstractEventLoop]
    ) -> None:
        self.app, self.options, self.factory = app, options, factory
        self.drained = threading.Event()
        self.fatal: list[BaseException] = []
        self.access: list[tuple[Any, ...]] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self.factory) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        callbacks = {"drained": self.drained.set, "fatal": self.fatal.append, "access": self._note}
        self.server = Server(self.app, [self.socket.fileno()], self.loop, self.options, callbacks)
        self.server.start()
        self._ready.set()
        await self._stop.wait()
        self.server.close()
        await asyncio.sleep(0)

    def _note(self, *line: Any) -> None:
        self.access.append(line)

    def on_loop(self, call: Callable[[], Any]) -> Any:
        """Call a function on the server's loop and return what it gives."""

        async def run() -> Any:
            return call()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def get(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Ask on a connection of its own; status and body."""
        status, _, content = self.ask(path, method, body, **headers)
        return status, content

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask on a connection of its own; status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """Open a connection for raw bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def close(self) -> None:
        """Stop the server and its loop; once is enough."""
        if not self._thread.is_alive():
            return
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self.socket.close()


def _loops() -> list[Any]:
    factories: list[Any] = [pytest.param(asyncio.new_event_loop, id="asyncio")]
    try:
        import uvloop
    except ImportError:
        return factories
    return [*factories, pytest.param(uvloop.new_event_loop, id="uvloop")]


@pytest.fixture(params=_loops())
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., Running]]:
    """Return a function that serves an application, on each kind of loop."""
    servers: list[Running] = []

    def start(app: Any, **options: Any) -> Running:
        servers.append(Running(app, options, request.param))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def app() -> App:
    """Return an application without routes."""
    return App()
