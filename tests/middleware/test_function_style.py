"""`dispatch(request, call_next)`: the same answers in one task, in two, under asyncio and under trio.

`known` is a chain that stays in one task, `foreign` has a class in between that nobody knows.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import anyio
import pytest

from covet.background import BackgroundTask
from covet.middleware.base import BaseHTTPMiddleware
from covet.middleware.cors import CORSMiddleware
from covet.middleware.gzip import GZipMiddleware
from covet.middleware.isolation import runs_in_task
from covet.requests import ClientDisconnect, Request
from covet.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from covet.starlette.applications import Starlette
from covet.starlette.middleware import Middleware
from covet.starlette.routing import Mount, Route
from covet.types import Message

CallNext = Callable[[Request], Awaitable[Response]]
Dispatch = Callable[[Request, CallNext], Awaitable[Response]]


class Foreign:
    """A plain ASGI middleware, which makes everything around it run in two tasks."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(params=["known", "foreign"])
def app_with(request: pytest.FixtureRequest) -> Callable[..., Starlette]:
    """Make an application of routes inside function middleware, in one task or in two."""

    def make(*dispatches: Dispatch, routes: list[Any], **options: Any) -> Starlette:
        middleware = [Middleware(BaseHTTPMiddleware, dispatch=dispatch) for dispatch in dispatches]
        if request.param == "foreign":
            middleware.append(Middleware(Foreign))
        return Starlette(routes=routes, middleware=middleware, **options)

    return make


async def passthrough(request: Request, call_next: CallNext) -> Response:
    return await call_next(request)


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


def test_a_response_is_changed(client_for: Any, app_with: Any) -> None:
    async def mark(request: Request, call_next: CallNext) -> Response:
        response = await call_next(request)
        response.headers["x-mark"] = request.url.path
        response.status_code = 201
        return response

    response = client_for(app_with(mark, passthrough, routes=[Route("/a", hello)])).get("/a")
    assert (response.status_code, response.headers["x-mark"], response.text) == (201, "/a", "hello")


def test_an_answer_needs_no_application(client_for: Any, app_with: Any) -> None:
    async def refuse(request: Request, call_next: CallNext) -> Response:
        return PlainTextResponse("no", 403)

    assert client_for(app_with(refuse, routes=[])).get("/").status_code == 403


