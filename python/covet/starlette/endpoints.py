"""Endpoints as classes. Re-exports only."""

from covet.endpoints import HTTPEndpoint, WebSocketEndpoint
from covet.starlette.mirror import mirror

__all__ = [
    "HTTPEndpoint",
    "WebSocketEndpoint",
]

mirror(__name__, "covet.endpoints")
