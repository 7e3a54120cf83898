"""One application twice: with native plans and on the Python path only. Every request is answered alike."""

import asyncio
import datetime
import enum
import json
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Annotated, Any, Literal

import anyio
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, computed_field, field_validator, model_validator

from covet import (
    BackgroundTasks,
    Body,
    Cookie,
    CovetPy,
    Depends,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
)
from covet.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from covet.routing import APIRoute

Sent = tuple[int, list[tuple[bytes, bytes]], bytes]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: str
    number: int | None = None
    floors: dict[str, float] = Field(default_factory=dict)


class Order(BaseModel):
    id: Annotated[int, Field(ge=1)]
    status: Literal["new", "paid"]
    address: Address | None = None
    lines: list[Address] = []
    total: Annotated[float, Field(ge=0)] = 0.5
    flag: bool = False
    anything: Any = None


class Dated(BaseModel):
    day: datetime.date
    token: uuid.UUID | str
    colour: Colour = Colour.RED


class Checked(BaseModel):
    low: int
    high: int = 10

    @field_validator("low")
    @classmethod
    def even(cls, value: int) -> int:
        checks.append(value)
        if value % 2:
            raise ValueError("odd")
        return value

    @model_validator(mode="after")
    def ordered(self) -> "Checked":
        if self.low > self.high:
            raise RuntimeError("out of order")
        return self


checks: list[Any] = []


class Out(BaseModel):
    name: str = Field(serialization_alias="outName")
    when: datetime.datetime = datetime.datetime(2024, 1, 1)
    price: float = 1e-5

    @computed_field
    @property
    def shout(self) -> str:
        return self.name.upper()


class PythonRoute(APIRoute):
    """A route that is never native: overriding a method that plans replace says so."""

    def foreign_hook(self) -> str | None:
        return "kept in Python by the test"


def first(q: str = "none") -> str:
    return f"first {q}"


async def second(
    one: Annotated[str, Depends(first)], x_token: Annotated[list[str] | None, Header()] = None
) -> list[Any]:
    await anyio.sleep(0)
    return [one, x_token]


async def guard(response: Response, limit: Annotated[int, Query(ge=0, le=10)] = 5) -> None:
    response.headers["x-limit"] = str(limit)
    if limit == 7:
        raise HTTPException(418, "seven", headers={"x-teapot": "1"})


