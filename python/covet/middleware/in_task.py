"""The application below a function middleware as a coroutine of the same task.

The coroutine is driven by hand: what it awaits is passed on to the event loop, and when it sends a message
it is left where it is until the next one is wanted. Needs asyncio, and an application that `runs_in_task`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, MutableMapping
from types import coroutine
from typing import Any

from covet.types import ASGIApp, Message, Receive, Scope, Send
from covet.unanswered import no_response

__all__ = ["InTask"]

BodyStream = AsyncGenerator[bytes | MutableMapping[str, Any], None]


class _HandOver:
    """What the coroutine yields to the driver, and never to the event loop, when it has sent a message."""

    def __await__(self) -> Generator[_HandOver, None, None]:
        yield self


class InTask:
    """One run of the application below, up to its end."""

    message: Message

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.app = app
        self.scope = scope
        self.receive_above = receive
        self.send_above = send
        self.running: Coroutine[Any, Any, None] | None = None
        self.closed = False
        self.error: Exception | None = None
        self._hand_over = _HandOver()

    async def receive(self) -> Message:
        """Receive for the application; a disconnect once the response was sent."""
        if self.closed:
            return {"type": "http.disconnect"}
        return await self.receive_above()

    async def send(self, message: Message) -> None:
        """Hand a message over; drop it if nobody wants it any more."""
        if not self.closed:
            self.message = message
            await self._hand_over

    async def start(self) -> tuple[Message, Mapping[str, Any] | None]:
        """Run until the response begins; return its head and what it tells debuggers."""
        if self.running is not None:
            await self.abort()
            self.closed = False
        call: Any = self.app(self.scope, self.receive, self.send)
        self.running = call
        info: Mapping[str, Any] | None = None
        while await self._next_before_start():
            kind = self.message["type"]
            if kind == "http.response.debug":
                info = self.message["info"]
            elif kind == "http.response.early_hint":
                await self.send_above(self.message)
            else:
                assert kind == "http.response.start"
                return self.message, info
        raise no_response(self.app, self.scope)

    async def _next_before_start(self) -> bool:
        try:
            return await self._next()
        except Exception as exc:
            error = exc
        try:
            raise EOFError("the application below ended without a response")
        except EOFError:
            # As from a stream that has ended: an earlier error is the cause, the stream's end is not shown.
            raise error from error.__cause__ or error.__context__

    async def body(self) -> BodyStream:
        """Yield the pieces of the body, or the message that lets the server send a file."""
        while await self._next_of_body():
            message = self.message
            if message["type"] == "http.response.pathsend":
                yield message
                return
            if piece := message.get("body", b""):
                yield piece
            if not message.get("more_body", False):
                return

    async def forward_body(self, send: Send) -> None:
        """Send the body on as it comes, message by message."""
        while await self._next_of_body():
            message = self.message
            await send(message)
            if message["type"] == "http.response.pathsend" or not message.get("more_body", False):
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next_of_body(self) -> bool:
        try:
            found = await self._next()
        except Exception as exc:
            # The response has begun: it is ended first, and the error is raised afterwards.
            self.error = exc
            return False
        if found and self.message["type"] != "http.response.pathsend":
            assert self.message["type"] == "http.response.body", f"Unexpected message: {self.message}"
        return found

    async def finish(self) -> None:
        """Let the application run to its end, after the response was sent; raise its error."""
        self.closed = True
        await self._next()
        if self.error is not None:
            raise self.error

    async def abort(self) -> None:
        """Cancel the application and wait for it; its own errors are of no interest any more."""
        self.closed = True
        try:
            await self._next(asyncio.CancelledError())
        except (Exception, asyncio.CancelledError):
            pass

    def close(self) -> None:
        """Stop the application where it cannot be waited for."""
        running, self.running = self.running, None
        if running is not None:
            running.close()

    async def _next(self, error: BaseException | None = None) -> bool:
        """Run on; return whether a message was sent. False means the end."""
        if self.running is None:
            return False
        try:
            found = await _drive(self.running, self._hand_over, error)
        except BaseException:
            self.running = None
            raise
        if not found:
            self.running = None
        return found


@coroutine
def _drive(
    running: Coroutine[Any, Any, None], hand_over: _HandOver, error: BaseException | None
) -> Generator[Any, Any, bool]:
    """Drive a coroutine until it hands over a message (True) or returns (False)."""
    resume: Callable[[Any], Any] = running.send if error is None else running.throw
    value: Any = error
    while True:
        try:
            awaited = resume(value)
        except StopIteration:
            return False
        if awaited is hand_over:
            return True
        try:
            value = yield awaited
            resume = running.send
        except GeneratorExit:
            running.close()
            raise
        except BaseException as exc:
            value, resume = exc, running.throw
