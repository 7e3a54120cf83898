"""One HTTP request to an application in process: its channels, and what the application answered.

A `BufferedExchange` collects the whole body while the application runs. A `StreamedExchange` hands each
piece over when it is asked for, so that the application is held up by a slow reader.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import anyio

from covet.types import ASGIApp, Message, Scope

__all__ = ["BufferedExchange", "Exchange", "StreamedExchange"]


class Exchange(ABC):
    """The application's side of a request; checks that its messages come in order."""

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes) -> None:
        self.app = app
        self.scope = scope
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.trailers: list[tuple[bytes, bytes]] = []
        self.debug_info: dict[str, Any] | None = None
        self.started = False
        self.complete = False
        self.trailers_expected = False
        self._request_body: bytes | None = body
        self._body_complete = False
        self._completion: anyio.Event | None = None

    async def receive(self) -> Message:
        """Give the request's body, then a disconnect once the response is complete."""
        if self._request_body is not None:
            body, self._request_body = self._request_body, None
            return {"type": "http.request", "body": body}
        if not self.complete:
            if self._completion is None:
                self._completion = anyio.Event()
            await self._completion.wait()
        return {"type": "http.disconnect"}

    def finish(self) -> None:
        """Note that the response is complete."""
        self.complete = True
        if self._completion is not None:
            self._completion.set()

    async def send(self, message: Message) -> None:
        """Take a message of the response."""
        kind = message["type"]
        if kind == "http.response.body":
            await self._take_body(message)
        elif kind == "http.response.start":
            assert not self.started, 'Received multiple "http.response.start" messages.'
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
            self.trailers_expected = message.get("trailers", False)
            self.started = True
            self.on_start()
        elif kind == "http.response.trailers":
            self._take_trailers(message)
        elif kind == "http.response.debug":
            self.debug_info = message["info"]

    async def _take_body(self, message: Message) -> None:
        assert self.started, 'Received "http.response.body" without "http.response.start".'
        assert not self.complete, 'Received "http.response.body" after response completed.'
        assert not self._body_complete, 'Received "http.response.body" after body completed.'
        more_body = message.get("more_body", False)
        # The application may change the buffer of a memoryview afterwards.
        await self.deliver(
            bytes(message.get("body", b"")), is_last=not more_body and not self.trailers_expected
        )
        if not more_body:
            self._body_complete = True

    def _take_trailers(self, message: Message) -> None:
        assert self.trailers_expected, 'Received "http.response.trailers" without declaring trailers.'
        assert self._body_complete, 'Received "http.response.trailers" before body completed.'
        assert not self.complete, 'Received "http.response.trailers" after response completed.'
        self.trailers.extend(message.get("headers", []))
        if not message.get("more_trailers", False):
            self.finish()

    @abstractmethod
    def on_start(self) -> None:
        """React to the head of the response."""

    @abstractmethod
    async def deliver(self, body: bytes, *, is_last: bool) -> None:
        """Hand a piece of the body to the reader."""


class BufferedExchange(Exchange):
    """A request whose response is read as a whole."""

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes) -> None:
        super().__init__(app, scope, body)
        self.chunks: list[bytes] = []
        self.error: BaseException | None = None

    def on_start(self) -> None:
        """Go on: the head is read together with the body."""

    async def deliver(self, body: bytes, *, is_last: bool) -> None:
        """Keep the piece."""
        self.chunks.append(body)
        if is_last:
            self.finish()

    async def run(self) -> None:
        """Run the application to its end; keep its error."""
        try:
            await self.app(self.scope, self.receive, self.send)
        except Exception as exc:
            self.error = exc


class StreamedExchange(Exchange):
    """A request whose response is read piece by piece while the application runs; made on its loop."""

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes) -> None:
        super().__init__(app, scope, body)
        self.available = anyio.Event()
        self.cancel_scope = anyio.CancelScope()
        self.sending, self.receiving = anyio.create_memory_object_stream[tuple[bytes, bool]](0)

    def on_start(self) -> None:
        """Let the reader have the head."""
        self.available.set()

    async def deliver(self, body: bytes, *, is_last: bool) -> None:
        """Wait for the reader to take the piece."""
        await self.sending.send((body, is_last))

    async def run(self) -> None:
        """Run the application until it ends or is cancelled; its error is raised."""
        try:
            with self.cancel_scope:
                async with self.sending:
                    await self.app(self.scope, self.receive, self.send)
        finally:
            self.available.set()

    async def read(self) -> bytes | None:
        """Return the next piece of the body, None after the last."""
        try:
            body, is_last = await self.receiving.receive()
        except anyio.EndOfStream:
            return None
        if is_last:
            self.finish()
        return body

    async def cancel(self) -> None:
        """Stop the application."""
        self.cancel_scope.cancel()

    async def cancel_if_incomplete(self) -> None:
        """Stop the application unless the response is complete; then it may end its background work."""
        if not self.complete:
            self.cancel_scope.cancel()

    async def close(self) -> None:
        """Close the channel of the body."""
        self.sending.close()
        self.receiving.close()
