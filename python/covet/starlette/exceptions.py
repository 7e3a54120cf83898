"""The exceptions in their framework-neutral form. Re-exports only."""

from covet.http_exceptions import HTTPException, StarletteDeprecationWarning, WebSocketException
from covet.starlette.mirror import mirror

__all__ = [
    "HTTPException",
    "StarletteDeprecationWarning",
    "WebSocketException",
]

mirror(__name__, "covet.http_exceptions")
