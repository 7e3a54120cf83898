"""Dependencies with exits behind function middleware: natively the events are those of the ASGI stack.

The same application runs on two servers: natively, and with a class outermost that nobody knows, which makes
all of it an ASGI stack. Everything that happens is written into a log of the application's.
"""

import asyncio
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import anyio
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covet import BackgroundTasks, CovetPy, Depends, HTTPException, Request, Response
from covet.background import BackgroundTask
from covet.middleware.cors import CORSMiddleware
from covet.middleware.gzip import GZipMiddleware
from covet.responses import JSONResponse, PlainTextResponse, StreamingResponse
from covet.testclient import TestClient
from covet.testing.live import serve

CallNext = Callable[[Request], Awaitable[Response]]
APART = {"date", "server", "connection", "transfer-encoding"}
ORIGIN = "http://example.org"
WORD: ContextVar[str] = ContextVar("WORD", default="none")


class Teapot(Exception):
    """Answered by a handler of the application."""


class Foreign:
    """A pure ASGI class, around which nothing is a step of the engine's."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def make_app(*layers: str) -> CovetPy:
    """Make an application with these layers, outermost first; its log is `app.state.log`."""
    app = CovetPy()
    log: list[str] = []
    app.state.log = log
    for layer in reversed(layers):
        if layer == "cors":
            app.add_middleware(CORSMiddleware, allow_origins=[ORIGIN])
        elif layer == "gzip":
            app.add_middleware(GZipMiddleware, minimum_size=1)
        else:
            app.middleware("http")(meddling(layer, log))
    add_handlers(app, log)
    add_routes(app, log)
    return app


def meddling(name: str, log: list[str]) -> Any:
    """Return a middleware that does what the header `x-do` says."""

    async def meddle(request: Request, call_next: CallNext) -> Any:
        do = request.headers.get("x-do", "") if name == "function" else ""
        log.append(f"{name} in")
        if do == "refuse":
            return JSONResponse({"refused": True}, 403)
        if do == "fail":
            raise RuntimeError("before")
        try:
            with contextlib.ExitStack() as stack:
                if do == "timeout":
                    stack.enter_context(anyio.fail_after(5))
                answer = await call_next(request)
        except ValueError as error:
            log.append(f"{name} saw {error!r}")
            if do == "catch":
                return PlainTextResponse("caught", 500)
            raise
        log.append(f"{name} out")
        return await changed(do, answer, request, call_next, log)

    return meddle


async def changed(do: str, answer: Any, request: Request, call_next: CallNext, log: list[str]) -> Any:
    """Change the answer on its way out."""
    if do == "collect":
        body = b"".join([piece async for piece in answer.body_iterator])
        # Compressed bytes may differ.
        return Response("x" if "content-encoding" in answer.headers else body.upper(), answer.status_code)
    if do == "replace":
        pieces = answer.body_iterator

        async def again() -> AsyncIterator[bytes]:
            async for piece in pieces:
                log.append("piece")
                yield piece

        answer.body_iterator = again()
    elif do == "drop":
        return PlainTextResponse("dropped")
    elif do == "background":
        answer.background = BackgroundTask(write, log, "middleware's background")
    elif do == "twice":
        return await call_next(request)
    elif do == "fail-after":
        raise RuntimeError("after")
    answer.headers["x-meddled"] = do
    return answer


async def write(log: list[str], word: str) -> None:
    """Write from the loop, with what the context holds."""
    log.append(f"{word} {WORD.get()}")


def add_handlers(app: CovetPy, log: list[str]) -> None:
    """Let the log tell what was handled and what was not."""

    @app.exception_handler(Teapot)
    async def brew(request: Request, exc: Exception) -> Any:
        log.append(f"brewing {WORD.get()}")
        return PlainTextResponse("short and stout", 418, background=BackgroundTask(write, log, "brewed"))

    @app.exception_handler(LookupError)
    async def stream(request: Request, exc: Exception) -> Any:
        return StreamingResponse(iter(["not ", "found"]), 404)

    @app.exception_handler(Exception)
    async def report(request: Request, exc: Exception) -> Any:
        log.append(f"unhandled {exc!r}")
        return PlainTextResponse("broken", 500)


def dependencies(log: list[str]) -> dict[str, Any]:
    """Return dependencies with exits by name; each writes when it is opened and closed, and what it saw."""

    async def session() -> AsyncIterator[str]:
        WORD.set("session's")
        log.append("open session")
        try:
            yield "session"
        except BaseException as error:
            log.append(f"session saw {type(error).__name__}")
            raise
        finally:
            log.append(f"close session {WORD.get()}")

    def threaded(above: str = Depends(session)) -> Iterator[str]:
        log.append("open threaded")
        try:
            yield f"{above}, threaded"
        finally:
            log.append("close threaded")

    async def slow() -> AsyncIterator[str]:
        log.append("open slow")
        await asyncio.sleep(0)
        try:
            yield "slow"
        finally:
            await asyncio.sleep(0.001)
            log.append("close slow")

    async def grouped() -> AsyncIterator[str]:
        log.append("open grouped")
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 0.001)
                yield "grouped"
        finally:
            log.append("close grouped")

    def failing(error: Exception) -> Any:
        async def fail() -> AsyncIterator[str]:
            log.append("open failing")
            try:
                yield "failing"
                raise error
            finally:
                log.append("close failing")

        return fail

    async def translating() -> AsyncIterator[str]:
        log.append("open translating")
        try:
            yield "translating"
        except ValueError as error:
            raise HTTPException(409, "translated") from error
        finally:
            log.append("close translating")

    async def swallowing() -> AsyncIterator[str]:
        log.append("open swallowing")
        try:
            with contextlib.suppress(ValueError):
                yield "swallowing"
        finally:
            log.append("close swallowing")

    return {
        "session": Depends(session),
        "function": Depends(session, scope="function"),
        "threaded": Depends(threaded),
        "slow": Depends(slow),
        "grouped": Depends(grouped),
        "late-error": Depends(failing(ValueError("late"))),
        "late-teapot": Depends(failing(Teapot())),
        "late-http-error": Depends(failing(HTTPException(400, "late"))),
        "early-http-error": Depends(failing(HTTPException(400, "early")), scope="function"),
        "translating": Depends(translating),
        "swallowing": Depends(swallowing),
    }


def add_routes(app: CovetPy, log: list[str]) -> None:
    """Add `/{dependency}/{ending}` for each dependency and each way a handler ends."""
    for name, session in dependencies(log).items():
        add_endings(app, log, name, session)


def add_endings(app: CovetPy, log: list[str], name: str, given: Any) -> None:
    @app.get(f"/{name}/value")
    async def value(word: str = given, number: int = 0) -> Any:
        return {"word": word, "number": number}

    @app.get(f"/{name}/sync")
    def sync(word: str = given) -> Any:
        return word

    @app.get(f"/{name}/tasks")
    async def tasks(later: BackgroundTasks, word: str = given) -> Any:
        later.add_task(write, log, "task")
        return word

    @app.get(f"/{name}/response")
    async def response(word: str = given) -> Any:
        return PlainTextResponse(word, background=BackgroundTask(write, log, "own"))

    @app.get(f"/{name}/stream")
    async def stream(request: Request, word: str = given) -> Any:
        async def pieces() -> AsyncIterator[str]:
            for piece in (word, WORD.get(), request.url.path):
                log.append(f"sends {piece}")
                yield piece

        return StreamingResponse(pieces(), background=BackgroundTask(write, log, "stream's"))

    @app.get(f"/{name}/broken-stream")
    async def broken_stream(word: str = given) -> Any:
        async def pieces() -> AsyncIterator[str]:
            yield word
            raise Teapot

        return StreamingResponse(pieces())

    for ending, error in {
        "error": ValueError("unhandled"),
        "http-error": HTTPException(403, "handled"),
        "teapot": Teapot(),
        "lookup": KeyError("x"),
    }.items():
        add_failing(app, f"/{name}/{ending}", given, error)

    @app.get(f"/{name}/refused", response_model=int)
    async def refused(word: str = given) -> Any:
        return word


def add_failing(app: CovetPy, path: str, given: Any, error: Exception) -> None:
    @app.get(path)
    async def fail(word: str = given) -> Any:
        raise error


STACKS = [("function",), ("function", "cors", "gzip"), ("cors", "inner", "gzip", "function")]
DEEDS = [
    "nothing",
    "refuse",
    "fail",
    "timeout",
    "collect",
    "replace",
    "drop",
    "background",
    "twice",
    "fail-after",
    "catch",
]
ENDINGS = ["value", "sync", "tasks", "response", "stream", "broken-stream", "error", "http-error", "teapot"]
ENDINGS += ["lookup", "refused", "value?number=x"]


class Ways:
    """The same application on two servers: in steps, and as an ASGI stack."""

    def __init__(self, number: int, clients: list[httpx2.Client], logs: list[list[str]]) -> None:
        self.number, self.clients, self.logs = number, clients, logs

    def assert_same(self, path: str, headers: dict[str, str]) -> None:
        """Ask both; status, fields, body and events are the same."""
        for log in self.logs:
            log.clear()
        one, other = (told(client, path, headers) for client in self.clients)
        assert one == other
        until(lambda: all(map(is_settled, self.logs)) and self.logs[0] == self.logs[1])
        assert self.logs[0] == self.logs[1]
        assert all(map(is_settled, self.logs))


def told(client: httpx2.Client, path: str, headers: dict[str, str]) -> Any:
    """Return what a client sees."""
    answer = client.get(path, headers=headers)
    # The engine and Python's zlib need not compress to the same bytes.
    apart = APART | {"content-length"} if "content-encoding" in answer.headers else APART
    fields = sorted((name, value) for name, value in answer.headers.multi_items() if name not in apart)
    return answer.status_code, fields, answer.content


def is_settled(log: list[str]) -> bool:
    """Tell whether everything that was opened has been closed."""
    opened, closed = ([x for x in log if x.startswith(word)] for word in ("open", "close"))
    return len(opened) == len(closed)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what happens after an answer, two seconds at most."""
    end = time.monotonic() + 2
    while not is_so() and time.monotonic() < end:
        time.sleep(0.001)


