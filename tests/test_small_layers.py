"""The small modules: codes, exceptions, settings, threads, dates, hosts, endpoints, schemas, templates."""

import functools
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from covet import exceptions, status
from covet.callables import is_async_callable
from covet.concurrency import (
    AwaitableOrContextManagerWrapper,
    contextmanager_in_threadpool,
    create_collapsing_task_group,
    iterate_in_threadpool,
    run_in_threadpool,
    run_until_first_complete,
)
from covet.config import Config, Environ, EnvironError
from covet.datastructures import CommaSeparatedStrings, Secret
from covet.endpoints import HTTPEndpoint, WebSocketEndpoint
from covet.hosts import parse_host_header
from covet.http_dates import format_http_date, parse_http_date
from covet.http_exceptions import HTTPException, StarletteDeprecationWarning, WebSocketException
from covet.requests import Request
from covet.responses import PlainTextResponse, Response
from covet.route_path import get_route_path
from covet.schemas import BaseSchemaGenerator, OpenAPIResponse, SchemaGenerator
from covet.starlette.applications import Starlette
from covet.starlette.routing import Host, Mount, Route, WebSocketRoute
from covet.templating import Jinja2Templates
from covet.websockets import WebSocket, WebSocketDisconnect


def test_codes_have_names() -> None:
    assert status.HTTP_404_NOT_FOUND == 404
    assert status.WS_1000_NORMAL_CLOSURE == 1000
    assert "HTTP_413_REQUEST_ENTITY_TOO_LARGE" in dir(status)
    for former in status.__deprecated__:
        with pytest.warns(StarletteDeprecationWarning, match=f"'{former}' is deprecated"):
            assert getattr(status, former) == int(former.split("_")[1])
    with pytest.raises(AttributeError):
        status.HTTP_999  # noqa: B018


def test_exceptions_tell_themselves() -> None:
    assert str(HTTPException(404)) == "404: Not Found"
    assert repr(exceptions.HTTPException(400, [1])) == "HTTPException(status_code=400, detail=[1])"
    assert str(HTTPException(599)) == "599: "
    assert str(WebSocketException(1008, "no")) == "1008: no"
    assert repr(exceptions.WebSocketException(1008)) == "WebSocketException(code=1008, reason='')"
    assert issubclass(exceptions.HTTPException, HTTPException)


def test_validation_errors_name_the_handler() -> None:
    context: exceptions.EndpointContext = {"function": "f", "file": "x.py", "line": 3, "path": "GET /"}
    error = exceptions.RequestValidationError([{"a": 1}], body=b"x", endpoint_ctx=context)
    assert str(error) == "1 validation error:\n  {'a': 1}\n\n  File \"x.py\", line 3, in f\n    GET /"
    assert (error.errors(), error.body) == ([{"a": 1}], b"x")
    assert str(exceptions.ResponseValidationError([1, 2], endpoint_ctx={"path": "GET /"})).endswith(
        "2\n\n  Endpoint: GET /"
    )
    assert str(exceptions.WebSocketRequestValidationError([])) == "0 validation errors:"
    del context["path"]
    assert str(exceptions.ValidationException([], endpoint_ctx=context)).endswith("in f")


def test_coroutine_functions_are_seen_through_wrappers() -> None:
    class Call:
        async def __call__(self) -> None: ...

    async def function() -> None: ...

    for thing in (function, Call(), functools.partial(functools.partial(function)), Call().__call__):
        assert is_async_callable(thing)
    for other in (len, 1, functools.partial(len)):
        assert not is_async_callable(other)


@pytest.mark.anyio
async def test_blocking_work_runs_in_threads() -> None:
    def add(a: int, *, b: int) -> int:
        return a + b

    assert await run_in_threadpool(add, 1, b=2) == 3
    assert [item async for item in iterate_in_threadpool([1, None, 2])] == [1, None, 2]


@pytest.mark.anyio
@pytest.mark.parametrize("suppress", [True, False])
async def test_blocking_contexts_are_entered_in_threads(suppress: bool) -> None:
    class Manager:
        seen: Any = None

        def __enter__(self) -> str:
            return "value"

        def __exit__(self, kind: Any, exc: Any, traceback: Any) -> bool:
            self.seen = kind
            return suppress

    manager = Manager()
    async with contextmanager_in_threadpool(manager) as value:
        assert value == "value"
    assert manager.seen is None
    if suppress:
        async with contextmanager_in_threadpool(manager):
            raise KeyError
    else:
        with pytest.raises(KeyError):
            async with contextmanager_in_threadpool(manager):
                raise KeyError
    assert manager.seen is KeyError


