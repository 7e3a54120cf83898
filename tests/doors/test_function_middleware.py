"""Function middleware: the engine's steps answer as the ASGI stack on the same server, whatever it does."""

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

import httpx2
import pytest
from pydantic import BaseModel

from covet import BackgroundTasks, CovetPy, Depends, Header, HTTPException, Request, Response
from covet.background import BackgroundTask
from covet.middleware.base import BaseHTTPMiddleware
from covet.middleware.cors import CORSMiddleware
from covet.middleware.gzip import GZipMiddleware
from covet.responses import JSONResponse, PlainTextResponse, StreamingResponse
from covet.testing.live import serve

CallNext = Callable[[Request], Awaitable[Response]]
APART = {"date", "server", "connection", "transfer-encoding"}
ORIGIN = "http://example.org"
LONG = "long " * 400


class Order(BaseModel):
    """A body."""

    count: int


class Teapot(Exception):
    """Answered by a handler of the application."""


class Watch(BaseHTTPMiddleware):
    """A class instead of a function; it looks at the request before and at the scope afterwards."""

    async def dispatch(self, request: Request, call_next: CallNext) -> Response:
        if request.headers.get("x-watch") == "off":
            return await call_next(request)
        answer = await call_next(request)
        answer.headers["x-route"] = getattr(request.scope.get("route"), "path", "none")
        answer.headers["x-params"] = str(request.scope.get("path_params", {}))
        return answer


async def meddle(request: Request, call_next: CallNext) -> Any:
    """Do what the header `x-do` says."""
    do = request.headers.get("x-do", "")
    if do == "refuse":
        return JSONResponse({"refused": True}, 403, background=note(request, "refused"))
    if do == "fail":
        raise RuntimeError("before")
    if do == "http-error":
        raise HTTPException(409, "not an exception handler's business")
    await prepare(request, do)
    try:
        answer: Any = await call_next(request)
    except Teapot:
        raise
    except ValueError as error:
        if do == "catch":
            return PlainTextResponse(f"caught {error}", 500)
        raise
    return await finish(request, do, answer, call_next)


async def prepare(request: Request, do: str) -> None:
    """Change the request before it goes on."""
    if do == "add-header":
        request.scope["headers"].append((b"x-token", b"added"))
    elif do == "other-headers":
        request.scope["headers"] = [(b"x-token", b"other"), (b"accept", b"*/*")]
    elif do == "other-path":
        request.scope["path"] = "/plain"
    elif do == "other-method":
        request.scope["method"] = "DELETE"
    elif do == "read-body":
        await request.body()
    elif do == "assign-body":
        request._body = b'{"count": 99}'
    elif do == "stream-body":
        async for _ in request.stream():
            pass
    elif do == "state":
        request.state.word = "from above"


async def finish(request: Request, do: str, answer: Any, call_next: CallNext) -> Any:
    """Change the answer on its way out."""
    if do == "status":
        answer.status_code = 299
    elif do == "collect":
        body = b"".join([piece async for piece in answer.body_iterator])
        return Response(body.upper(), answer.status_code, media_type="text/x-collected")
    elif do == "replace-iterator":
        pieces = answer.body_iterator

        async def again() -> Any:
            async for piece in pieces:
                yield piece

        answer.body_iterator = again()
    elif do == "drop":
        return PlainTextResponse("dropped")
    elif do == "stream":
        return StreamingResponse(iter(["str", "eam"]))
    elif do == "background":
        answer.background = note(request, "answer's")
    elif do == "twice":
        return await call_next(request)
    elif do == "fail-after":
        raise RuntimeError("after")
    answer.headers["x-meddled"] = do or "nothing"
    return answer


def note(request: Request, word: str) -> BackgroundTask:
    """Write a word into the application's log, after the answer."""
    return BackgroundTask(write, request.app.state.log, word)


async def write(log: list[str], word: str) -> None:
    """Write in the loop's own thread."""
    log.append(word)


async def settings() -> str:
    """A dependency."""
    return "settings"


async def connection() -> Any:
    """A dependency with an exit."""
    yield "connection"


def make_app(*layers: str) -> CovetPy:
    """Make an application with these layers, outermost first."""
    app = CovetPy()
    app.state.log = []
    for layer in reversed(layers):
        if layer == "cors":
            app.add_middleware(CORSMiddleware, allow_origins=[ORIGIN], allow_methods=["*"])
        elif layer == "gzip":
            app.add_middleware(GZipMiddleware, minimum_size=1000)
        elif layer == "watch":
            app.add_middleware(Watch)
        elif layer == "foreign":
            app.add_middleware(Foreign)
        else:
            app.middleware("http")(meddle)
    add_routes(app)
    return app