@pytest.fixture(scope="module", params=STACKS, ids="-".join)
def ways(request: pytest.FixtureRequest) -> Iterator[Ways]:
    """The application with each stack, on both servers."""
    apps = make_app(*request.param), make_app(*request.param)
    apps[1].add_middleware(Foreign)
    with contextlib.ExitStack() as context:
        urls = [context.enter_context(serve(app)) for app in apps]
        clients = [context.enter_context(httpx2.Client(base_url=url, timeout=10)) for url in urls]
        yield Ways(STACKS.index(request.param), clients, [app.state.log for app in apps])


PAIRS = list(enumerate(itertools.product(dependencies([]), DEEDS)))


@pytest.mark.parametrize("turn", range(2))
@pytest.mark.parametrize(("number", "pair"), PAIRS, ids=["-".join(pair) for _, pair in PAIRS])
def test_answers_and_events_are_the_same(ways: Ways, number: int, pair: tuple[str, str], turn: int) -> None:
    # Each pair meets two endings with each stack, others with the next: all of them would take minutes.
    (dependency, do), place = pair, 2 * ways.number + turn
    ending = ENDINGS[(number + 5 * place) % len(ENDINGS)]
    ways.assert_same(f"/{dependency}/{ending}", {"x-do": do, "origin": ORIGIN})