@pytest.mark.anyio
async def test_the_first_of_several_ends_all() -> None:
    async def sleep(seconds: float) -> None:
        await anyio.sleep(seconds)

    with pytest.warns(StarletteDeprecationWarning), anyio.fail_after(5):
        await run_until_first_complete((sleep, {"seconds": 0}), (sleep, {"seconds": 100}))


@pytest.mark.anyio
async def test_a_lone_error_leaves_its_group() -> None:
    async def fail() -> None:
        raise KeyError("lone")

    with pytest.raises(KeyError, match="lone"):
        async with create_collapsing_task_group() as group:
            group.start_soon(fail)
    with pytest.raises(ExceptionGroup):  # noqa: PT012
        async with create_collapsing_task_group() as group:
            group.start_soon(fail)
            group.start_soon(fail)


@pytest.mark.anyio
async def test_something_awaited_or_entered() -> None:
    class Thing:
        closed = False

        async def close(self) -> None:
            self.closed = True

    async def make() -> Thing:
        return Thing()

    assert not (await AwaitableOrContextManagerWrapper(make())).closed
    async with AwaitableOrContextManagerWrapper(make()) as thing:
        assert not thing.closed
    assert thing.closed


@pytest.mark.parametrize(
    "text", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_dates_are_read_in_three_forms(text: str) -> None:
    moment = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert parse_http_date(text) == moment
    assert format_http_date(moment.timestamp()) == "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize("text", ["", "x", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_what_is_no_date(text: str) -> None:
    assert parse_http_date(text) is None


def test_short_years_have_a_century() -> None:
    assert parse_http_date("Sun, 06-Nov-20 08:49:37 GMT").year == 2020  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("h", ("h", None)),
        ("h:1", ("h", "1")),
        ("[::1]:80", ("[::1]", "80")),
        ("[v1.a:b]", ("[v1.a:b]", None)),
        (None, None),
        ("", None),
        ("a/b", None),
        ("a@b", None),
        ("h:", None),
        ("[:::]", None),
        ("h\n", None),
    ],
)
def test_hosts_are_split(value: str | None, expected: Any) -> None:
    parsed = parse_host_header(value)
    assert (None if parsed is None else (parsed.host, parsed.port)) == expected


@pytest.mark.parametrize(
    ("port", "valid"), [("h", True), ("h:0065535", True), ("h:65536", False), ("h:0", True)]
)
def test_ports_have_a_range(port: str, valid: bool) -> None:
    parsed = parse_host_header(port)
    assert parsed is not None
    assert parsed.is_valid_port is valid


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [("/a/b", "/a", "/b"), ("/a", "/a", ""), ("/ab", "/a", "/ab"), ("/b", "/a", "/b"), ("/b", "", "/b")],
)
def test_a_path_below_a_mount(path: str, root: str, expected: str) -> None:
    assert get_route_path({"path": path, "root_path": root}) == expected


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / ".env"
    file.write_text("# comment\nA = 1\nB='two words'\nno line\nYES=true\nODD=maybe\n")
    return Config(file, environ=Environ({"A": "env", "P_X": "9", "NO": "0"}))


def test_settings_come_from_three_places(config: Config) -> None:
    assert config("A") == "env"
    assert config("B") == "two words"
    assert config("YES", cast=bool) is True
    assert config("NO", cast=bool) is False
    assert config("NONE", default=None) is None
    assert config("N", cast=int, default="5") == 5
    assert config("S", cast=Secret, default="x") is not None
    assert list(config("L", cast=CommaSeparatedStrings, default="a,b")) == ["a", "b"]
    with pytest.raises(KeyError, match="is missing, and has no default"):
        config("NONE")
    with pytest.raises(ValueError, match="Not a valid bool"):
        config("ODD", cast=bool)
    with pytest.raises(ValueError, match="Not a valid int"):
        config.get("ODD", cast=int)


def test_settings_have_a_prefix() -> None:
    assert Config(environ={"P_X": "9"}, env_prefix="P_")("X", cast=int) == 9
    assert Config(environ={"X": "1"})("X") == "1"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="not found"):
        Config(tmp_path / "none")


def test_what_was_read_is_not_changed() -> None:
    environ = Environ({"A": "1", "B": "2"})
    assert environ["A"] == "1"
    with pytest.raises(EnvironError, match="set"):
        environ["A"] = "2"
    with pytest.raises(EnvironError, match="delete"):
        del environ["A"]
    environ["B"] = "3"
    del environ["B"]
    assert list(environ) == ["A"]
    assert len(environ) == 1


class Things(HTTPEndpoint):
    """Both kinds of methods."""

    def get(self, request: Request) -> Response:
        """
        responses:
          200: {description: things}
        """
        return PlainTextResponse("sync")

    async def post(self, request: Request) -> Response:
        return PlainTextResponse("async")


