"""Middleware written as `dispatch(request, call_next) -> response`.

`call_next` runs the application below and returns when its response begins; the body follows through
`body_iterator`, which may be replaced. Background work of the application goes on only after the response
of the middleware was sent. Code that is known to allow it runs in the same task, other code in its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing
from typing import Any

import anyio

from covet.concurrency import create_collapsing_task_group
from covet.middleware.in_task import InTask
from covet.middleware.isolation import passes_through, runs_in_task
from covet.requests import ClientDisconnect, Request
from covet.responses.base import Response
from covet.scope_keys import DOOR, IN_TASK
from covet.separate_task import SeparateTask
from covet.types import ASGIApp, Message, Receive, Scope, Send
from covet.unanswered import must_answer, no_response

__all__ = ["BaseHTTPMiddleware", "DispatchFunction", "RequestResponseEndpoint"]

RequestResponseEndpoint = Callable[[Request], Awaitable[Response]]
DispatchFunction = Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]
BodyStreamGenerator = AsyncGenerator[bytes | MutableMapping[str, Any], None]
AsyncContentStream = AsyncIterable[str | bytes | memoryview | MutableMapping[str, Any]]

_DISCONNECT = "http.disconnect"


class _CachedRequest(Request):
    """The request that `dispatch` gets, and the channel that the application below reads instead.

    A body that `dispatch` read or assigned is given again; one that it streamed is given as empty, so
    that the application does not wait for what has passed.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._wrapped_rcv_disconnected = False
        self._wrapped_rcv_consumed = False

    async def wrapped_receive(self) -> Message:
        """Receive what the application below has not seen yet."""
        if self._wrapped_rcv_disconnected:
            return {"type": _DISCONNECT}
        if self._wrapped_rcv_consumed:
            return await self._receive_disconnect()
        if getattr(self, "_body", None) is not None:
            self._wrapped_rcv_consumed = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        if self._stream_consumed:
            self._wrapped_rcv_consumed = True
            return {"type": "http.request", "body": b"", "more_body": False}
        return await self._receive_chunk()

    async def _receive_disconnect(self) -> Message:
        """After the body nothing but a disconnect can come; do not wait for one that was seen."""
        if not self._is_disconnected:
            message = await self.receive()
            if message["type"] != _DISCONNECT:
                raise RuntimeError(f"Unexpected message received: {message['type']}")
        self._wrapped_rcv_disconnected = True
        return {"type": _DISCONNECT}

    async def _receive_chunk(self) -> Message:
        try:
            async with aclosing(self.stream()) as stream:
                chunk = await anext(stream)
        except ClientDisconnect:
            self._wrapped_rcv_disconnected = True
            return {"type": _DISCONNECT}
        self._wrapped_rcv_consumed = self._stream_consumed
        return {"type": "http.request", "body": chunk, "more_body": not self._stream_consumed}


class _TwoTasks:
    """The application below in a task of its own, and the messages that it sends."""

    def __init__(self, separate: SeparateTask, send: Send) -> None:
        self.separate = separate
        self.send = send
        self.error_raised = False

    async def start(self) -> tuple[Message, Mapping[str, Any] | None]:
        """Return the head of the response and what it tells debuggers, once the application has begun it."""
        info: Mapping[str, Any] | None = None
        while True:
            try:
                message = await self.separate.receiving.receive()
            except anyio.EndOfStream:
                break
            kind = message["type"]
            if kind == "http.response.debug":
                info = message["info"]
            elif kind == "http.response.early_hint":
                await self.send(message)
            else:
                assert kind == "http.response.start"
                return message, info
        error = self.separate.error
        if error is None:
            raise no_response(self.separate.app, self.separate.scope)
        self.error_raised = True
        # Raised outside of the `except` above: the end of the stream is no part of the error's story.
        raise error from error.__cause__ or error.__context__

    async def body(self) -> BodyStreamGenerator:
        """Yield the pieces of the body, or the message that lets the server send a file."""
        async for message in self.separate.receiving:
            if message["type"] == "http.response.pathsend":
                yield message
                return
            assert message["type"] == "http.response.body", f"Unexpected message: {message}"
            if piece := message.get("body", b""):
                yield piece
            if not message.get("more_body", False):
                return


