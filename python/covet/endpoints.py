"""Endpoints as classes: one method for each HTTP method, or the events of a WebSocket session.

An instance lives for one connection; awaiting it answers.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, Literal

from covet import status
from covet.callables import is_async_callable
from covet.concurrency import run_in_threadpool
from covet.http_exceptions import HTTPException
from covet.requests import Request
from covet.responses.base import PlainTextResponse, Response
from covet.types import Message, Receive, Scope, Send
from covet.unanswered import must_answer
from covet.websockets import WebSocket

__all__ = ["HTTPEndpoint", "WebSocketEndpoint"]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")


class HTTPEndpoint:
    """Derive and write `get`, `post`, …, each a function of the request, async or not."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        self.scope = scope
        self.receive = receive
        self.send = send
        self._allowed_methods = [method for method in _METHODS if self._handler(method) is not None]

    def _handler(self, method: str) -> Any:
        handler = getattr(self, method.lower(), None)
        if handler is None and method == "HEAD":
            return getattr(self, "get", None)
        return handler

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Answer with the method for the request's method."""
        request = Request(self.scope, receive=self.receive, send=self.send)
        allowed = request.method in self._allowed_methods
        handler = self._handler(request.method) if allowed else self.method_not_allowed
        if is_async_callable(handler):
            response = await handler(request)
        else:
            response = await run_in_threadpool(handler, request)
        must_answer(response, handler)
        await response(self.scope, self.receive, self.send)

    async def method_not_allowed(self, request: Request) -> Response:
        """Answer 405; inside an application its exception handlers write the answer."""
        headers = {"Allow": ", ".join(self._allowed_methods)}
        if "app" in self.scope:
            raise HTTPException(status_code=405, headers=headers)
        return PlainTextResponse("Method Not Allowed", status_code=405, headers=headers)


class WebSocketEndpoint:
    """Derive and write `on_connect`, `on_receive` and `on_disconnect`; `encoding` checks the messages."""

    encoding: Literal["text", "bytes", "json"] | None = None

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        self.scope = scope
        self.receive = receive
        self.send = send

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Hold the session until the client leaves."""
        websocket = WebSocket(self.scope, receive=self.receive, send=self.send)
        await self.on_connect(websocket)
        close_code = status.WS_1011_INTERNAL_ERROR
        try:
            while (message := await websocket.receive())["type"] == "websocket.receive":
                await self.on_receive(websocket, await self.decode(websocket, message))
            close_code = int(message.get("code") or status.WS_1000_NORMAL_CLOSURE)
        finally:
            await self.on_disconnect(websocket, close_code)

    async def decode(self, websocket: WebSocket, message: Message) -> Any:
        """Return the data of a message; close the session if it is not in the encoding."""
        text, data = message.get("text"), message.get("bytes")
        if self.encoding is None:
            return data if text is None else text
        if self.encoding == "text":
            if text is None:
                await self._refuse(websocket, "Expected text websocket messages, but got bytes")
            return text
        if self.encoding == "bytes":
            if data is None:
                await self._refuse(websocket, "Expected bytes websocket messages, but got text")
            return data
        assert self.encoding == "json", f"Unsupported 'encoding' attribute {self.encoding}"
        try:
            return json.loads(message["bytes"].decode("utf-8") if text is None else text)
        except json.JSONDecodeError:
            await self._refuse(websocket, "Malformed JSON data received.")

    @staticmethod
    async def _refuse(websocket: WebSocket, why: str) -> None:
        await websocket.close(code=status.WS_1003_UNSUPPORTED_DATA)
        raise RuntimeError(why)

    async def on_connect(self, websocket: WebSocket) -> None:
        """Accept the session; override to do more."""
        await websocket.accept()

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        """Override to handle a message."""

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        """Override to clean up; runs in any case."""