def events(app: CovetPy, path: str, do: str = "nothing") -> tuple[int, list[str]]:
    """Ask an application on a server; return the status and everything that happened."""
    log: list[str] = app.state.log
    log.clear()
    with serve(app) as url:
        status = httpx2.get(f"{url}{path}", headers={"x-do": do}).status_code
    return status, log


def test_exits_run_after_background_tasks_and_those_of_the_function_scope_before_the_answer() -> None:
    app = make_app("function")
    assert events(app, "/session/tasks") == (
        200,
        ["function in", "open session", "function out", "task session's", "close session session's"],
    )
    assert events(app, "/function/tasks")[1][:3] == ["function in", "open session", "close session session's"]


def test_an_error_in_an_exit_is_answered_only_before_the_answer() -> None:
    app = make_app("function")
    assert events(app, "/early-http-error/value")[0] == 400
    status, log = events(app, "/late-error/value")
    assert (status, log[-1]) == (200, "unhandled ValueError('late')")


def test_the_engine_makes_no_scope_for_a_plan_with_exits() -> None:
    app, log = CovetPy(), []
    session = dependencies([])["session"]

    @app.middleware("http")
    async def look(request: Request, call_next: CallNext) -> Response:
        answer: Any = await call_next(request)
        log.append(("scope" in vars(request), type(answer.body_iterator).__name__))
        return answer

    @app.get("/{number}")
    async def get(number: int, given: str = session) -> Any:
        if number == 0:
            raise Teapot
        return number

    @app.exception_handler(Teapot)
    async def brew(request: Request, exc: Exception) -> Any:
        return PlainTextResponse("tea", 418)

    with serve(app) as url:
        assert [httpx2.get(f"{url}/{number}").status_code for number in (7, 0)] == [200, 418]
    # What a handler answers is sent by the engine too.
    assert log == [(False, "NativeBody"), (False, "NativeBody")]


