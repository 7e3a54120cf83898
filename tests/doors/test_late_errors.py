"""Errors after the answer has begun, through both doors: dependencies see them as they are, then the
application's handlers hear of them, and nothing more is sent."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from covet import BackgroundTasks, CovetPy, Depends, Request
from covet.responses import JSONResponse, StreamingResponse

app = CovetPy()
heard: list[str] = []


class Handled(Exception):
    """Has a handler of its own, which comes too late."""


@app.exception_handler(Handled)
async def on_handled(request: Request, error: Handled) -> JSONResponse:
    heard.append("the handler that comes too late")
    return JSONResponse("handled", status_code=409)


@app.exception_handler(Exception)
async def on_error(request: Request, error: Exception) -> JSONResponse:
    heard.append(f"handler: {type(error).__name__}")
    return JSONResponse("error", status_code=500)


ERRORS = {"handled": Handled, "unhandled": KeyError}


def connection() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        heard.append(f"dependency: {type(error).__name__}")
        raise


def fails_to_close(error: str) -> Iterator[None]:
    yield
    raise ERRORS[error]


@app.get("/background/{error}")
async def background(error: str, tasks: BackgroundTasks) -> str:
    def fail() -> None:
        raise ERRORS[error]

    tasks.add_task(fail)
    return "sent"


@app.get("/background-with-connection/{error}", dependencies=[Depends(connection)])
async def background_with_connection(error: str, tasks: BackgroundTasks) -> str:
    return await background(error, tasks)


@app.get("/stream/{error}", dependencies=[Depends(connection)])
async def stream(error: str) -> StreamingResponse:
    async def pieces() -> AsyncIterator[str]:
        yield "sent"
        raise ERRORS[error]

    return StreamingResponse(pieces())


@app.get("/exit/{error}", dependencies=[Depends(fails_to_close)])
async def exit_fails(error: str) -> str:
    return "sent"


@pytest.fixture(scope="module")
def client(lasting_client_of: Any) -> Any:
    return lasting_client_of(app)


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/background/unhandled", ["handler: KeyError"]),
        ("/background/handled", ["handler: RuntimeError"]),
        ("/background-with-connection/unhandled", ["dependency: KeyError", "handler: KeyError"]),
        ("/background-with-connection/handled", ["dependency: Handled", "handler: RuntimeError"]),
        ("/stream/unhandled", ["dependency: KeyError", "handler: KeyError"]),
        ("/stream/handled", ["dependency: Handled", "handler: RuntimeError"]),
        ("/exit/unhandled", ["handler: KeyError"]),
        ("/exit/handled", ["handler: RuntimeError"]),
    ],
)
def test_dependencies_see_the_error_and_then_the_handlers_hear_of_it(
    client: Any, path: str, seen: list[str]
) -> None:
    heard.clear()
    try:
        assert client.get(path).status_code == 200
    except httpx2.RemoteProtocolError:
        assert path.startswith("/stream")  # cut, so that nobody takes it for whole
    # On the socket the answer may arrive before the error.
    deadline = time.monotonic() + 5
    while len(heard) < len(seen) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert heard == seen