def add_routes(app: CovetPy) -> None:
    """Add one route for each kind of handler and answer."""

    @app.get("/plain")
    async def plain(x_token: Annotated[str, Header()] = "none") -> Any:
        return {"token": x_token}

    @app.get("/sync/{number}")
    def sync(number: int, limit: int = 5, given: str = Depends(settings)) -> Any:
        return [number, limit, given]

    @app.get("/request")
    async def request_(request: Request) -> Any:
        return {"word": getattr(request.state, "word", None), "path": request.url.path}

    @app.get("/long", response_class=PlainTextResponse)
    async def long() -> Any:
        return LONG

    @app.get("/large", response_class=PlainTextResponse)
    async def large() -> Any:
        return LONG * 200

    @app.post("/order")
    async def order(order: Order) -> Order:
        return order

    @app.get("/response")
    async def response() -> Any:
        return PlainTextResponse(
            "own", headers={"x-own": "1"}, background=BackgroundTask(write, app.state.log, "own")
        )

    @app.get("/streams")
    async def streams() -> Any:
        return StreamingResponse(iter(["a", "b"]), media_type="text/plain")

    @app.get("/exits")
    async def exits(given: str = Depends(connection)) -> Any:
        return given

    @app.get("/tasks")
    async def tasks(later: BackgroundTasks) -> Any:
        later.add_task(write, app.state.log, "task")
        return "tasks"

    @app.get("/error")
    async def error() -> Any:
        raise ValueError("unhandled")

    @app.get("/http-error")
    async def http_error() -> Any:
        raise HTTPException(418, "handled", headers={"x-pot": "tea"})

    @app.get("/teapot")
    async def teapot() -> Any:
        raise Teapot

    @app.exception_handler(Teapot)
    async def brew(request: Request, exc: Exception) -> Any:
        return PlainTextResponse("short and stout", 418)


STACKS = [
    ("cors", "gzip"),
    ("cors", "foreign", "gzip", "function"),
    ("function",),
    ("function", "cors", "gzip"),
    ("cors", "function", "gzip"),
    ("cors", "gzip", "function", "watch"),
    ("watch", "gzip", "function"),
    ("gzip", "watch", "cors", "function"),
]
DOINGS = [
    "nothing",
    "refuse",
    "fail",
    "http-error",
    "add-header",
    "other-headers",
    "other-path",
    "other-method",
    "state",
    "status",
    "collect",
    "replace-iterator",
    "drop",
    "stream",
    "background",
    "twice",
    "fail-after",
    "catch",
]
PATHS = [
    "/plain",
    "/sync/3",
    "/sync/x",
    "/request",
    "/long",
    "/response",
    "/streams",
    "/exits",
    "/tasks",
    "/error",
    "/http-error",
    "/teapot",
    "/missing",
]
BODIES = ["nothing", "read-body", "assign-body", "stream-body"]