def test_the_client_has_its_answer_while_an_exit_still_waits() -> None:
    app, log, gate = CovetPy(), [], asyncio.Event()

    @app.middleware("http")
    async def pass_on(request: Request, call_next: CallNext) -> Response:
        return await call_next(request)

    async def waiting() -> AsyncIterator[None]:
        yield
        await gate.wait()
        log.append("exit")

    @app.get("/")
    async def get(_: None = Depends(waiting)) -> int:
        return 1

    @app.get("/open")
    async def open_() -> None:
        log.append("asked")
        gate.set()

    with serve(app) as url:
        assert httpx2.get(url).json() == 1
        httpx2.get(f"{url}/open")
    # A drain waits for exits.
    assert log == ["asked", "exit"]


def test_a_timeout_around_the_endpoint_reaches_its_dependencies() -> None:
    app, log = CovetPy(), []

    @app.middleware("http")
    async def limit(request: Request, call_next: CallNext) -> Response:
        with anyio.move_on_after(0.02):
            return await call_next(request)
        return PlainTextResponse("late", 504)

    @app.get("/")
    async def get(given: str = dependencies(log)["session"]) -> None:
        await anyio.sleep(10)

    with serve(app) as url:
        assert httpx2.get(url).status_code == 504
    assert log == ["open session", "session saw CancelledError", "close session session's"]


@pytest.mark.parametrize(("cancels", "seen"), [(True, ["session saw CancelledError"]), (False, ["went on"])])
def test_a_client_that_leaves_ends_the_request_only_where_the_server_says_so(
    cancels: bool, seen: list[str]
) -> None:
    app, log, begun = CovetPy(), [], threading.Event()

    @app.middleware("http")
    async def pass_on(request: Request, call_next: CallNext) -> Response:
        return await call_next(request)

    @app.get("/")
    async def get(given: str = dependencies(log)["session"]) -> None:
        begun.set()
        await anyio.sleep(0.1)
        log.append("went on")

    with serve(app, cancel_on_disconnect=cancels) as url:
        with socket.create_connection(("127.0.0.1", httpx2.URL(url).port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert begun.wait(5)
        until(lambda: len(log) > 2)
    assert log == ["open session", *seen, "close session session's"]


def test_an_early_answer_of_native_middleware_behind_a_step_opens_nothing() -> None:
    app, log = CovetPy(), []
    app.add_middleware(CORSMiddleware, allow_origins=[ORIGIN])

    @app.middleware("http")
    async def pass_on(request: Request, call_next: CallNext) -> Response:
        return await call_next(request)

    @app.options("/")
    async def options(given: str = dependencies(log)["session"]) -> None:
        log.append("called")

    with serve(app) as url:
        asked = {"origin": ORIGIN, "access-control-request-method": "GET"}
        assert httpx2.options(url, headers=asked).text == "OK"
    assert log == []


def test_tasks_of_a_factory_of_the_user_are_used_for_exits_too() -> None:
    app, made = CovetPy(), []

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        def factory(loop: Any, coroutine: Any, **options: Any) -> Any:
            made.append(coroutine.__qualname__)
            return asyncio.Task(coroutine, loop=loop, **options)

        asyncio.get_running_loop().set_task_factory(factory)
        yield

    app.router.lifespan_context = lifespan

    @app.middleware("http")
    async def pass_on(request: Request, call_next: CallNext) -> Response:
        return await call_next(request)

    @app.get("/")
    async def get(given: str = dependencies([])["slow"]) -> str:
        return given

    with serve(app) as url:
        assert httpx2.get(url).json() == "slow"
    assert "PlanTask._run" in made


REQUESTS = st.tuples(
    st.sampled_from(list(dependencies([]))), st.sampled_from(ENDINGS), st.sampled_from(DEEDS)
)
LAYERS = st.lists(st.sampled_from(["cors", "gzip", "function", "inner"]), max_size=4)


@settings(max_examples=15, deadline=None)
@given(layers=LAYERS, place=st.integers(0, 4), requests=st.lists(REQUESTS, min_size=5, max_size=10))
def test_random_stacks_answer_through_both_doors_alike(
    layers: list[str], place: int, requests: list[tuple[str, str, str]]
) -> None:
    layers.insert(place, "function")
    socket_door, asgi_door = make_app(*layers), make_app(*layers)
    with (
        serve(socket_door) as url,
        httpx2.Client(base_url=url, timeout=10) as client,
        TestClient(asgi_door, raise_server_exceptions=False) as other,
    ):
        ways = Ways(0, [client, other], [socket_door.state.log, asgi_door.state.log])
        for dependency, ending, do in requests:
            ways.assert_same(f"/{dependency}/{ending}", {"x-do": do, "origin": ORIGIN})
