"""A WebSocket session with an application in process; the test is the client."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, Self, cast

import anyio
import anyio.abc
import anyio.from_thread

from covet.testing.httpx_library import httpx
from covet.types import ASGIApp, Message, Scope
from covet.websockets import WebSocketDisconnect

__all__ = ["PortalFactory", "Upgrade", "WebSocketDenialResponse", "WebSocketTestSession"]

PortalFactory = Callable[[], AbstractContextManager[anyio.from_thread.BlockingPortal]]


class Upgrade(Exception):
    """Carry a session out of the HTTP client's machinery."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self.session = session


class WebSocketDenialResponse(httpx.Response, WebSocketDisconnect):  # type: ignore[misc]
    """Raised when a session is refused with an HTTP response: the response itself."""


class WebSocketTestSession:
    """A session; enter it to connect, leave it to close."""

    def __init__(self, app: ASGIApp, scope: Scope, portal_factory: PortalFactory) -> None:
        self.app = app
        self.scope = scope
        self.accepted_subprotocol: str | None = None
        self.portal_factory = portal_factory
        self.extra_headers: list[tuple[bytes, bytes]] | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.portal = stack.enter_context(self.portal_factory())
            ended, cancel_scope = self.portal.start_task(self._run)
            stack.callback(ended.result)
            stack.callback(self.portal.call, cancel_scope.cancel)
            self.send({"type": "websocket.connect"})
            message = self.receive()
            self._raise_on_close(message)
            self.accepted_subprotocol = message.get("subprotocol")
            self.extra_headers = message.get("headers")
            stack.callback(self.close, 1000)
            self.exit_stack = stack.pop_all()
        return self

    def __exit__(self, *args: Any) -> bool | None:
        return self.exit_stack.__exit__(*args)

    async def _run(self, *, task_status: anyio.abc.TaskStatus[anyio.CancelScope]) -> None:
        """Run the application; then keep its last messages readable until the test is done."""
        send_tx, send_rx = anyio.create_memory_object_stream[Message](math.inf)
        receive_tx, receive_rx = anyio.create_memory_object_stream[Message](math.inf)
        with send_tx, send_rx, receive_tx, receive_rx, anyio.CancelScope() as cancel_scope:
            self._receive_tx = receive_tx
            self._send_rx = send_rx
            task_status.started(cancel_scope)
            await self.app(self.scope, receive_rx.receive, send_tx.send)
            await anyio.sleep_forever()

    def _raise_on_close(self, message: Message) -> None:
        if message["type"] == "websocket.close":
            raise WebSocketDisconnect(code=message.get("code", 1000), reason=message.get("reason", ""))
        if message["type"] == "websocket.http.response.start":
            body: list[bytes] = []
            more_body = True
            while more_body:
                piece = self.receive()
                assert piece["type"] == "websocket.http.response.body"
                body.append(bytes(piece["body"]))
                more_body = piece.get("more_body", False)
            raise WebSocketDenialResponse(
                status_code=message["status"], headers=message["headers"], content=b"".join(body)
            )

    def send(self, message: Message) -> None:
        """Send an ASGI message to the application."""
        self.portal.call(self._receive_tx.send, message)

    def send_text(self, data: str) -> None:
        """Send a text message."""
        self.send({"type": "websocket.receive", "text": data})

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self.send({"type": "websocket.receive", "bytes": data})

    def send_json(self, data: Any, mode: Literal["text", "binary"] = "text") -> None:
        """Send JSON in a text message, or in a binary one."""
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        if mode == "text":
            self.send_text(text)
        else:
            self.send_bytes(text.encode("utf-8"))

    def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Tell the application that the client has left."""
        self.send({"type": "websocket.disconnect", "code": code, "reason": reason})

    def receive(self) -> Message:
        """Wait for the application's next message."""
        return self.portal.call(self._send_rx.receive)

    def _receive_data(self) -> Message:
        message = self.receive()
        self._raise_on_close(message)
        return message

    def receive_text(self) -> str:
        """Wait for a text message."""
        return cast(str, self._receive_data()["text"])

    def receive_bytes(self) -> bytes:
        """Wait for a binary message."""
        return cast(bytes, self._receive_data()["bytes"])

    def receive_json(self, mode: Literal["text", "binary"] = "text") -> Any:
        """Wait for JSON in a text message, or in a binary one."""
        message = self._receive_data()
        return json.loads(message["text"] if mode == "text" else message["bytes"].decode("utf-8"))
