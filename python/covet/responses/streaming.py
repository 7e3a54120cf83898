"""Responses whose body comes from an iterable, piece by piece.

A server that does not report a lost client through `send` (ASGI before 2.4) is watched through `receive`
beside the stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping

from covet.background import BackgroundTask
from covet.concurrency import abandoning, create_collapsing_task_group, iterate_in_threadpool
from covet.requests import ClientDisconnect
from covet.responses.base import Response
from covet.scope_keys import IN_TASK
from covet.separate_task import run_isolated
from covet.types import Receive, Scope, Send

__all__ = ["AsyncContentStream", "Content", "ContentStream", "StreamingResponse", "SyncContentStream"]

Content = str | bytes | memoryview
SyncContentStream = Iterable[Content]
AsyncContentStream = AsyncIterable[Content]
ContentStream = AsyncContentStream | SyncContentStream


class StreamingResponse(Response):
    """A response that sends what an iterable gives; a blocking one is iterated in a worker thread."""

    body_iterator: AsyncContentStream

    def __init__(
        self,
        content: ContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.body_iterator = content if isinstance(content, AsyncIterable) else iterate_in_threadpool(content)
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.background = background
        self.init_headers(headers)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return when the client has left."""
        while (await receive())["type"] != "http.disconnect":
            pass

    async def stream_response(self, send: Send) -> None:
        """Send the head, every piece and the end; a generator that is cut off is closed before this ends."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with abandoning(self.body_iterator):
            async for chunk in self.body_iterator:
                body = chunk.encode(self.charset) if isinstance(chunk, str) else chunk
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.stream_response(self._wrap_websocket_denial_send(send))
        elif reports_disconnect(scope):
            try:
                await self.stream_response(send)
            except OSError as exc:
                raise ClientDisconnect() from exc
        elif scope.get(IN_TASK):
            # Watching takes a second task, which the one of a function middleware cannot have.
            await run_isolated(self, scope, receive, send)
            return
        else:
            await until_first(
                lambda: self.stream_response(send),
                lambda: self.listen_for_disconnect(receive),
            )
        await self._run_background(scope)


def reports_disconnect(scope: Scope) -> bool:
    """Tell whether the server raises OSError from `send` once the client has left (ASGI 2.4)."""
    version: str = scope.get("asgi", {}).get("spec_version", "2.0")
    return tuple(map(int, version.split("."))) >= (2, 4)


async def until_first(work: Callable[[], Awaitable[None]], watch: Callable[[], Awaitable[None]]) -> None:
    """Run two together; whichever ends first cancels the other."""
    async with create_collapsing_task_group() as group:

        async def then_cancel(run: Callable[[], Awaitable[None]]) -> None:
            await run()
            group.cancel_scope.cancel()

        group.start_soon(then_cancel, work)
        await then_cancel(watch)
