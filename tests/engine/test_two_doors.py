"""One application behind a socket and behind ASGI: the same status, the same fields, the same bytes."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from covet import BackgroundTasks, Cookie, CovetPy, Depends, Form, Header, Path, Query, Request, Response
from covet.exceptions import HTTPException
from covet.responses import PlainTextResponse, RedirectResponse, StreamingResponse


class Address(BaseModel):
    street: str


class Person(BaseModel):
    name: str
    age: int = 1
    addresses: list[Address] = []


class Refused(Exception):
    pass


def settings() -> dict[str, int]:
    return {"factor": 2}


async def token(
    found: Annotated[dict[str, int], Depends(settings)], x_token: Annotated[str, Header()]
) -> str:
    await asyncio.sleep(0)
    return x_token * found["factor"]


def opened() -> Iterator[str]:
    yield "open"


def build(**options: Any) -> CovetPy:
    app = CovetPy(openapi_url=None, **options)

    @app.get("/numbers/{number}")
    async def numbers(number: Annotated[int, Path(ge=1)], q: Annotated[list[str], Query()] = []) -> Any:  # noqa: B006
        return {"number": number, "q": q}

    @app.get("/typed/{number:int}")
    async def typed(number: int) -> Any:
        return number

    @app.get("/text/{rest:path}", response_class=PlainTextResponse)
    async def text(rest: str) -> Any:
        return rest

    @app.post("/people", status_code=201)
    async def people(person: Person) -> Person:
        return person

    @app.post("/form")
    async def form(name: Annotated[str, Form()]) -> Any:
        return name

    @app.get("/depends")
    async def depends(
        value: Annotated[str, Depends(token)], session: Annotated[str | None, Cookie()] = None
    ) -> Any:
        return [value, session]

    @app.get("/opened")
    def generator(value: Annotated[str, Depends(opened)]) -> Any:
        return value

    @app.get("/refused")
    async def refused() -> None:
        raise Refused("no")

    @app.get("/teapot")
    def teapot() -> None:
        raise HTTPException(418, {"short": "stout"}, headers={"x-spout": "left"})

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("broken")

    @app.get("/wrong", response_model=Person)
    async def wrong() -> Any:
        return {"name": 5}

    @app.get("/injected")
    async def injected(response: Response, tasks: BackgroundTasks) -> Any:
        response.status_code = 202
        response.headers["x-own"] = "1"
        response.set_cookie("a", "b")
        tasks.add_task(len, "")
        return None

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in (b"a", b"b", b"c"):
                await asyncio.sleep(0)
                yield piece

        return StreamingResponse(pieces(), media_type="text/plain")

    @app.get("/moved")
    async def moved() -> RedirectResponse:
        return RedirectResponse("/numbers/1")

    @app.get("/url")
    async def url(request: Request) -> Any:
        return [request.url.path, request.url.query, str(request.app is app), request.path_params]

    @app.get("/nothing", status_code=204)
    async def nothing() -> None:
        return None

    @app.exception_handler(Refused)
    async def on_refused(request: Request, exc: Refused) -> Response:
        return PlainTextResponse(f"refused {request.url.path} {exc}", status_code=409)

    return app


def build_with_middleware() -> CovetPy:
    app = build()

    @app.middleware("http")
    async def stamp(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-stamp"] = "1"
        return response

    return app


async def through_asgi(app: CovetPy, port: int, method: str, target: str, body: bytes, fields: Any) -> Any:
    path, _, query = target.partition("?")
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:%d" % port), *fields],
        "server": ("127.0.0.1", port),
        "client": ("127.0.0.1", 1),
    }
    try:
        await app(scope, receive, send)
    except Exception:
        assert sent, "the error has to be answered before it is raised on"
    headers = sorted((name.decode().lower(), value.decode()) for name, value in sent[0]["headers"])
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def through_socket(server: Any, method: str, target: str, body: bytes, fields: Any) -> Any:
    with server.connect() as connection:
        head = (
            f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nconnection: close\r\n".encode()
        )
        head += b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        length = b"content-length: %d\r\n" % len(body) if body else b""
        connection.sendall(head + length + b"\r\n" + body)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, content = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = sorted((line.partition(": ")[0].lower(), line.partition(": ")[2]) for line in lines)
    if ("transfer-encoding", "chunked") in headers:
        content = b"".join(content.split(b"\r\n")[1::2])
    added = {"date", "connection", "transfer-encoding"}
    return int(first.split()[1]), [pair for pair in headers if pair[0] not in added], content


JSON = [(b"content-type", b"application/json")]
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]
CASES: list[Any] = [
    ("GET", "/numbers/5?q=a&q=b", b"", []),
    ("GET", "/numbers/0", b"", []),
    ("GET", "/numbers/x", b"", []),
    ("GET", "/typed/007", b"", []),
    ("GET", "/typed/x", b"", []),
    ("GET", "/text/a/b/c", b"", []),
    ("POST", "/people", b'{"name":"Ada","addresses":[{"street":"x"}]}', JSON),
    ("POST", "/people", b'{"name":5}', JSON),
    ("POST", "/people", b'{"name":', JSON),
    ("POST", "/people", b"", []),
    ("POST", "/people", b'{"name":"Ada"}', [(b"content-type", b"text/plain")]),
    ("POST", "/form", b"name=Ada", FORM),
    ("POST", "/form", b"other=Ada", FORM),
    ("GET", "/depends", b"", [(b"x-token", b"t"), (b"cookie", b"session=s")]),
    ("GET", "/depends", b"", []),
    ("GET", "/opened", b"", []),
    ("GET", "/refused", b"", []),
    ("GET", "/teapot", b"", []),
    ("GET", "/broken", b"", []),
    ("GET", "/wrong", b"", []),
    ("GET", "/injected", b"", []),
    ("GET", "/stream", b"", []),
    ("GET", "/moved", b"", []),
    ("GET", "/url?a=b%20c", b"", []),
    ("GET", "/nothing", b"", []),
    ("GET", "/nowhere", b"", []),
    ("GET", "/url/", b"", []),
    ("DELETE", "/url", b"", []),
]


@pytest.mark.parametrize("build", [build, build_with_middleware])
def test_both_doors_give_the_same_answers(serve: Any, build: Any) -> None:
    server = serve(build())
    other = build()
    different = {}
    for method, target, body, fields in CASES:
        by_socket = through_socket(server, method, target, body, fields)
        by_asgi = asyncio.run(through_asgi(other, server.port, method, target, body, fields))
        if by_socket != by_asgi:
            different[method, target, body] = (by_socket, by_asgi)
    assert different == {}


def test_a_body_beyond_the_applications_limit_is_refused_in_its_words(serve: Any) -> None:
    limited = build(max_body_size=20)
    server = serve(limited)
    body = b'{"name":"' + b"a" * 100 + b'"}'
    by_socket = through_socket(server, "POST", "/people", body, JSON)
    fields = [*JSON, (b"content-length", b"%d" % len(body))]
    assert by_socket[0] == 413
    assert by_socket == asyncio.run(
        through_asgi(build(max_body_size=20), server.port, "POST", "/people", body, fields)
    )
    assert server.get("/people", "POST", b'{"name":"a"}', content_type="application/json")[0] == 201


def test_cancel_on_disconnect_is_the_routes_choice(serve: Any) -> None:
    app = CovetPy(openapi_url=None)
    cancelled, finished = threading.Event(), threading.Event()

    async def wait(end: threading.Event) -> None:
        try:
            await asyncio.sleep(0.3)
            end.set()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    @app.get("/cancelled", cancel_on_disconnect=True)
    async def ends() -> None:
        await wait(threading.Event())

    @app.get("/finished")
    async def goes_on() -> None:
        await wait(finished)

    server = serve(app)
    for path in (b"/cancelled", b"/finished"):
        with server.connect() as connection:
            connection.sendall(b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % path)
            time.sleep(0.1)
            label = server.on_loop(server.server.held)[0][0]
            assert label == f"GET {path.decode()}"
    assert cancelled.wait(5)
    assert finished.wait(5)
