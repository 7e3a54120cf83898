"""`covet.testing.live.serve`, and what only a socket shows of an application: clients that leave, limits."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from covet import BackgroundTasks, CovetPy, Depends, Request
from covet.testing import live
from covet.testing.live import serve


def leave_after_asking(url: str, path: str, started: threading.Event) -> None:
    """Ask for a path and close the connection once the handler runs."""
    parts = urlsplit(url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert started.wait(5)


def test_an_application_is_served_while_the_context_is_entered() -> None:
    app = CovetPy()

    @app.get("/")
    async def read() -> Any:
        return "hello"

    with serve(app) as url:
        assert httpx2.get(url).json() == "hello"
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)


def test_the_lifespan_runs_around_it() -> None:
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: CovetPy) -> AsyncIterator[None]:
        events.append("in")
        yield
        events.append("out")

    with serve(CovetPy(lifespan=lifespan)):
        assert events == ["in"]
    assert events == ["in", "out"]


def test_an_error_at_start_is_raised() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: CovetPy) -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    with pytest.raises(ValueError, match="no database"), serve(CovetPy(lifespan=lifespan)):
        pass


def test_an_error_at_the_end_is_raised() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: CovetPy) -> AsyncIterator[None]:
        yield
        raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"), serve(CovetPy(lifespan=lifespan)) as url:
        assert httpx2.get(url).status_code == 404


def test_options_are_the_engines() -> None:
    app = CovetPy()

    @app.get("/")
    async def read(request: Request) -> Any:
        return request.scope["root_path"]

    with serve(app, root_path="/root", max_fields=8) as url:
        assert httpx2.get(url).json() == "/root"
        assert httpx2.get(url, headers={f"x-{n}": "1" for n in range(9)}).status_code == 431


@pytest.mark.parametrize("path", ["/plain", "/dependency"])
def test_cancel_on_disconnect(path: str) -> None:
    app = CovetPy()
    started, cancelled, left = threading.Event(), threading.Event(), threading.Event()

    async def resource() -> AsyncIterator[None]:
        try:
            yield
        finally:
            left.set()

    async def wait() -> None:
        started.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    @app.get("/plain", cancel_on_disconnect=True)
    async def plain() -> None:
        left.set()
        await wait()

    @app.get("/dependency", cancel_on_disconnect=True, dependencies=[Depends(resource)])
    async def dependency() -> None:
        await wait()

    with serve(app) as url:
        leave_after_asking(url, path, started)
        assert cancelled.wait(5)
        assert left.wait(5)


def test_cancel_on_disconnect_behind_middleware() -> None:
    app = CovetPy(cancel_on_disconnect=True)
    started, cancelled = threading.Event(), threading.Event()

    @app.middleware("http")
    async def layer(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    @app.get("/")
    async def wait() -> None:
        started.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with serve(app) as url:
        leave_after_asking(url, "/", started)
        assert cancelled.wait(5)


def test_without_it_the_handler_goes_on_and_can_ask() -> None:
    app = CovetPy()
    started, finished = threading.Event(), threading.Event()

    @app.get("/")
    async def wait(request: Request) -> None:
        started.set()
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)
        finished.set()

    with serve(app) as url:
        leave_after_asking(url, "/", started)
        assert finished.wait(5)


@pytest.mark.parametrize("cancels", [True, False])
@pytest.mark.parametrize("seconds", [0, 0.05], ids=["leaves-after", "leaves-during"])
def test_background_tasks_outlive_the_client(cancels: bool, seconds: float) -> None:
    app = CovetPy(cancel_on_disconnect=cancels)
    started, finished = threading.Event(), threading.Event()

    async def work() -> None:
        await asyncio.sleep(0.05)
        finished.set()

    @app.get("/")
    async def read(tasks: BackgroundTasks) -> str:
        tasks.add_task(work)
        started.set()
        time.sleep(seconds)  # it ends without ever letting the loop notice that the client has gone
        return "ok"

    with serve(app) as url:
        leave_after_asking(url, "/", started)
        assert finished.wait(5)


def test_requests_in_progress_are_answered_at_the_end() -> None:
    app = CovetPy()
    started = threading.Event()
    answers: list[Any] = []

    @app.get("/")
    async def slow() -> str:
        started.set()
        await asyncio.sleep(0.2)
        return "done"

    with serve(app) as url:
        asking = threading.Thread(target=lambda: answers.append(httpx2.get(url).json()))
        asking.start()
        assert started.wait(5)
    asking.join(5)
    assert answers == ["done"]


def test_many_requests_on_one_connection() -> None:
    app = CovetPy()

    @app.get("/{number}")
    def read(number: int) -> int:
        return number

    with serve(app) as url, httpx2.Client(base_url=url) as client:
        assert [client.get(f"/{number}").json() for number in range(50)] == list(range(50))


def test_a_server_that_does_not_stop_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_STOP_WITHIN", 0.1)
    ended = threading.Event()

    @contextlib.asynccontextmanager
    async def lifespan(app: CovetPy) -> AsyncIterator[None]:
        yield
        while not ended.is_set():
            await asyncio.sleep(0.01)

    with (
        pytest.raises(TimeoutError, match=r"does not stop(.|\n)*lifespan"),
        serve(CovetPy(lifespan=lifespan), drain=0),
    ):
        pass
    ended.set()


def test_a_start_that_takes_too_long_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_START_WITHIN", 0.2)
    left = threading.Event()

    @contextlib.asynccontextmanager
    async def lifespan(app: CovetPy) -> AsyncIterator[None]:
        try:
            await asyncio.sleep(100)
        finally:
            left.set()
        yield

    with pytest.raises(TimeoutError), serve(CovetPy(lifespan=lifespan)):
        pass
    assert left.is_set()
