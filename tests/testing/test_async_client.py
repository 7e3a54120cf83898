"""The async client: the application runs in the test's own loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from covet.requests import Request
from covet.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from covet.starlette.applications import Starlette
from covet.starlette.routing import Route
from covet.testclient import AsyncTestClient


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, list[str]]]:
    events = ["start"]
    app.state.events = events
    yield {"events": events}
    events.append("stop")


async def show(request: Request) -> Response:
    token = anyio.lowlevel.current_token()
    return JSONResponse([request.state.events, token == request.app.state.token, await request.json()])


@pytest.mark.anyio
async def test_requests_run_in_the_callers_loop() -> None:
    app = Starlette(routes=[Route("/", show, methods=["POST"])], lifespan=lifespan)
    app.state.token = anyio.lowlevel.current_token()
    async with AsyncTestClient(app) as client:
        assert (await client.post("/", json={"a": 1})).json() == [["start"], True, {"a": 1}]
    assert app.state.events == ["start", "stop"]


@pytest.mark.anyio
async def test_a_client_needs_no_lifespan() -> None:
    app = Starlette(
        routes=[
            Route("/", lambda r: RedirectResponse("/there")),
            Route("/there", lambda r: StreamingResponse(["a", "b"])),
        ]
    )
    client = AsyncTestClient(app, headers={"x": "y"})
    response = await client.get("/")
    assert (response.text, len(response.history)) == ("ab", 1)
    await client.aclose()


@pytest.mark.anyio
async def test_errors_are_raised_unless_told() -> None:
    def fail(request: Request) -> Response:
        raise ValueError("inside")

    app = Starlette(routes=[Route("/", fail)])
    with pytest.raises(ValueError, match="inside"):
        await AsyncTestClient(app).get("/")
    assert (await AsyncTestClient(app, raise_server_exceptions=False).get("/")).status_code == 500


@pytest.mark.anyio
async def test_a_start_that_fails_is_raised() -> None:
    @asynccontextmanager
    async def failing(app: Any) -> AsyncIterator[None]:
        raise RuntimeError("no start")
        yield

    with pytest.raises(RuntimeError, match="no start"):
        async with AsyncTestClient(Starlette(lifespan=failing)):
            pass
