"""What goes out: one file for each kind of response."""

from covet.responses.base import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from covet.responses.event_source import EventSourceResponse
from covet.responses.fast_json import ORJSONResponse, UJSONResponse
from covet.responses.files import FileResponse
from covet.responses.ranges import MalformedRangeHeader, RangeNotSatisfiable
from covet.responses.streaming import (
    AsyncContentStream,
    Content,
    ContentStream,
    StreamingResponse,
    SyncContentStream,
)

__all__ = [
    "AsyncContentStream",
    "Content",
    "ContentStream",
    "EventSourceResponse",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "MalformedRangeHeader",
    "ORJSONResponse",
    "PlainTextResponse",
    "RangeNotSatisfiable",
    "RedirectResponse",
    "Response",
    "StreamingResponse",
    "SyncContentStream",
    "UJSONResponse",
]