class Foreign:
    """A pure ASGI class, around which nothing is a step of the engine's."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Ways:
    """The same application on two servers: in steps, and as an ASGI stack."""

    def __init__(
        self, steps: httpx2.Client, steps_log: list[str], stack: httpx2.Client, stack_log: list[str]
    ) -> None:
        self.steps, self.steps_log, self.stack, self.stack_log = steps, steps_log, stack, stack_log
        # Headers that make a difference to some layer of the stack.
        self.more: list[dict[str, str]] = [{}]

    def assert_same(self, method: str, path: str, **request: Any) -> None:
        """Ask both; status, headers, body and what was logged are the same."""
        self.steps_log.clear()
        self.stack_log.clear()
        one = self.steps.request(method, path, **request)
        other = self.stack.request(method, path, **request)
        assert (one.status_code, fields(one), one.content) == (
            other.status_code,
            fields(other),
            other.content,
        )
        # Written after the answer, but before the server turns to its next request.
        self.steps.get("/plain")
        self.stack.get("/plain")
        assert self.steps_log == self.stack_log


def fields(answer: httpx2.Response) -> list[tuple[str, str]]:
    own = str(answer.request.url.copy_with(path="/", query=None))
    items = ((name, value.replace(own, "/")) for name, value in answer.headers.multi_items())
    return sorted((name, value) for name, value in items if name not in APART)


@pytest.fixture(scope="module", params=STACKS, ids="-".join)
def ways(request: pytest.FixtureRequest) -> Iterator[Ways]:
    """The application with each stack, on both servers."""
    steps, stack = make_app(*request.param), make_app(*request.param)
    stack.add_middleware(Foreign)
    with contextlib.ExitStack() as context:
        clients = [
            context.enter_context(httpx2.Client(base_url=context.enter_context(serve(app)), timeout=10))
            for app in (steps, stack)
        ]
        ways = Ways(clients[0], steps.state.log, clients[1], stack.state.log)
        ways.more += [{"origin": ORIGIN}] if "cors" in request.param else []
        ways.more += [{"x-watch": "off"}] if "watch" in request.param else []
        yield ways


@pytest.mark.parametrize("do", DOINGS)
def test_every_answer_is_the_same(ways: Ways, do: str) -> None:
    for path, more in itertools.product(PATHS, ways.more):
        ways.assert_same("GET", path, headers={"x-do": do, **more})


@pytest.mark.parametrize("do", BODIES)
@pytest.mark.parametrize("content", ['{"count": 1}', '{"count": "x"}', "{", ""])
def test_bodies_read_above_and_below(ways: Ways, do: str, content: str) -> None:
    headers = {"x-do": do, "content-type": "application/json"}
    ways.assert_same("POST", "/order", content=content, headers=headers)


def test_a_preflight_is_answered(ways: Ways) -> None:
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-a",
    }
    for path in ("/plain", "/missing"):
        ways.assert_same("OPTIONS", path, headers=asked)
        ways.assert_same("OPTIONS", path, headers={**asked, "origin": "http://elsewhere.org"})


@pytest.mark.parametrize("do", ["nothing", "replace-iterator"])
def test_a_large_body_arrives_whole(ways: Ways, do: str) -> None:
    one, other = (client.get("/large", headers={"x-do": do}) for client in (ways.steps, ways.stack))
    # Which of them is sent in chunks is theirs to choose.
    apart = {"content-length"}
    assert one.content == other.content
    assert [x for x in fields(one) if x[0] not in apart] == [x for x in fields(other) if x[0] not in apart]


def test_other_methods_and_slashes_are_the_same(ways: Ways) -> None:
    for method, path in [("PUT", "/plain"), ("HEAD", "/long"), ("GET", "/plain/"), ("OPTIONS", "/plain")]:
        ways.assert_same(method, path, follow_redirects=False)


def test_the_engine_makes_no_scope_that_nobody_looks_at() -> None:
    made: list[bool] = []
    app = CovetPy()

    @app.middleware("http")
    async def look(request: Request, call_next: CallNext) -> Response:
        answer = await call_next(request)
        made.append("scope" in vars(request))
        if len(made) == 2:
            answer.headers["x-route"] = request.scope["route"].path
        return answer

    @app.get("/{number}")
    async def get(number: int) -> int:
        return number

    with serve(app) as url:
        assert httpx2.get(f"{url}/7").json() == 7
        # One that is made late knows the route all the same.
        assert httpx2.get(f"{url}/8").headers["x-route"] == "/{number}"
    assert made == [False, False]


@pytest.mark.parametrize("pattern", [None, "http://pattern"])
def test_origins_that_come_and_go_count_from_the_next_request_on(pattern: str | None) -> None:
    origins: list[str] = []
    app = CovetPy()
    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_origin_regex=pattern)

    @app.get("/")
    async def get() -> int:
        return 1

    def is_allowed(url: str, origin: str = ORIGIN) -> bool:
        return "access-control-allow-origin" in httpx2.get(url, headers={"origin": origin}).headers

    with serve(app) as url:
        assert not is_allowed(url)
        origins.append(ORIGIN)
        assert is_allowed(url)
        assert is_allowed(url, "http://pattern") == (pattern is not None)
        origins.remove(ORIGIN)
        assert not is_allowed(url)


@pytest.mark.parametrize("look", ["headers", "url", "query_params", "cookies", "client", "state"])
def test_a_request_that_is_only_looked_at_stays_with_the_engine(look: str) -> None:
    bodies: list[str] = []
    app = CovetPy()

    @app.middleware("http")
    async def log(request: Request, call_next: CallNext) -> Response:
        str(getattr(request, look))
        answer: Any = await call_next(request)
        bodies.append(type(answer.body_iterator).__name__)
        return answer  # type: ignore[no-any-return]

    @app.get("/")
    async def get() -> int:
        return 1

    with serve(app) as url:
        assert httpx2.get(url, headers={"cookie": "a=b"}).json() == 1
    assert bodies == ["NativeBody"]


def test_what_is_assigned_to_an_untouched_request_counts() -> None:
    app = CovetPy()

    @app.middleware("http")
    async def assign(request: Request, call_next: CallNext) -> Response:
        async def receive() -> Any:
            return {"type": "http.request", "body": b'{"count": 5}', "more_body": False}

        request._receive = receive
        return await call_next(request)

    @app.post("/")
    async def post(order: Order) -> Order:
        return order

    with serve(app) as url:
        assert httpx2.post(url, json={"count": 1}).json() == {"count": 5}
