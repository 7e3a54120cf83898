"""The event that a handler may yield: users know it as `covet.sse.ServerSentEvent`.

Apart from the writer of events because completing a pydantic model loads pydantic's plugins, with
importlib.metadata: most applications send no events.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, model_validator

__all__ = ["ServerSentEvent"]


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
