"""The test client. Re-exports only."""

from covet.starlette.mirror import mirror
from covet.testing.client import ASGI2App, ASGI3App, ASGIInstance, TestClient
from covet.testing.client import _is_asgi3 as _is_asgi3
from covet.testing.client import _WrapASGI2 as _WrapASGI2
from covet.testing.httpx_library import httpx
from covet.testing.websocket import WebSocketDenialResponse, WebSocketTestSession

__all__ = [
    "ASGI2App",
    "ASGI3App",
    "ASGIInstance",
    "TestClient",
    "WebSocketDenialResponse",
    "WebSocketTestSession",
    "httpx",
]

mirror(__name__, "covet.testing.client", "covet.testing.websocket", "covet.testing.httpx_library")
