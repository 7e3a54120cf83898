"""Handlers that yield: events, lines, chunks, pings, errors in the middle."""

from collections.abc import AsyncIterable, Iterable

import pytest
from pydantic import BaseModel

import covet.routing
from covet import CovetPy
from covet.exceptions import ResponseValidationError
from covet.responses import EventSourceResponse, PlainTextResponse, StreamingResponse
from covet.routing.streaming import dump_finite
from covet.sse import ServerSentEvent
from covet.testclient import TestClient


class Item(BaseModel):
    a: int


def answer(endpoint, **options):
    app = CovetPy()
    app.get("/", **options)(endpoint)
    return TestClient(app).get("/")


def test_items_become_lines_of_json():
    async def stream() -> AsyncIterable[Item]:
        yield Item(a=1)
        yield {"a": "2"}

    response = answer(stream)
    assert response.headers["content-type"] == "application/jsonl"
    assert response.text == '{"a":1}\n{"a":2}\n'


def test_a_plain_generator_streams_too():
    def stream():
        yield {"n": float("nan"), "l": [float("inf")]}

    assert answer(stream, status_code=201).text == '{"n": null, "l": [null]}\n'


def test_an_item_the_model_refuses_is_an_error():
    def stream() -> Iterable[Item]:
        yield {"a": "x"}

    with pytest.raises(ResponseValidationError, match="GET /"):
        answer(stream)


def test_items_become_events():
    async def stream() -> AsyncIterable[Item]:
        yield Item(a=1)
        yield ServerSentEvent(data=Item(a=2), event="e")
        yield ServerSentEvent(data={"n": float("inf")})
        yield ServerSentEvent(raw_data="raw", id="7")
        yield ServerSentEvent(comment="c")

    response = answer(stream, response_class=EventSourceResponse)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.text == (
        'data: {"a":1}\n\nevent: e\ndata: {"a":2}\n\ndata: {"n": null}\n\ndata: raw\nid: 7\n\n: c\n\n'
    )


def test_a_silent_stream_is_pinged(monkeypatch):
    import anyio

    monkeypatch.setattr(covet.routing, "_PING_INTERVAL", 0.01)

    async def stream():
        await anyio.sleep(0.05)
        yield 1

    text = answer(stream, response_class=EventSourceResponse).text
    assert text.startswith(": ping\n\n")
    assert text.endswith("data: 1\n\n")


def test_an_error_in_the_middle_comes_out_as_itself():
    def stream():
        yield 1
        raise KeyError("x")

    with pytest.raises(KeyError):
        answer(stream, response_class=EventSourceResponse)


@pytest.mark.parametrize(
    "response_class", [StreamingResponse, type("Text", (StreamingResponse,), {"media_type": "text/x"})]
)
def test_chunks_are_sent_as_they_are(response_class):
    async def chunks():
        yield b"a"
        yield "b"

    def blocking():
        yield "c"

    assert answer(chunks, response_class=response_class).text == "ab"
    assert answer(blocking, response_class=response_class).text == "c"


def test_infinite_streams_end_with_the_client():
    import anyio

    log = []
    app = CovetPy()

    @app.get("/", response_class=EventSourceResponse)
    async def stream():
        try:
            while True:
                yield 1
        finally:
            log.append("closed")

    async def main():
        taken = []

        async def receive():
            while len(taken) < 3:
                await anyio.sleep(0)
            return {"type": "http.disconnect"}

        async def send(message):
            taken.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
        with anyio.fail_after(5):
            await app({**scope, "asgi": {"spec_version": "2.3"}}, receive, send)

    anyio.run(main)


def test_any_value_is_dumped():
    assert dump_finite({"a": (1, float("nan"))}) == '{"a": [1, null]}'


def test_a_response_class_for_a_value_is_not_streamed():
    assert answer(lambda: "x", response_class=PlainTextResponse).text == "x"
