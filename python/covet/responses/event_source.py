"""The response of a stream of server-sent events; `covet.sse` has the events themselves."""

from __future__ import annotations

from covet.responses.streaming import StreamingResponse

__all__ = ["EventSourceResponse"]


class EventSourceResponse(StreamingResponse):
    """Answer with `text/event-stream`; as `response_class` of a generator it makes each item an event.

    @app.get("/prices", response_class=EventSourceResponse)
    async def prices() -> AsyncIterable[Price]:
        yield Price(...)
    """

    media_type = "text/event-stream"
