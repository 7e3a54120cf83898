"""A body over the limit is 413 wherever it is read: in a handler, and in middleware around all handlers."""

from typing import Any

import pytest

from covet import CovetPy, Request, Response
from covet.starlette.applications import Starlette
from covet.starlette.middleware import Middleware
from covet.starlette.middleware.base import BaseHTTPMiddleware
from covet.starlette.routing import Route

from .conftest import ClientFor


async def reading(request: Request, call_next: Any) -> Response:
    await request.body()
    response: Response = await call_next(request)
    return response


class ReadingClass:
    """Middleware of plain ASGI that reads the body."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await Request(scope, receive).body()
        await self.app(scope, receive, send)


def application(kind: str, limit: int | None) -> Any:
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    function = Middleware(BaseHTTPMiddleware, dispatch=reading)
    middleware = {"function": [function], "class": [Middleware(ReadingClass)], "none": []}[kind]
    if limit is None:
        return Starlette(routes=[Route("/", echo, methods=["POST"])], middleware=middleware)
    app = CovetPy(max_body_size=limit, middleware=middleware)
    app.post("/")(echo)
    return app


def pieces() -> Any:
    yield b"1234567"
    yield b"8901234"


@pytest.mark.parametrize("kind", ["none", "function", "class"])
@pytest.mark.parametrize("body", [b"x" * 11, pieces], ids=["declared", "chunked"])
def test_the_applications_limit(client_of: ClientFor, kind: str, body: Any) -> None:
    client = client_of(application(kind, 10))
    answer = client.post("/", content=body if isinstance(body, bytes) else body())
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["none", "function", "class"])
@pytest.mark.parametrize("body", [b"x" * 11, pieces], ids=["declared", "chunked"])
def test_the_servers_limit(client_of: ClientFor, door: str, kind: str, body: Any) -> None:
    if door != "socket":
        pytest.skip("the server's own limit")
    client = client_of(application(kind, None), max_body=10)
    answer = client.post("/", content=body if isinstance(body, bytes) else body())
    assert (answer.status_code, answer.text) == (413, "Content Too Large")
