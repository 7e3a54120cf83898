"""The test client: loops and threads, streams, exceptions, lifespans, cookies, WebSockets."""

import asyncio
import contextvars
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import anyio
import httpx2
import pytest

from covet.background import BackgroundTask
from covet.http_exceptions import StarletteDeprecationWarning
from covet.requests import Request
from covet.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from covet.starlette.applications import Starlette
from covet.starlette.routing import Route, WebSocketRoute
from covet.testclient import TestClient
from covet.types import Message
from covet.websockets import WebSocket

name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="unset")


async def thread(request: Request) -> Response:
    return JSONResponse([threading.get_ident(), name.get()])


def test_a_loop_lives_for_a_request_or_for_the_client(client_for: Any) -> None:
    loops: list[Any] = []

    async def remember(request: Request) -> Response:
        loops.append(anyio.lowlevel.current_token())
        return Response()

    client = client_for(Starlette(routes=[Route("/", remember)]))
    client.get("/")
    client.get("/")
    with client:
        client.get("/")
        client.get("/")
    first, second, third, fourth = loops
    assert first != second
    assert second != third
    assert third == fourth


def test_values_of_the_context_go_into_the_application(client_for: Any) -> None:
    client = client_for(Starlette(routes=[Route("/", thread)]))
    token = name.set("set")
    try:
        assert client.get("/").json()[1] == "set"
        with client:
            assert client.get("/").json()[1] == "set"
    finally:
        name.reset(token)


def test_the_threads_own_loop_is_left_alone() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        assert TestClient(Starlette(routes=[Route("/", thread)])).get("/").status_code == 200
        assert asyncio.get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@pytest.mark.anyio
async def test_a_client_works_inside_of_a_loop() -> None:
    client = TestClient(Starlette(routes=[Route("/", thread)]))
    assert client.get("/").json()[0] != threading.get_ident()


def test_tasks_and_generators_end_with_the_loop() -> None:
    ended: list[str] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("task")

    async def pieces() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            ended.append("generator")

    kept: list[Any] = []

    async def endpoint(request: Request) -> Response:
        kept.append(asyncio.ensure_future(linger()))
        kept.append(pieces())
        await anext(kept[-1])
        await asyncio.sleep(0)
        return Response()

    TestClient(Starlette(routes=[Route("/", endpoint)])).get("/")
    assert sorted(ended) == ["generator", "task"]


def test_loops_can_be_chosen() -> None:
    made: list[Any] = []

    def factory() -> asyncio.AbstractEventLoop:
        made.append(asyncio.new_event_loop())
        return made[-1]  # type: ignore[no-any-return]

    app = Starlette(routes=[Route("/", thread)])
    TestClient(app, backend_options={"loop_factory": factory}).get("/")
    assert len(made) == 1
    assert TestClient(app, backend_options={"debug": True}).get("/").status_code == 200


def test_a_stream_begins_before_the_application_ends(client_for: Any) -> None:
    going = threading.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        await anyio.to_thread.run_sync(going.wait, 5)
        yield b"two"

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(pieces())

    client = client_for(Starlette(routes=[Route("/", endpoint)]))
    with client.stream("GET", "/") as response:
        chunks = response.iter_raw()
        assert next(chunks) == b"one"
        going.set()
        assert list(chunks) == [b"two"]
    going.set()
    assert client.get("/").content == b"onetwo"
    assert client.head("/").content == b""


@pytest.mark.parametrize("enter", [lambda client: client, closing])
def test_an_unread_stream_is_cancelled_with_its_client(client_for: Any, enter: Any) -> None:
    cancelled = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    client = client_for(app)
    with enter(client):
        client.send(client.build_request("GET", "/"), stream=True)
    assert cancelled.wait(5)


