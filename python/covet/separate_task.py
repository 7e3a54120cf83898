"""A task of its own for an application that may not share one with a function middleware.

Such a middleware leaves what it called half-way while it looks at the response. An application that opens
cancel scopes or sends from tasks of its own cannot bear that: here it runs beside, message by message.
Needs asyncio for `run_isolated`; nothing else is left half-way.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio

from covet.scope_keys import IN_TASK
from covet.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

__all__ = ["SeparateTask", "forward", "is_last", "run_isolated"]

_DISCONNECT = "http.disconnect"


async def run_isolated(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run an application in a task of its own, and send on what it sends from this one."""
    separate = SeparateTask(app, scope, receive)
    outer, scope[IN_TASK] = scope[IN_TASK], False
    try:
        await forward(separate, asyncio.get_running_loop().create_task(separate.run()), send)
    finally:
        scope[IN_TASK] = outer
    if separate.error is not None:
        raise separate.error


async def forward(separate: SeparateTask, task: asyncio.Task[None], send: Send) -> None:
    """Send on what comes from a task, and wait for its end; cancel it where this one is cancelled."""
    try:
        with separate.receiving:
            async for message in separate.receiving:
                await send(message)
                if is_last(message):
                    separate.response_sent.set()
        separate.response_sent.set()
        await task
    except BaseException:
        task.cancel()
        await asyncio.wait([task])
        raise


def is_last(message: Message) -> bool:
    """Tell whether no more of a response follows a message."""
    kind = message["type"]
    return kind == "http.response.pathsend" or (
        kind == "http.response.body" and not message.get("more_body", False)
    )


class SeparateTask:
    """An application that runs in a task of its own; its messages come out of `receiving`.

    What it sends last returns only when the response was sent, and what it receives afterwards is a
    disconnect; so its background work does not hold up the response.
    """

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        self.app = app
        self.scope = scope
        self.receive = receive
        self.response_sent = anyio.Event()
        self.error: Exception | None = None
        streams: tuple[MemoryObjectSendStream[Message], MemoryObjectReceiveStream[Message]]
        streams = anyio.create_memory_object_stream[Message]()
        self.sending, self.receiving = streams

    async def run(self) -> None:
        """Run the application; keep its error for whoever reads its messages."""
        with self.sending:
            try:
                await self.app(self.scope, self.receive_unless_sent, self.send)
            except Exception as exc:
                self.error = exc

    async def receive_unless_sent(self) -> Message:
        """Receive for the application, or a disconnect as soon as the response was sent."""
        if self.response_sent.is_set():
            return {"type": _DISCONNECT}
        async with anyio.create_task_group() as group:

            async def until_sent() -> None:
                await self.response_sent.wait()
                group.cancel_scope.cancel()

            group.start_soon(until_sent)
            message = await self.receive()
            group.cancel_scope.cancel()
        return {"type": _DISCONNECT} if self.response_sent.is_set() else message

    async def send(self, message: Message) -> None:
        """Hand a message over; drop it if nobody wants it any more."""
        try:
            await self.sending.send(message)
        except anyio.BrokenResourceError:
            return
        if is_last(message):
            await self.response_sent.wait()
