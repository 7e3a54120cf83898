"""`TestClient` under its usual name; the client itself is in `covet.testing`."""

from covet.testing.async_client import AsyncTestClient
from covet.testing.client import ASGI2App, ASGI3App, ASGIInstance, TestClient
from covet.testing.websocket import WebSocketDenialResponse, WebSocketTestSession

__all__ = [
    "ASGI2App",
    "ASGI3App",
    "ASGIInstance",
    "AsyncTestClient",
    "TestClient",
    "WebSocketDenialResponse",
    "WebSocketTestSession",
]
