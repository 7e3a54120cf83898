"""WebSocket sessions. Re-exports only."""

from covet.starlette.mirror import mirror
from covet.websockets import (
    WebSocket,
    WebSocketClose,
    WebSocketDisconnect,
    WebSocketDisconnected,
    WebSocketState,
)

__all__ = [
    "WebSocket",
    "WebSocketClose",
    "WebSocketDisconnect",
    "WebSocketDisconnected",
    "WebSocketState",
]

mirror(__name__, "covet.websockets")