def test_a_stream_without_a_response(client_for: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("early")

    with pytest.raises(ValueError, match="early"), client_for(app).stream("GET", "/"):
        pass
    with client_for(app, raise_server_exceptions=False).stream("GET", "/") as response:
        assert response.status_code == 500

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    error = "did not receive any response"
    with pytest.raises(AssertionError, match=error):
        client_for(silent).get("/")
    with pytest.raises(AssertionError, match=error), client_for(silent).stream("GET", "/"):
        pass


def test_a_late_error_is_raised_when_the_stream_is_left(client_for: Any) -> None:
    async def fail() -> None:
        raise ValueError("late")

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("x", background=BackgroundTask(fail))

    client = client_for(Starlette(routes=[Route("/", endpoint)]))
    with pytest.raises(ValueError, match="late"):
        client.get("/")
    with pytest.raises(ValueError, match="late"), client.stream("GET", "/") as response:
        response.read()


def test_redirects_are_followed_unless_told(client_for: Any) -> None:
    app = Starlette(
        routes=[
            Route("/", lambda r: RedirectResponse("/there")),
            Route("/there", lambda r: PlainTextResponse("there")),
        ]
    )
    response = client_for(app).get("/")
    assert response.text == "there"
    assert [step.status_code for step in response.history] == [307]
    assert client_for(app, follow_redirects=False).get("/").status_code == 307


def test_cookies_are_kept(client_for: Any) -> None:
    async def endpoint(request: Request) -> Response:
        response = JSONResponse(request.cookies)
        response.set_cookie("a", "1")
        return response

    client = client_for(Starlette(routes=[Route("/", endpoint)]), cookies={"b": "2"})
    assert client.get("/").json() == {"b": "2"}
    assert client.get("/").json() == {"a": "1", "b": "2"}


def test_a_scope_is_complete(client_for: Any) -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await Response()(scope, receive, send)

    client = client_for(app, base_url="https://h:8443/base", root_path="/r", client=("c", 1))
    client.get("/é%20x?q=ü")
    assert seen["path"] == "/base/é x"
    assert seen["raw_path"] == b"/base/%C3%A9%20x"
    assert seen["query_string"] == b"q=%C3%BC"
    assert seen["server"] == ["h", 8443]
    assert (seen["scheme"], seen["root_path"], seen["client"]) == ("https", "/r", ("c", 1))
    assert (b"host", b"h:8443") in seen["headers"]
    assert (b"user-agent", b"testclient") in seen["headers"]
    client.get("/", headers=[(b"x-latin", "é".encode("latin-1"))])
    assert (b"x-latin", "é".encode()) in seen["headers"]


def test_a_request_without_a_host_gets_one(client_for: Any) -> None:
    async def endpoint(request: Request) -> Response:
        return JSONResponse(request.headers.getlist("host"))

    client = client_for(Starlette(routes=[Route("/", endpoint)]))
    request = client.build_request("GET", "/")
    del request.headers["host"]
    assert client.send(request).json() == ["testserver"]


def test_old_applications_are_wrapped(client_for: Any) -> None:
    def app(scope: Any) -> Any:
        async def instance(receive: Any, send: Any) -> None:
            await PlainTextResponse("two")(scope, receive, send)

        return instance

    class Awaited:
        def __init__(self, scope: Any, receive: Any, send: Any) -> None:
            self.call = PlainTextResponse("class")(scope, receive, send)

        def __await__(self) -> Any:
            return self.call.__await__()

    assert client_for(app).get("/").text == "two"
    assert client_for(Awaited).get("/").text == "class"


def test_a_timeout_means_nothing(client_for: Any) -> None:
    with pytest.warns(StarletteDeprecationWarning, match="You should not use the 'timeout' argument"):
        client_for(Starlette(routes=[Route("/", thread)])).get("/", timeout=1)


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([{"type": "http.response.body"}], "without"),
        ([{"type": "http.response.start", "status": 200}] * 2, "multiple"),
        (
            [
                {"type": "http.response.start", "status": 200},
                {"type": "http.response.body"},
                {"type": "http.response.body"},
            ],
            "after response completed",
        ),
        ([{"type": "http.response.trailers"}], "without declaring"),
    ],
)
def test_messages_out_of_order_are_errors(client_for: Any, messages: list[Message], error: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(dict(message))

    with pytest.raises(AssertionError, match=error):
        client_for(app).get("/")


def test_trailers_and_debugging_come_along(client_for: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.debug", "info": {"template": "t", "context": {}, "x": 1}})
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body", "body": b"x"})
        await send({"type": "http.response.trailers", "headers": [(b"a", b"b")], "more_trailers": True})
        await send({"type": "http.response.trailers"})

    response = client_for(app).get("/")
    assert response.extensions["http.response.trailers"] == [(b"a", b"b")]
    assert response.extensions["http.response.debug"]["x"] == 1
    assert (response.template, response.context) == ("t", {})


def test_the_end_of_a_response_is_received(client_for: Any) -> None:
    received: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        received.append((await receive())["type"])
        async with anyio.create_task_group() as group:

            async def wait() -> None:
                received.append((await receive())["type"])

            group.start_soon(wait)
            await anyio.sleep(0.01)
            await PlainTextResponse("x")(scope, receive, send)
        received.append((await receive())["type"])

    assert client_for(app).get("/").text == "x"
    assert received == ["http.request", "http.disconnect", "http.disconnect"]


def test_a_lifespan_that_stops_early(client_for: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await Response()(scope, receive, send)

    with client_for(app) as client:
        assert client.get("/").status_code == 200


def test_a_lifespan_that_fails_and_goes_on(client_for: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"), client_for(app):
        pass


def test_a_websocket_needs_a_websocket_route(client_for: Any) -> None:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, int]]:
        yield {"n": 1}

    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json(
            [websocket.state.n, websocket.scope["path"], websocket.scope["subprotocols"]]
        )

    client = client_for(Starlette(routes=[WebSocketRoute("/w", talk)], lifespan=lifespan))
    with client, client.websocket_connect("/w?a=b", subprotocols=["x", "y"]) as session:
        assert session.receive_json() == [1, "/w", ["x", "y"]]


def test_another_client_library_is_not_needed() -> None:
    assert issubclass(TestClient, httpx2.Client)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        import covet.testing.httpx_library  # noqa: F401