def build(*, native: bool) -> CovetPy:
    """Return the application with or without plans."""
    app = CovetPy()
    if not native:
        app.router.route_class = PythonRoute
    app.state.ran = []

    @app.get("/path/{number}/{word}", response_model=None)
    async def path(number: int, word: str, q: bool | None = None) -> Any:
        return {"number": number, "word": word, "q": q}

    @app.get("/query", response_model=None)
    async def query(
        a: float,
        b: Colour = Colour.BLUE,
        c: Annotated[list[int] | None, Query(max_length=3)] = None,
        d: uuid.UUID | None = None,
        e: datetime.date | None = None,
        f: Annotated[str, Query(min_length=2, max_length=4)] = "ff",
    ) -> Any:
        return [a, b, c, d, e, f]

    @app.get("/deps", dependencies=[Depends(guard)], response_model=None)
    async def deps(
        two: Annotated[list[Any], Depends(second)],
        one: Annotated[str, Depends(first)],
        sid: Annotated[str | None, Cookie()] = None,
    ) -> Any:
        return {"two": two, "one": one, "sid": sid}

    @app.get("/sync", status_code=202, response_model=None)
    def sync(request: Request, response: Response, tasks: BackgroundTasks, fail: int = 0) -> Any:
        tasks.add_task(app.state.ran.append, request.url.path)
        response.set_cookie("seen", "1")
        if fail:
            raise KeyError("not handled")
        return {"query": request.query_params.multi_items()}

    @app.get("/text/{kind}", response_class=PlainTextResponse)
    async def text(kind: str) -> Any:
        return "é" * 3 if kind == "str" else JSONResponse([kind], headers={"x-kind": "json"})

    @app.get("/html", response_class=HTMLResponse)
    def html() -> str:
        return "<p>"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"a", b"b"]), media_type="text/plain")

    @app.get("/model", response_model=list[Out], response_model_exclude={"__all__": {"when"}})
    async def model(n: int = 1, bad: bool = False) -> Any:
        return [{"name": f"é{index}"} for index in range(n)] if not bad else [{"wrong": 1}]

    @app.get("/values/{which}", response_model=None)
    async def values(which: str) -> Any:
        return {
            "none": None,
            "float": [1e-5, 1e16, -0.0, 0.1],
            "nan": float("nan"),
            "set": {1},
            "model": Out(name="x"),
            "nested": {"a": [{"_sa_x": 1, 1: (Colour.RED, datetime.timedelta(1))}]},
        }[which]

    @app.post("/order")
    async def order(order: Order) -> Any:
        return order

    @app.post("/dated")
    def dated(dated: Dated, q: int = 0) -> Any:
        return [dated, q]

    @app.post("/maybe")
    async def maybe(address: Address | None = None) -> Any:
        return address

    @app.post("/numbers")
    async def numbers(numbers: Annotated[list[float], Body()]) -> Any:
        return numbers

    @app.post("/checked", dependencies=[Depends(guard)], response_model=None)
    def checked(checked: Checked, one: Annotated[str, Depends(first)]) -> Any:
        return [checked, one, list(checks)]

    @app.put("/several/{number}")
    async def several(
        number: int,
        day: Annotated[datetime.date, Body()],
        order: Order | None = None,
        n: Annotated[int, Body(ge=0)] = 3,
    ) -> Any:
        return [number, day, order, n]

    @app.put("/embedded", response_model=None)
    async def embedded(address: Annotated[Address, Body(embed=True)], q: str = "q") -> Any:
        return [address, q]

    def note(event: str) -> None:
        app.state.ran.append(event)

    async def session(q: str = "none") -> AsyncIterator[str]:
        note("open")
        try:
            yield f"session {q}"
        except LookupError:
            note("lookup error")
            raise
        finally:
            await anyio.sleep(0)
            note("closed")

    def blocking(session: Annotated[str, Depends(session)]) -> Iterator[str]:
        note("blocking open")
        try:
            yield session.upper()
        except HTTPException as error:
            note(f"blocking saw {error.status_code}")
            raise
        finally:
            note("blocking closed")

    async def quick() -> AsyncIterator[int]:
        yield 1
        note("quick closed")

    async def swallowing(swallow: bool = False) -> AsyncIterator[None]:
        try:
            yield
        except LookupError:
            if not swallow:
                raise

    async def breaking(broken: bool = False) -> AsyncIterator[None]:
        yield
        if broken:
            raise HTTPException(409, "too late")

    def work(tasks: BackgroundTasks, fail: str) -> None:
        tasks.add_task(note, "background")
        note("handler")
        if fail == "http":
            raise HTTPException(404, "nothing")
        if fail == "lookup":
            raise LookupError

    @app.get("/generators", response_model=None, dependencies=[Depends(swallowing), Depends(breaking)])
    async def generators(
        tasks: BackgroundTasks,
        response: Response,
        blocking: Annotated[str, Depends(blocking)],
        session: Annotated[str, Depends(session)],
        quick: Annotated[int, Depends(quick, scope="function")],
        fail: str = "",
    ) -> Any:
        response.headers["x-session"] = session
        await anyio.sleep(0)
        work(tasks, fail)
        return [blocking, session, quick]

    @app.post("/generators/blocking", response_model=None, status_code=201)
    def generators_blocking(
        tasks: BackgroundTasks, order: Order, blocking: Annotated[str, Depends(blocking)], fail: str = ""
    ) -> Any:
        work(tasks, fail)
        return StreamingResponse(iter([blocking, order.status]))

    @app.delete("/gone", status_code=204)
    async def gone() -> None: ...

    return app


NATIVE, PYTHON = build(native=True), build(native=False)
LOOP = asyncio.new_event_loop()