def test_endpoints_have_methods(client_for: Any) -> None:
    client = client_for(Starlette(routes=[Route("/", Things)]))
    assert (client.get("/").text, client.post("/").text) == ("sync", "async")
    assert client.head("/").status_code == 200
    for own in (client, client_for(Things)):
        refused = own.delete("/")
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize(
    ("encoding", "good", "bad"),
    [
        ("text", "text", {"bytes": b"x"}),
        ("bytes", "bytes", {"text": "x"}),
        ("json", "json", {"text": "{"}),
        (None, "text", None),
    ],
)
def test_socket_endpoints_have_encodings(client_for: Any, encoding: Any, good: str, bad: Any) -> None:
    ended: list[int] = []

    class Echo(WebSocketEndpoint):
        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            await websocket.send_json(str(data))

        async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
            ended.append(close_code)

    Echo.encoding = encoding
    data: Any = {"text": "x", "bytes": b"x", "json": {"a": 1}}[good]
    with client_for(Echo).websocket_connect("/") as session:
        getattr(session, f"send_{good}")(data)
        assert session.receive_json() == str(data)
        if encoding is None:
            session.send_bytes(b"y")
            assert session.receive_json() == "b'y'"
        if encoding == "json":
            session.send_json([1], mode="binary")
            assert session.receive_json() == "[1]"
    assert ended == [1000]
    if bad is not None:
        with pytest.raises(RuntimeError), client_for(Echo).websocket_connect("/") as session:  # noqa: PT012
            session.send({"type": "websocket.receive", **bad})
            with pytest.raises(WebSocketDisconnect) as closed:  # noqa: PT012
                session.receive()
                session.receive_text()
            assert closed.value.code == 1003
        assert ended[-1] == 1011


def test_a_plain_socket_endpoint_accepts(client_for: Any) -> None:
    with client_for(WebSocketEndpoint).websocket_connect("/") as session:
        session.send_text("ignored")


def listed(request: Request) -> Response:
    """
    Prose.
    ---
    responses:
      200:
        description: list
    """
    return schemas.OpenAPIResponse(request)


def plain(request: Request) -> Response:
    """Only prose."""
    raise AssertionError


def bare(request: Request) -> Response:
    raise AssertionError


schemas = SchemaGenerator({"openapi": "3.0.0"})


def test_schemas_are_read_from_docstrings(client_for: Any) -> None:
    routes = [
        Route("/list/{id:int}", listed, methods=["GET", "QUERY"]),
        Route("/plain", plain),
        Route("/bare", bare),
        Route("/hidden", listed, include_in_schema=False),
        Route("/things", Things),
        WebSocketRoute("/ws", bare),
        Mount("/m/{x:int}", routes=[Route("/inner", listed)]),
        Host("h", app=Starlette(routes=[Route("/host", listed)])),
    ]
    app = Starlette(routes=routes)
    document = schemas.get_schema(app.routes)
    assert set(document["paths"]) == {"/list/{id}", "/things", "/m/{x}/inner", "/host"}
    assert set(document["paths"]["/list/{id}"]) == {"get"}
    assert set(SchemaGenerator({"openapi": "3.2"}).get_schema(app.routes)["paths"]["/list/{id}"]) == {
        "get",
        "query",
    }
    response = client_for(app).get("/list/1")
    assert response.headers["content-type"] == "application/vnd.oai.openapi"
    assert "description: list" in response.text
    with pytest.raises(NotImplementedError):
        BaseSchemaGenerator().get_schema([])
    with pytest.raises(AssertionError, match="should be a dictionary"):
        OpenAPIResponse([])


@pytest.fixture
def templates(tmp_path: Path) -> Jinja2Templates:
    (tmp_path / "page.html").write_text("{{ name }} {{ extra }} {{ url_for('page') }}")
    return Jinja2Templates(tmp_path, context_processors=[lambda request: {"extra": "more"}])


def test_templates_are_rendered(client_for: Any, templates: Jinja2Templates) -> None:
    def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html", {"name": "<b>"}, status_code=201)

    response = client_for(Starlette(routes=[Route("/", page, name="page")])).get("/")
    assert (response.status_code, response.text) == (201, "&lt;b&gt; more http://testserver/")
    assert response.template.name == "page.html"
    assert response.context["name"] == "<b>"


def test_templates_take_an_environment() -> None:
    import jinja2

    env = jinja2.Environment(loader=jinja2.DictLoader({"x": "y"}))
    assert Jinja2Templates(env=env).get_template("x").render() == "y"
    with pytest.raises(AssertionError, match="either 'directory' or 'env'"):
        Jinja2Templates()  # type: ignore[call-overload]


def test_importing_needs_no_heavy_library() -> None:
    import subprocess

    heavy = ["httpx2", "jinja2", "yaml", "itsdangerous"]
    code = f"import sys, covet.asgi_application; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
