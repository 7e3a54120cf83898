"""Server-sent events: the event a handler may yield, and its bytes on the wire (HTML standard, section 9.2).

`covet.routing.streaming` writes events with it; the response class lives with the other responses.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

from covet.late_names import late_names
from covet.responses import EventSourceResponse
from covet.validation.annotations import lenient_issubclass

if TYPE_CHECKING:
    from covet.sse_event import ServerSentEvent

__all__ = ["KEEPALIVE_COMMENT", "EventSourceResponse", "ServerSentEvent", "format_sse_event"]

__getattr__, __dir__ = late_names(globals(), {"ServerSentEvent": "covet.sse_event"})

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


def is_event(item: Any) -> TypeGuard[ServerSentEvent]:
    """Say whether a handler yielded an event of its own making."""
    return is_event_class(type(item))


def is_event_class(annotation: Any) -> bool:
    """Say whether an annotation is the class of such events; without its module there can be none."""
    event_class = getattr(sys.modules.get("covet.sse_event"), "ServerSentEvent", None)
    return event_class is not None and lenient_issubclass(annotation, event_class)


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
