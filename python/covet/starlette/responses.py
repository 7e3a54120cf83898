"""What goes out. Re-exports only."""

from covet.responses.base import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from covet.responses.files import FileResponse, guess_type
from covet.responses.ranges import MalformedRangeHeader, RangeNotSatisfiable
from covet.responses.streaming import (
    AsyncContentStream,
    Content,
    ContentStream,
    StreamingResponse,
    SyncContentStream,
)
from covet.starlette.mirror import mirror

__all__ = [
    "AsyncContentStream",
    "Content",
    "ContentStream",
    "FileResponse",
    "HTMLResponse",
    "JSONResponse",
    "MalformedRangeHeader",
    "PlainTextResponse",
    "RangeNotSatisfiable",
    "RedirectResponse",
    "Response",
    "StreamingResponse",
    "SyncContentStream",
    "guess_type",
]

mirror(
    __name__,
    "covet.responses.base",
    "covet.responses.files",
    "covet.responses.ranges",
    "covet.responses.streaming",
)