@passes_through
class BaseHTTPMiddleware:
    """Override `dispatch`, or give a function as `dispatch`."""

    _below_runs_in_task: bool | None = None

    def __init__(self, app: ASGIApp, dispatch: DispatchFunction | None = None) -> None:
        self.app = app
        self.dispatch_func = self.dispatch if dispatch is None else dispatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._below_runs_in_task is None:
            self._below_runs_in_task = runs_in_task(self.app)
        request = _CachedRequest(scope, receive, send)
        if self._below_runs_in_task and _task_of_asyncio():
            await self._in_task(request, scope, send)
        else:
            await self._in_two_tasks(request, scope, send)

    async def _in_task(self, request: _CachedRequest, scope: Scope, send: Send) -> None:
        below = InTask(self.app, scope, request.wrapped_receive, send)
        outer, scope[IN_TASK] = scope.get(IN_TASK, False), True

        async def call_next(request: Request) -> Response:
            message, info = await below.start()
            forward = below.forward_body if DOOR in scope.get("extensions", ()) else None
            return _StreamingResponse.of(message, below.body(), info, forward)

        try:
            response = await self.dispatch_func(request, call_next)
            must_answer(response, self.dispatch_func)
            # The response is this middleware's own: whether it may be left half-way is for those above.
            scope[IN_TASK] = outer
            await response(scope, request.wrapped_receive, send)
            scope[IN_TASK] = True
            await below.finish()
        except GeneratorExit:
            below.close()
            raise
        except BaseException:
            await below.abort()
            raise
        finally:
            scope[IN_TASK] = outer

    async def _in_two_tasks(self, request: _CachedRequest, scope: Scope, send: Send) -> None:
        separate = SeparateTask(self.app, scope, request.wrapped_receive)
        below = _TwoTasks(separate, send)
        with separate.receiving, separate.sending:
            async with create_collapsing_task_group() as group:

                async def call_next(request: Request) -> Response:
                    group.start_soon(separate.run)
                    message, info = await below.start()
                    return _StreamingResponse.of(message, below.body(), info)

                response = await self.dispatch_func(request, call_next)
                must_answer(response, self.dispatch_func)
                await response(scope, request.wrapped_receive, send)
                separate.response_sent.set()
                separate.receiving.close()
        if separate.error is not None and not below.error_raised:
            raise separate.error

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer the request; `await call_next(request)` gives the response of the application below."""
        raise NotImplementedError()


def _task_of_asyncio() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


class _StreamingResponse(Response):
    """What `call_next` returns: the status and headers of the application, its body piece by piece."""

    _original: AsyncContentStream | None = None
    _forward: Callable[[Send], Awaitable[None]] | None = None

    def __init__(
        self,
        content: AsyncContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        self.info = info
        self.body_iterator = content
        self.status_code = status_code
        self.media_type = media_type
        self.init_headers(headers)
        self.background = None

    @classmethod
    def of(
        cls,
        head: Message,
        content: AsyncContentStream,
        info: Mapping[str, Any] | None,
        forward: Callable[[Send], Awaitable[None]] | None = None,
    ) -> _StreamingResponse:
        """Make the response of an application's head; `forward` sends a body that was not touched."""
        response = cls.__new__(cls)  # past `__init__`: the head has its fields already
        response.info = info
        response.body_iterator = response._original = content
        response._forward = forward
        response.status_code = head["status"]
        response.raw_headers = head.get("headers", [])
        response.background = None
        return response

    @classmethod
    def native(cls, status: int, raw_headers: list[tuple[bytes, bytes]], body: Any) -> _StreamingResponse:
        """Make the response of an answer that the engine holds; `body` iterates over what it holds."""
        response = cls.__new__(cls)
        response.info = None
        response.body_iterator = body
        response.status_code = status
        response.raw_headers = raw_headers
        response.background = None
        return response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.info is not None:
            await send({"type": "http.response.debug", "info": self.info})
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if self._forward is not None and self.body_iterator is self._original:
            await self._forward(send)
        else:
            await self._send_pieces(send)
        if self.background is not None:
            await self.background()

    async def _send_pieces(self, send: Send) -> None:
        ended = False
        async for piece in self.body_iterator:
            if isinstance(piece, dict):
                ended = True
                await send(piece)
            else:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        if not ended:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
