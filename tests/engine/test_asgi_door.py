"""The ASGI door under asyncio and trio: plans with values from a scope; the rest is Python's."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio
from pydantic import BaseModel

from covet import APIRouter, BackgroundTasks, CovetPy, Depends, Request, Response
from covet.exceptions import HTTPException


class Item(BaseModel):
    name: str
    price: float


def build() -> CovetPy:
    app = CovetPy(openapi_url=None)

    @app.get("/items/{item_id}")
    async def read(item_id: int, q: str | None = None) -> Any:
        return {"item_id": item_id, "q": q}

    @app.post("/items")
    async def create(item: Item) -> Item:
        return item

    @app.get("/sync")
    def sync() -> str:
        return "sync"

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short", headers={"x-spout": "left"})

    @app.get("/seen/{name}")
    async def seen(name: str, request: Request) -> Any:
        return [request.url.path, request.path_params, request.scope["endpoint"] is seen]

    @app.get("/raw")
    async def raw() -> Response:
        return Response(b"raw", status_code=201, headers={"x-own": "1"})

    router = APIRouter(prefix="/in")

    @router.get("/cluded/{number:int}")
    async def included(number: int, double: int = Depends(lambda: 2)) -> int:
        return number * double

    app.include_router(router, prefix="/all")
    return app


class Call:
    """One request through an application: what it sent, and the scope afterwards."""

    def __init__(self, path: str, method: str = "GET", pieces: tuple[bytes, ...] = (b"",)) -> None:
        path, _, query = path.partition("?")
        self.sent: list[Any] = []
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"test"), (b"content-type", b"application/json")],
            "server": ("test", 80),
            "client": ("client", 1),
        }
        last = len(pieces) - 1
        self._messages = [
            {"type": "http.request", "body": piece, "more_body": place < last}
            for place, piece in enumerate(pieces)
        ]

    async def run(self, app: Any) -> "Call":
        await app(self.scope, self.receive, self.send)
        return self

    async def receive(self) -> Any:
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    @property
    def answer(self) -> tuple[int, bytes]:
        return self.sent[0]["status"], b"".join(message.get("body", b"") for message in self.sent[1:])


def on_asyncio(call: Call, app: Any) -> Call:
    return asyncio.run(call.run(app))


def on_trio(call: Call, app: Any) -> Call:
    return trio.run(call.run, app)


@pytest.fixture(params=[on_asyncio, on_trio])
def ask(request: pytest.FixtureRequest) -> Callable[..., Call]:
    app = build()
    return lambda *given, **named: request.param(Call(*given, **named), app)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/items/5?q=a", (200, b'{"item_id":5,"q":"a"}')),
        ("/sync", (200, b'"sync"')),
        ("/teapot", (418, b'{"detail":"short"}')),
        ("/seen/me", (200, b'["/seen/me",{"name":"me"},true]')),
        ("/raw", (201, b"raw")),
        ("/all/in/cluded/4", (200, b"8")),
        ("/nowhere", (404, b'{"detail":"Not Found"}')),
    ],
)
def test_every_kind_of_route_is_answered(ask: Any, path: str, answer: Any) -> None:
    assert ask(path).answer == answer


def test_a_body_in_pieces_is_one_body(ask: Any) -> None:
    call = ask("/items", "POST", (b'{"name":"a",', b'"price":1.5}'))
    assert call.answer == (200, b'{"name":"a","price":1.5}')


def test_a_body_that_does_not_fit_is_pythons_from_the_start(ask: Any) -> None:
    call = ask("/items", "POST", (b'{"name":', b'"a"}'))
    assert call.answer[0] == 422
    assert b'"loc":["body","price"]' in call.answer[1]


def test_the_scope_is_what_pythons_router_makes_of_it(ask: Any) -> None:
    scope = ask("/all/in/cluded/4").scope
    assert scope["path_params"] == {"number": 4}
    assert scope["endpoint"].__name__ == "included"
    assert scope["route"].path == "/in/cluded/{number:int}"
    assert scope["fastapi"]["effective_route_context"].path == "/all/in/cluded/{number:int}"


def test_middleware_sees_and_changes_what_plans_get(ask: Any) -> None:
    app = build()

    @app.middleware("http")
    async def rewrite(request: Request, call_next: Any) -> Any:
        request.scope["query_string"] = b"q=changed"
        response = await call_next(request)
        response.headers["x-endpoint"] = request.scope["endpoint"].__name__
        return response

    call = on_asyncio(Call("/items/5?q=a"), app)
    assert call.answer == (200, b'{"item_id":5,"q":"changed"}')
    assert (b"x-endpoint", b"read") in call.sent[0]["headers"]


def test_background_tasks_run_after_the_answer() -> None:
    app = CovetPy(openapi_url=None)
    order: list[str] = []

    @app.get("/")
    async def later(tasks: BackgroundTasks) -> str:
        tasks.add_task(order.append, "background")
        return "now"

    call = Call("/")
    send = call.send

    async def noted(message: Any) -> None:
        order.append(message["type"])
        await send(message)

    asyncio.run(app(call.scope, call.receive, noted))
    assert order == ["http.response.start", "http.response.body", "background"]


def test_a_mounted_application_keeps_its_root_path() -> None:
    outer = CovetPy(openapi_url=None)
    outer.mount("/sub", build())
    assert on_asyncio(Call("/sub/items/5"), outer).answer == (200, b'{"item_id":5,"q":null}')


def test_routes_and_overrides_may_change_between_requests() -> None:
    app = CovetPy(openapi_url=None)

    def dependency() -> str:
        return "real"

    @app.get("/")
    async def read(value: str = Depends(dependency)) -> str:
        return value

    assert on_asyncio(Call("/"), app).answer == (200, b'"real"')
    app.dependency_overrides[dependency] = lambda: "other"
    assert on_asyncio(Call("/"), app).answer == (200, b'"other"')
    app.router.routes.clear()
    assert on_asyncio(Call("/"), app).answer[0] == 404
