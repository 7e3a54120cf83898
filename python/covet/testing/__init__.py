"""Tools for testing applications in process; `covet.testclient` is the usual name of the client."""

from covet.testing.async_client import AsyncTestClient
from covet.testing.client import TestClient
from covet.testing.websocket import WebSocketDenialResponse, WebSocketTestSession

__all__ = ["AsyncTestClient", "TestClient", "WebSocketDenialResponse", "WebSocketTestSession"]