def test_a_response_may_be_dropped(client_for: Any, app_with: Any) -> None:
    done: list[str] = []

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("dropped", background=BackgroundTask(done.append, "background"))

    async def replace(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        return PlainTextResponse("own")

    assert client_for(app_with(replace, routes=[Route("/", endpoint)])).get("/").text == "own"
    assert done == ["background"]


def test_a_body_is_replaced(client_for: Any, app_with: Any) -> None:
    async def shout(request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        pieces = response.body_iterator

        async def louder() -> AsyncIterator[bytes]:
            async for piece in pieces:
                yield piece.upper()

        response.body_iterator = louder()
        return response  # type: ignore[no-any-return]

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(iter(["a", "b"]))

    assert client_for(app_with(shout, routes=[Route("/", endpoint)])).get("/").text == "AB"


@pytest.mark.parametrize("how", ["body", "stream", "nothing", "assigned", "part"])
def test_a_body_is_read_above_and_below(client_for: Any, app_with: Any, how: str) -> None:
    async def read(request: Request, call_next: CallNext) -> Response:
        if how == "body":
            await request.body()
        elif how == "assigned":
            request._body = b"other"
        elif how in ("stream", "part"):
            async with aclosing(request.stream()) as stream:
                async for _ in stream:
                    if how == "part":
                        break
        return await call_next(request)

    async def endpoint(request: Request) -> Response:
        return Response(await request.body())

    client = client_for(app_with(read, routes=[Route("/", endpoint, methods=["POST"])]))
    expected = {"body": b"x", "nothing": b"x", "assigned": b"other"}.get(how, b"")
    assert client.post("/", content=b"x").content == expected


@pytest.mark.parametrize("raise_server_exceptions", [True, False])
def test_an_error_below_is_seen_above(client_for: Any, app_with: Any, raise_server_exceptions: bool) -> None:
    seen: list[Exception] = []

    async def watch(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except Exception as exc:
            seen.append(exc)
            raise

    async def endpoint(request: Request) -> Response:
        raise ValueError("below") from KeyError("cause")

    app = app_with(watch, routes=[Route("/", endpoint)])
    client = client_for(app, raise_server_exceptions=raise_server_exceptions)
    if raise_server_exceptions:
        with pytest.raises(ValueError, match="below") as raised:
            client.get("/")
        assert isinstance(raised.value.__cause__, KeyError)
    else:
        assert client.get("/").status_code == 500
    assert [str(exc) for exc in seen] == ["below"]


def test_an_error_becomes_an_answer(client_for: Any, app_with: Any) -> None:
    async def answer(request: Request, call_next: CallNext) -> Response:
        try:
            return await call_next(request)
        except ValueError:
            return PlainTextResponse("caught")

    async def endpoint(request: Request) -> Response:
        raise ValueError

    assert client_for(app_with(answer, routes=[Route("/", endpoint)])).get("/").text == "caught"


def test_an_error_in_the_middle_of_a_body_comes_last(client_for: Any, app_with: Any) -> None:
    async def broken() -> AsyncIterator[str]:
        yield "begun"
        raise ValueError("broken")

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(broken())

    app = app_with(passthrough, routes=[Route("/", endpoint)])
    assert client_for(app, raise_server_exceptions=False).get("/").text == "begun"
    with pytest.raises(ValueError, match="broken"):
        client_for(app).get("/")


def test_an_error_above_stops_what_is_below(client_for: Any, app_with: Any) -> None:
    stopped: list[bool] = []

    async def fail(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        raise ValueError("above")

    async def endpoint(request: Request) -> Response:
        async def pieces() -> AsyncIterator[str]:
            try:
                while True:
                    yield "x"
            finally:
                stopped.append(True)

        return StreamingResponse(pieces())

    with pytest.raises(ValueError, match="above"):
        client_for(app_with(fail, routes=[Route("/", endpoint)])).get("/")


def test_no_response_is_an_error(client_for: Any) -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    for app in (silent, Starlette(routes=[Mount("/", app=silent)])):
        with pytest.raises(RuntimeError, match="No response returned"):
            client_for(BaseHTTPMiddleware(app, passthrough)).get("/")


def test_a_timeout_around_the_application(client_for: Any, app_with: Any) -> None:
    async def limit(request: Request, call_next: CallNext) -> Response:
        with anyio.move_on_after(0.02):
            return await call_next(request)
        return PlainTextResponse("late", 504)

    async def slow(request: Request) -> Response:
        await anyio.sleep(0.1)
        return PlainTextResponse("done")

    client = client_for(app_with(limit, routes=[Route("/", hello), Route("/slow", slow)]))
    assert client.get("/").text == "hello"
    assert client.get("/slow").status_code == 504


def test_scopes_and_groups_work_below_and_above(client_for: Any, app_with: Any) -> None:
    async def wrap(request: Request, call_next: CallNext) -> Response:
        with anyio.fail_after(5):
            async with anyio.create_task_group():
                return await call_next(request)

    async def endpoint(request: Request) -> Response:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.001)
        with anyio.fail_after(5):
            return PlainTextResponse(await anyio.to_thread.run_sync(str, 1))

    assert client_for(app_with(wrap, routes=[Route("/", endpoint)])).get("/").text == "1"


def test_a_foreign_application_below_has_a_task_of_its_own(client_for: Any, app_with: Any) -> None:
    async def raw(scope: Any, receive: Any, send: Any) -> None:
        async with anyio.create_task_group() as group:

            async def respond() -> None:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"a", "more_body": True})
                await send({"type": "http.response.body", "body": b"b"})
                group.cancel_scope.cancel()

            group.start_soon(respond)
            while (await receive())["type"] != "http.disconnect":
                pass

    async def limit(request: Request, call_next: CallNext) -> Response:
        with anyio.fail_after(5):
            return await call_next(request)

    app = app_with(limit, passthrough, routes=[Mount("/raw", app=raw)])
    assert client_for(app).get("/raw").text == "ab"


def test_an_error_of_a_foreign_application(client_for: Any, app_with: Any) -> None:
    async def raw(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("raw")

    async def bad_response(request: Request) -> Response:
        class Bad(Response):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                raise ValueError("bad")

        return Bad()

    app = app_with(passthrough, routes=[Mount("/raw", app=raw), Route("/bad", bad_response)])
    for path in ("raw", "bad"):
        with pytest.raises(ValueError, match=path):
            client_for(app).get(f"/{path}")


def test_files_pass(client_for: Any, app_with: Any, tmp_path: Any) -> None:
    file = tmp_path / "f.txt"
    file.write_text("x" * 100_000)

    async def endpoint(request: Request) -> Response:
        return FileResponse(file)

    assert len(client_for(app_with(passthrough, routes=[Route("/", endpoint)])).get("/").content) == 100_000


def test_known_middleware_in_between(client_for: Any) -> None:
    middleware = [
        Middleware(BaseHTTPMiddleware, dispatch=passthrough),
        Middleware(CORSMiddleware, allow_origins=["*"]),
        Middleware(GZipMiddleware, minimum_size=1),
        Middleware(BaseHTTPMiddleware, dispatch=passthrough),
    ]
    app = Starlette(routes=[Route("/", hello)], middleware=middleware)
    response = client_for(app).get("/", headers={"origin": "http://o"})
    assert response.text == "hello"
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["access-control-allow-origin"] == "*"


def test_what_is_known_is_told() -> None:
    inner: Any = Starlette(routes=[]).build_middleware_stack()
    inner = inner.app  # past the outermost, which is never below another
    assert runs_in_task(inner)
    assert runs_in_task(CORSMiddleware(inner))
    assert not runs_in_task(Foreign(inner))

    class Other(CORSMiddleware):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await super().__call__(scope, receive, send)

    assert not runs_in_task(Other(inner))


def test_a_replaced_call_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    async def traced(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    monkeypatch.setattr(CORSMiddleware, "__call__", traced)
    assert not runs_in_task(CORSMiddleware(Starlette().build_middleware_stack()))


def test_other_scopes_pass(client_for: Any, app_with: Any) -> None:
    async def never(request: Request, call_next: CallNext) -> Response:
        raise AssertionError

    with client_for(app_with(never, routes=[])):
        pass


def test_dispatch_must_be_written(client_for: Any) -> None:
    with pytest.raises(NotImplementedError):
        client_for(BaseHTTPMiddleware(hello)).get("/")


def test_a_class_overrides_dispatch(client_for: Any) -> None:
    class Teapot(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: CallNext) -> Response:
            response = await call_next(request)
            response.status_code = 418
            return response

    app = Starlette(routes=[Route("/", hello)], middleware=[Middleware(Teapot)])
    assert client_for(app).get("/").status_code == 418


def test_values_of_the_context_go_down(client_for: Any, app_with: Any) -> None:
    name = contextvars.ContextVar("name", default="")

    async def bind(request: Request, call_next: CallNext) -> Response:
        name.set("bound")
        return await call_next(request)

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(name.get() + await anyio.to_thread.run_sync(name.get))

    assert client_for(app_with(bind, routes=[Route("/", endpoint)])).get("/").text == "boundbound"


def scope_of(**more: Any) -> dict[str, Any]:
    base = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    return {**base, "asgi": {"spec_version": "2.4"}, **more}


@pytest.mark.anyio
async def test_background_work_waits_for_the_response(app_with: Any) -> None:
    events: list[str] = []

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("x", background=BackgroundTask(events.append, "background"))

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        await anyio.sleep(0.001)
        events.append(message["type"])

    app = app_with(passthrough, passthrough, routes=[Route("/", endpoint)])
    await app(scope_of(), receive, send)
    assert events == ["http.response.start", "http.response.body", "http.response.body", "background"]


@pytest.mark.anyio
async def test_our_own_server_gets_a_body_in_one_piece() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    app = Starlette(
        routes=[Route("/", hello)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=passthrough)]
    )
    await app(scope_of(extensions={"covet.door": {}}), receive, send)
    bodies = [message for message in sent if message["type"] == "http.response.body"]
    one_task = [{"type": "http.response.body", "body": b"hello"}]
    try:
        asyncio.current_task()
        assert bodies == one_task
    except RuntimeError:
        assert len(bodies) == 2


@pytest.mark.anyio
async def test_hints_pass_before_the_response(app_with: Any) -> None:
    sent: list[str] = []

    async def endpoint(request: Request) -> Response:
        await request.send_early_hints("</a>")
        return PlainTextResponse("x")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    app = app_with(passthrough, routes=[Route("/", endpoint)])
    await app(scope_of(extensions={"http.response.early_hint": {}}), receive, send)
    assert sent[:2] == ["http.response.early_hint", "http.response.start"]


@pytest.mark.anyio
async def test_a_client_that_left_is_seen_below(app_with: Any) -> None:
    seen: list[str] = []

    async def endpoint(request: Request) -> Response:
        try:
            await request.body()
        except ClientDisconnect:
            seen.append("left")
        return PlainTextResponse("x")

    async def look(request: Request, call_next: CallNext) -> Response:
        assert await request.is_disconnected()
        return await call_next(request)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    app = app_with(look, routes=[Route("/", endpoint, methods=["GET"])])
    await app(scope_of(), receive, send)
    assert seen == ["left"]


@pytest.mark.anyio
async def test_the_application_is_told_of_the_end(app_with: Any) -> None:
    received: list[str] = []

    async def watch(request: Request) -> None:
        received.append((await request.receive())["type"])
        received.append((await request.receive())["type"])

    async def endpoint(request: Request) -> Response:
        await request.body()
        return PlainTextResponse("x", background=BackgroundTask(watch, request))

    messages: list[Message] = [{"type": "http.request"}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        pass

    with anyio.fail_after(5):
        await app_with(passthrough, routes=[Route("/", endpoint)])(scope_of(), receive, send)
    assert received == ["http.disconnect"] * 2


@pytest.mark.anyio
async def test_a_cancelled_request_cancels_what_is_below(app_with: Any) -> None:
    ended: list[str] = []

    async def endpoint(request: Request) -> Response:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("below")
        raise AssertionError

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        raise AssertionError

    with anyio.move_on_after(0.02):
        await app_with(passthrough, routes=[Route("/", endpoint)])(scope_of(), receive, send)
    assert ended == ["below"]


@pytest.mark.anyio
async def test_a_sender_that_fails_stops_what_is_below(app_with: Any) -> None:
    ended: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
                await anyio.sleep(0)
        finally:
            ended.append("below")

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(pieces())

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("lost")

    with pytest.raises(OSError, match="lost"), anyio.fail_after(5):
        await app_with(passthrough, routes=[Route("/", endpoint)])(scope_of(), receive, send)


@pytest.mark.anyio
async def test_a_second_call_runs_the_application_again() -> None:
    calls: list[int] = []

    async def endpoint(request: Request) -> Response:
        calls.append(1)
        return JSONResponse(len(calls))

    async def twice(request: Request, call_next: CallNext) -> Response:
        await call_next(request)
        return await call_next(request)

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    app = Starlette(
        routes=[Route("/", endpoint)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=twice)]
    )
    try:
        asyncio.current_task()
    except RuntimeError:
        pytest.skip("under trio the application has a task of its own and runs once")
    await app(scope_of(), receive, send)
    assert sent[1]["body"] == b"2"


@pytest.mark.anyio
async def test_what_debuggers_are_told_passes(app_with: Any) -> None:
    class Telling(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.debug", "info": {"a": 1}})
            await super().__call__(scope, receive, send)

    async def endpoint(request: Request) -> Response:
        return Telling("x")

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app_with(passthrough, routes=[Route("/", endpoint)])(scope_of(), receive, send)
    assert sent[0] == {"type": "http.response.debug", "info": {"a": 1}}


@pytest.mark.anyio
async def test_a_handler_that_answers_by_hand(app_with: Any) -> None:
    class Done(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            pass

    async def endpoint(request: Request) -> Response:
        await request._send({"type": "http.response.start", "status": 202, "headers": []})
        await request._send({"type": "http.response.body", "body": b"by hand"})
        return Done()

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app_with(passthrough, routes=[Route("/", endpoint)])(scope_of(), receive, send)
    assert [message.get("body") for message in sent[1:]] == [b"by hand", b""]


@pytest.mark.anyio
@pytest.mark.parametrize("touched", [True, False])
async def test_the_server_sends_a_file(app_with: Any, tmp_path: Any, touched: bool) -> None:
    file = tmp_path / "f.txt"
    file.write_text("x")

    async def endpoint(request: Request) -> Response:
        return FileResponse(file)

    async def look(request: Request, call_next: CallNext) -> Response:
        response: Any = await call_next(request)
        if touched:
            pieces = response.body_iterator
            response.body_iterator = (piece async for piece in pieces)
        return response  # type: ignore[no-any-return]

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = scope_of(extensions={"http.response.pathsend": {}, "covet.door": {}})
    await app_with(look, routes=[Route("/", endpoint)])(scope, receive, send)
    assert [message["type"].rpartition(".")[2] for message in sent] == ["start", "pathsend"]


def test_a_request_that_is_dropped_closes_what_is_below() -> None:
    ended: list[str] = []

    async def endpoint(request: Request) -> Response:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("below")
        raise AssertionError

    async def nothing(*args: Any) -> Any:
        raise AssertionError

    app = Starlette(
        routes=[Route("/", endpoint)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=passthrough)]
    )

    async def drop() -> None:
        running = app(scope_of(), nothing, nothing)
        running.send(None)
        running.close()

    asyncio.run(drop())
    assert ended == ["below"]


def test_a_stream_that_breaks_is_ended_for_our_own_server(client_for: Any) -> None:
    async def broken() -> AsyncIterator[str]:
        yield "begun"
        raise ValueError("broken")

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(broken())

    app = Starlette(
        routes=[Route("/", endpoint)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=passthrough)]
    )

    async def door(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"]["covet.door"] = {}
        scope["asgi"] = {"spec_version": "2.4"}
        await app(scope, receive, send)

    assert client_for(door, raise_server_exceptions=False).get("/").text == "begun"
    with pytest.raises(ValueError, match="broken"):
        client_for(door).get("/")
