"""Lifespans: contexts, former generator functions, state, failures."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from covet.http_exceptions import StarletteDeprecationWarning
from covet.requests import Request
from covet.responses import JSONResponse
from covet.starlette.applications import Starlette
from covet.starlette.routing import Route, Router
from covet.types import Message


def test_a_lifespan_starts_stops_and_gives_state(client_for: Any) -> None:
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, int]]:
        events.append("start")
        yield {"count": 1}
        events.append("stop")

    def count(request: Request) -> JSONResponse:
        request.state.count += 1
        return JSONResponse(request.state.count)

    with client_for(Starlette(routes=[Route("/", count)], lifespan=lifespan)) as client:
        assert [client.get("/").json() for _ in range(2)] == [2, 2]
        assert events == ["start"]
    assert events == ["start", "stop"]


async def async_generator(app: Any) -> AsyncIterator[None]:
    app.events.append("start")
    yield
    app.events.append("stop")


def generator(app: Any) -> Iterator[None]:
    app.events.append("start")
    yield
    app.events.append("stop")


@pytest.mark.parametrize("lifespan", [async_generator, generator])
def test_generator_functions_are_deprecated(client_for: Any, lifespan: Any) -> None:
    with pytest.warns(StarletteDeprecationWarning, match="generator function lifespans are deprecated"):
        app = Starlette(lifespan=lifespan)
    app.events = []  # type: ignore[attr-defined]
    with client_for(app):
        pass
    assert app.events == ["start", "stop"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
def test_a_failure_is_told_and_raised(client_for: Any, phase: str) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if phase == "startup":
            raise RuntimeError(phase)
        yield
        raise RuntimeError(phase)

    with pytest.raises(RuntimeError, match=phase), client_for(Starlette(lifespan=lifespan)):
        pass


@pytest.mark.anyio
async def test_a_server_without_state_is_told() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, int]]:
        yield {"a": 1}

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match='does not support "state"'):
        await Router(lifespan=lifespan)({"type": "lifespan"}, receive, send)
    assert sent[0]["type"] == "lifespan.startup.failed"
    assert "RuntimeError" in sent[0]["message"]


def test_the_context_can_be_replaced_until_start_up(client_for: Any) -> None:
    entered: list[Any] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        entered.append(app)
        yield

    app = Starlette()
    app.router.lifespan_context = lifespan
    with client_for(app):
        pass
    assert entered == [app]
