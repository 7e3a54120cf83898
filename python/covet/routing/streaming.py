"""Handlers that yield: server-sent events, JSON lines, or chunks for a response class of the user's choice.

Called by the request handler in place of calling an endpoint and serialising what it returns.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio

from covet.concurrency import abandoning, create_collapsing_task_group, iterate_in_threadpool
from covet.dependencies.kinds import CallKind, call_kind
from covet.encoders import jsonable_encoder
from covet.sse import _PING_INTERVAL, KEEPALIVE_COMMENT, format_sse_event, is_event

__all__ = ["dump_finite", "event_bytes", "event_stream", "iterate", "json_lines", "raw_chunks"]

Serialize = Callable[[Any], bytes]


def _finite(data: Any) -> Any:
    """Return plain data with null for the numbers that JSON has no words for (RFC 8259, section 6)."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return data


def dump_finite(value: Any) -> str:
    """Return any value as JSON text."""
    return json.dumps(_finite(jsonable_encoder(value)))


def event_bytes(item: Any, serialize: Serialize) -> bytes:
    """Return what a handler yielded as one event."""
    if not is_event(item):
        return format_sse_event(data_str=serialize(item).decode())
    data = item.raw_data
    if data is None and item.data is not None:
        dump = getattr(item.data, "model_dump_json", None)
        data = dump_finite(item.data) if dump is None else dump()
    return format_sse_event(
        data_str=data, event=item.event, id=item.id, retry=item.retry, comment=item.comment
    )


def iterate(call: Callable[..., Any], generator: Any) -> AsyncIterator[Any]:
    """Return an async iterator of what a handler yields; a plain generator runs in worker threads."""
    if call_kind(call) is CallKind.ASYNC_GENERATOR:
        iterator: AsyncIterator[Any] = generator.__aiter__()
        return iterator
    return iterate_in_threadpool(generator)


class _Mailbox:
    """One waiting event between the task that makes events and the one that sends them.

    The maker waits until its event was taken. Nothing is lost when waiting for an event is given up to send
    a ping.
    """

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()
        self.error: BaseException | None = None
        self.closed = False
        self.changed = anyio.Event()

    def _wake(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()

    async def put(self, event: bytes) -> None:
        while self.waiting:
            await self.changed.wait()
        self.waiting.append(event)
        self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    async def take(self) -> bytes | None:
        """Return the next event, None after the last."""
        while not self.waiting:
            if self.closed:
                return None
            await self.changed.wait()
        event = self.waiting.popleft()
        self._wake()
        return event


async def _events_with_pings(mailbox: _Mailbox) -> AsyncGenerator[bytes, None]:
    while True:
        event: bytes | None = KEEPALIVE_COMMENT
        with anyio.move_on_after(_PING_INTERVAL):
            event = await mailbox.take()
        if event is None:
            if mailbox.error is not None:
                raise mailbox.error
            return
        yield event
        # Makes cancellation possible between events that are all there already.
        await anyio.sleep(0)


async def event_stream(
    items: AsyncIterator[Any], serialize: Serialize, stack: AsyncExitStack
) -> AsyncIterator[bytes]:
    """Return the events of a handler as bytes, with a comment whenever nothing came for a while.

    The handler runs in a task of its own, which ends at the latest when `stack` is closed: giving up on the
    next event to send a ping must not cancel the handler.
    """
    mailbox = _Mailbox()

    async def make() -> None:
        try:
            async with abandoning(items):
                async for item in items:
                    await mailbox.put(event_bytes(item, serialize))
        except Exception as error:
            mailbox.error = error
        finally:
            mailbox.close()

    @asynccontextmanager
    async def maker() -> AsyncGenerator[None, None]:
        async with create_collapsing_task_group() as tasks:
            tasks.start_soon(make)
            yield
            tasks.cancel_scope.cancel()

    await stack.enter_async_context(maker())
    stream = _events_with_pings(mailbox)
    stack.push_async_callback(stream.aclose)
    return stream


def json_lines(
    call: Callable[..., Any], generator: Any, serialize: Serialize
) -> AsyncIterator[bytes] | Iterator[bytes]:
    """Return each item of a handler as a line of JSON."""
    if call_kind(call) is CallKind.GENERATOR:
        return (serialize(item) + b"\n" for item in generator)

    async def lines() -> AsyncIterator[bytes]:
        async with abandoning(generator):
            async for item in generator:
                yield serialize(item) + b"\n"
                await anyio.sleep(0)

    return lines()


def raw_chunks(call: Callable[..., Any], generator: Any) -> Any:
    """Return the chunks of a handler as they are, with room for cancellation between them."""
    if call_kind(call) is CallKind.GENERATOR:
        return generator

    async def chunks() -> AsyncIterator[Any]:
        async with abandoning(generator):
            async for chunk in generator:
                yield chunk
                await anyio.sleep(0)

    return chunks()