async def exchange(
    app: CovetPy, method: str, path: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> Sent | str:
    """Return what the application sends, or the name of the error that leaves it."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("client", 1),
        "server": ("server", 80),
    }
    messages: list[Any] = []
    requests = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        for request in requests:
            return request
        return await anyio.sleep_forever()

    async def send(message: Any) -> None:
        messages.append(message)

    raised = ""
    try:
        await app(scope, receive, send)
    except Exception as error:
        raised = type(error).__name__
    start, *parts = messages
    content = b"".join(part.get("body", b"") for part in parts)
    return start["status"], [*start["headers"], (b"raised", raised.encode())], content


def agree(
    method: str, path: str, query: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = (), body: bytes = b""
) -> Any:
    """Send one request to both; return the answer that they agree on."""
    headers = list(headers)
    native = LOOP.run_until_complete(exchange(NATIVE, method, path, query, headers, body))
    python = LOOP.run_until_complete(exchange(PYTHON, method, path, query, headers, body))
    assert native == python
    assert NATIVE.state.ran == PYTHON.state.ran
    return native


def test_all_routes_of_this_file_have_plans_in_one_application_only() -> None:
    routes = [route for route in NATIVE.routes if isinstance(route, APIRoute)]
    reasons = {route.path: route.native_plan for route in routes if isinstance(route.native_plan, str)}
    assert not reasons
    assert not any(
        isinstance(route.native_plan, tuple) for route in PYTHON.routes if isinstance(route, APIRoute)
    )


relaxed = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
words = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=6),
    st.sampled_from(["1", "-5", "007", "1_0", "+1", "1.0", "true", "none", "9" * 30]),
)


@relaxed
@given(number=words, word=words, q=st.sampled_from([b"", b"q=1", b"q=no", b"q=2", b"q", b"q=1&q=off"]))
def test_path_parameters(number: str, word: str, q: bytes) -> None:
    agree("GET", f"/path/{number}/{word}", q)


pieces = st.sampled_from(
    [
        "a=1",
        "a=1.5e3",
        "a=nan",
        "a=-0",
        "a=",
        "b=red",
        "b=blue",
        "b=RED",
        "c=1",
        "c=2",
        "c=x",
        "c=",
        "d=00000000-0000-0000-0000-00000000000a",
        "d=x",
        "e=2024-02-29",
        "e=2023-02-29",
        "e=1",
        "f=ab",
        "f=a",
        "f=abcde",
        "f=%C3%A9%c3%a9",
        "f=+%2B",
        "f=%FF%FE",
        "a%3D=1",
        "=1",
        "&",
        "g=1",
    ]
)


@relaxed
@given(parts=st.lists(pieces, max_size=7))
def test_query_parameters(parts: list[str]) -> None:
    agree("GET", "/query", "&".join(["a=1", *parts]).encode())


fields = st.lists(
    st.tuples(
        st.sampled_from([b"x-token", b"cookie", b"x-other"]),
        st.sampled_from(
            [b"", b"one", b"\xe9", b"sid=1", b'sid="a b"; x=1', b"sid=1; sid=2", b";;sid", b"sid=\xe9"]
        ),
    ),
    max_size=4,
)


@relaxed
@given(
    headers=fields, query=st.sampled_from([b"", b"q=x", b"limit=7", b"limit=3&q=y", b"limit=11", b"limit=x"])
)
def test_dependencies_headers_and_cookies(headers: list[tuple[bytes, bytes]], query: bytes) -> None:
    agree("GET", "/deps", query, headers)


@pytest.mark.parametrize("query", [b"", b"a=1&a=2", b"fail=1", b"fail=x"])
def test_a_blocking_handler_with_request_response_and_tasks(query: bytes) -> None:
    agree("GET", "/sync", query)


@pytest.mark.parametrize("path", ["/text/str", "/text/json", "/html", "/stream", "/nothing", "/html/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_other_kinds_of_answers(method: str, path: str) -> None:
    agree(method, path)


@pytest.mark.parametrize("query", [b"", b"n=0", b"n=200", b"bad=1"])
def test_response_models(query: bytes) -> None:
    agree("GET", "/model", query)


@pytest.mark.parametrize("which", ["none", "float", "nan", "set", "model", "nested", "missing"])
def test_values_without_a_model(which: str) -> None:
    agree("GET", f"/values/{which}")


JSON = [(b"content-type", b"application/json")]


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/path/1/x", b"q=1", b""),
        ("GET", "/deps", b"q=1&limit=2", b""),
        ("GET", "/deps", b"limit=7", b""),
        ("GET", "/sync", b"a=1", b""),
        ("GET", "/sync", b"fail=1", b""),
        ("GET", "/stream", b"", b""),
        ("POST", "/order", b"", b'{"id":1,"status":"new"}'),
        ("POST", "/checked", b"", b'{"low":2}'),
        ("POST", "/checked", b"", b'{"low":3}'),
    ],
)
def test_plans_run_under_trio(method: str, path: str, query: bytes, body: bytes) -> None:
    answers = []
    for app in (NATIVE, PYTHON):
        checks.clear()
        app.state.ran.clear()
        sent = trio.run(exchange, app, method, path, query, JSON, body)
        answers.append((sent, list(checks), list(app.state.ran)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("run", [trio.run, lambda send, *request: LOOP.run_until_complete(send(*request))])
@pytest.mark.parametrize("fail", ["", "http", "lookup"])
@pytest.mark.parametrize("more", ["", "swallow=1", "broken=1", "q=x", "swallow=maybe"])
def test_generator_dependencies_open_and_close_in_the_same_order(run: Any, fail: str, more: str) -> None:
    query = f"fail={fail}&{more}".encode()
    for method, path, body in (
        ("GET", "/generators", b""),
        ("POST", "/generators/blocking", b'{"id":1,"status":"new"}'),
        ("POST", "/generators/blocking", b"{}"),
    ):
        answers = []
        for app in (NATIVE, PYTHON):
            app.state.ran.clear()
            sent = run(exchange, app, method, path, query, JSON, body)
            answers.append((sent, list(app.state.ran)))
        assert answers[0] == answers[1]


def test_an_answer_without_a_body() -> None:
    assert agree("DELETE", "/gone")[0] == 204


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["new", "paid", "1", "true", "1.5", "x", "é", "\ud800", "2024-01-01", str(uuid.UUID(int=1)), "red"]
    ),
)
names = st.sampled_from(
    [
        "id",
        "status",
        "address",
        "lines",
        "total",
        "flag",
        "anything",
        "street",
        "number",
        "floors",
        "day",
        "token",
    ]
)
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=5)),
    max_leaves=8,
)
orders = st.fixed_dictionaries(
    {"id": st.one_of(st.integers(1), leaves), "status": st.sampled_from(["new", "paid", "x"])},
    optional={
        "address": st.one_of(
            st.fixed_dictionaries(
                {"street": st.text(max_size=3)}, optional={"number": leaves, "floors": documents}
            ),
            documents,
        ),
        "lines": documents,
        "total": leaves,
        "flag": leaves,
        "anything": documents,
    },
)
dateds = st.fixed_dictionaries({"day": leaves, "token": leaves}, optional={"colour": leaves})
bodies = st.one_of(
    st.one_of(documents, orders, dateds, st.lists(st.floats())).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=8),
    st.sampled_from(
        [b"", b"null", b" {} ", b"\xef\xbb\xbf{}", b"[" * 100 + b"]" * 100, b'{"id":1,"id":2,"status":"new"}']
    ),
)
media = st.sampled_from(
    [
        b"application/json",
        b"application/json",
        b"application/json;charset=utf-8",
        b"application/x+json",
        b"text/plain",
        b"",
    ]
)


@settings(relaxed, max_examples=600)
@given(path=st.sampled_from(["/order", "/dated", "/maybe", "/numbers"]), body=bodies, kind=media)
def test_json_bodies(path: str, body: bytes, kind: bytes) -> None:
    agree("POST", path, b"", [(b"content-type", kind)] if kind else [], body)


@settings(relaxed, max_examples=300)
@given(
    document=st.one_of(
        st.fixed_dictionaries({"low": st.one_of(st.integers(-3, 12), leaves)}, optional={"high": leaves}),
        documents,
    ),
    query=st.sampled_from([b"", b"q=x", b"limit=7", b"limit=12"]),
)
def test_validators_of_the_user_run_once_and_in_their_place(document: Any, query: bytes) -> None:
    headers = [(b"content-type", b"application/json")]
    runs = []
    for app in (NATIVE, PYTHON):
        checks.clear()
        body = json.dumps(document).encode()
        sent = LOOP.run_until_complete(exchange(app, "POST", "/checked", query, headers, body))
        runs.append((sent, list(checks)))
    assert runs[0] == runs[1]


parts = st.fixed_dictionaries(
    {"day": st.sampled_from(["2024-01-01", "x"])},
    optional={"order": orders, "n": leaves, "address": documents},
)


@settings(relaxed, max_examples=300)
@given(
    path=st.sampled_from(["/several/1", "/several/x", "/embedded"]),
    document=st.one_of(parts, documents),
    kind=media,
)
def test_bodies_of_several_parameters(path: str, document: Any, kind: bytes) -> None:
    agree("PUT", path, b"", [(b"content-type", kind)] if kind else [], json.dumps(document).encode())
