"""Server-sent events: the event a handler may yield, and its bytes on the wire (HTML standard, section 9.2).

`covet.routing.streaming` writes events with it; the response class lives with the other responses.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from covet.responses import EventSourceResponse

__all__ = ["KEEPALIVE_COMMENT", "EventSourceResponse", "ServerSentEvent", "format_sse_event"]

# A comment sent while nothing happens, so that proxies do not close the connection.
KEEPALIVE_COMMENT = b": ping\n\n"

_PING_INTERVAL: float = 15.0

_SSE_EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {"type": "string"},
        "event": {"type": "string"},
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    },
}


def _single_line(value: str | None, field: str) -> str | None:
    if value is not None and ("\r" in value or "\n" in value):
        raise ValueError(f"SSE '{field}' must be a single line")
    return value


def _event_name(value: str | None) -> str | None:
    return _single_line(value, "event")


def _event_id(value: str | None) -> str | None:
    if value is not None and "\0" in value:
        raise ValueError("SSE 'id' must not contain null characters")
    return _single_line(value, "id")


class ServerSentEvent(BaseModel):
    """One event: `data` is written as JSON, `raw_data` as it is; only one of them may be set.

    `retry` is the reconnection time in milliseconds; `comment` is ignored by browsers.

        yield ServerSentEvent(data={"price": 3}, event="price", id="7")
    """

    # Its schema is made with the first event: that takes longer than the rest of the package's imports, and
    # loads pydantic's plugins.
    model_config = ConfigDict(defer_build=True)

    data: Any = None
    raw_data: str | None = None
    event: Annotated[str | None, AfterValidator(_event_name)] = None
    id: Annotated[str | None, AfterValidator(_event_id)] = None
    retry: Annotated[int | None, Field(ge=0)] = None
    comment: str | None = None

    @model_validator(mode="after")
    def _check_data_exclusive(self) -> ServerSentEvent:
        if self.data is not None and self.raw_data is not None:
            raise ValueError(
                "Cannot set both 'data' and 'raw_data' on the same ServerSentEvent. "
                "Use 'data' for JSON-serialized payloads or 'raw_data' for pre-formatted strings."
            )
        return self


def _lines(text: str) -> list[str]:
    # CR, LF and CRLF end a line of the stream, and nothing else does: str.splitlines knows more.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def format_sse_event(
    *,
    data_str: str | None = None,
    event: str | None = None,
    id: str | None = None,
    retry: int | None = None,
    comment: str | None = None,
) -> bytes:
    """Return an event as bytes, its closing empty line included."""
    written: list[str] = []
    if comment is not None:
        written += [f": {line}" for line in _lines(comment)]
    if event is not None:
        written.append(f"event: {event}")
    if data_str is not None:
        written += [f"data: {line}" for line in _lines(data_str)]
    if id is not None:
        written.append(f"id: {id}")
    if retry is not None:
        written.append(f"retry: {retry}")
    return "\n".join([*written, "", ""]).encode()
