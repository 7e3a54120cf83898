"""Streamed responses: sync and async content, lost clients with old and new servers."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import anyio
import pytest

from covet.background import BackgroundTask
from covet.requests import ClientDisconnect
from covet.responses import StreamingResponse
from covet.types import Message


def numbers() -> Iterator[str]:
    yield from ("1", "2")


async def anumbers() -> AsyncIterator[bytes | memoryview | str]:
    yield b"1"
    yield memoryview(b"2")
    yield "3"


@pytest.mark.parametrize(("make", "expected"), [(numbers, "12"), (anumbers, "123"), (lambda: ["a"], "a")])
def test_content_is_iterated(client_for: Any, make: Any, expected: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(make(), media_type="text/x", headers={"a": "b"})(scope, receive, send)

    response = client_for(app).get("/")
    assert response.text == expected
    assert response.headers["content-type"] == "text/x; charset=utf-8"
    assert "content-length" not in response.headers


@pytest.mark.anyio
async def test_an_old_server_is_asked_whether_the_client_left() -> None:
    async def endless() -> AsyncGenerator[str]:
        while True:
            await anyio.sleep(0)
            yield "x"

    messages: list[Message] = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        await anyio.sleep(0.01)
        return messages.pop(0)

    async def send(message: Message) -> None:
        await anyio.sleep(0)

    done: list[int] = []
    background = BackgroundTask(done.append, 1)
    async with aclosing(endless()) as content:
        response = StreamingResponse(content, background=background)
        with anyio.fail_after(5):
            await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    assert done == [1]


@pytest.mark.anyio
async def test_a_new_server_says_that_the_client_left() -> None:
    async def send(message: Message) -> None:
        raise OSError

    response = StreamingResponse(anumbers())
    with pytest.raises(ClientDisconnect):
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, None, send)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_a_websocket_is_refused_with_a_stream() -> None:
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await StreamingResponse(["x"])({"type": "websocket"}, None, send)  # type: ignore[arg-type]
    assert sent == ["websocket.http.response.start", *["websocket.http.response.body"] * 2]
