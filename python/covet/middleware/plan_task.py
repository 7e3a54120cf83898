"""A route's plan in a task of its own: for dependencies with exits behind function middleware.

Their exits run after the answer, when the middleware has returned; what they hold until then may be a cancel
scope or a task group, which must not outlive one that the middleware opened around `call_next`. So they get a
task, as under every `BaseHTTPMiddleware`. An answer that the engine can send is handed over as it is; any
other is sent from within this task, where its stream still has its dependencies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from covet.middleware.base import _CachedRequest, _StreamingResponse
from covet.middleware.exceptions import ExceptionMiddleware, response_to
from covet.middleware.passage import Passage, PlanRun
from covet.requests import Request
from covet.responses.base import Response
from covet.scope_keys import IN_TASK, REQUEST
from covet.separate_task import SeparateTask, forward
from covet.types import Send

__all__ = ["PlanTask"]


class PlanTask:
    """One run of a plan, from its first call to the last exit."""

    def __init__(
        self, passage: Passage, segment: int | None, request: _CachedRequest, handlers: ExceptionMiddleware
    ) -> None:
        self.passage = passage
        self.segment = segment
        self.request = request
        self.handlers = handlers
        self.task: asyncio.Task[None] | None = None
        self.response: Response | None = None
        self.channel: SeparateTask | None = None
        self.error: Exception | None = None
        self._aborted = False
        self._news: asyncio.Future[None] | None = None
        self._sent: asyncio.Future[None] | None = None

    async def start(self, plan: PlanRun) -> Response | None:
        """Return the response, which has left the native middleware; None when `forward` is to answer."""
        self.task = self.passage.start(self._run(plan))
        if self.task is not None:
            self.task.add_done_callback(self._tell)
            if not self._has_begun:
                await self._wait()
        return self.response

    async def forward(self, send: Send) -> None:
        """Send the response that only this task can send, or raise what became of it."""
        if self.channel is not None and self.task is not None:
            scope = self.channel.scope
            outer, scope[IN_TASK] = scope[IN_TASK], False
            try:
                await forward(self.channel, self.task, send)
            finally:
                scope[IN_TASK] = outer
        if self.error is not None:
            raise self.error

    async def finish(self) -> None:
        """Let background tasks and exits run, after the response was sent; raise their error."""
        if self._sent is not None and not self._sent.done():
            self._sent.set_result(None)
        await self._wait()
        # Whatever `forward` came to has been raised there.
        if self.response is not None and self.error is not None and not self._aborted:
            raise self.error

    async def abort(self) -> None:
        """Cancel the task and wait for it; its own errors are of no interest any more."""
        self._aborted = True
        if self.task is not None and not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task])

    def close(self) -> None:
        """Stop the task where it cannot be waited for."""
        # A loop that is closed already runs nothing any more.
        with suppress(RuntimeError):
            if self.task is not None:
                self.task.cancel()

    @property
    def _has_begun(self) -> bool:
        return self.response is not None or self.channel is not None

    async def _wait(self) -> None:
        """Wait for news of the task: that its answer is there, and later that it has ended."""
        if self.task is None:
            return
        if not self.task.done():
            self._news = asyncio.get_running_loop().create_future()
            try:
                await self._news
            except BaseException:
                await self.abort()
                raise
        if self.task.done() and not self._aborted:
            # Only a cancellation of its own comes out here: `_run` keeps other errors.
            self.task.result()

    def _tell(self, _ended: Any = None) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _run(self, plan: PlanRun) -> None:
        try:
            await self._answer_errors_of(plan)
        except Exception as exc:
            self.error = exc
        finally:
            if self.channel is not None:
                self.channel.sending.close()

    async def _answer_errors_of(self, plan: PlanRun) -> None:
        try:
            await plan
        except Exception as exc:
            handler = self.handlers.handler_of(exc)
            if handler is None:
                raise
            response = await response_to(exc, handler, self._connection, has_begun=self._has_begun)
            if response is not None:
                await self.deliver(response)
            exc.__traceback__ = None

    def _connection(self) -> Request:
        scope, _, send = self.passage.open()
        request: Request | None = scope.pop(REQUEST, None)
        return request or Request(scope, self.request.wrapped_receive, send)

    async def deliver(self, response: Response) -> None:
        """Hand a response over; return when it was sent and its background tasks have run."""
        if type(response) is _StreamingResponse:
            await self._hold(response, None)
        elif (carried := self.passage.leave(self.segment, response)) is not None:
            await self._hold(carried, response.background)
        else:
            await self._send(response)

    async def _hold(self, response: Response, background: Callable[[], Awaitable[None]] | None) -> None:
        self.response = response
        self._sent = asyncio.get_running_loop().create_future()
        self._tell()
        await self._sent
        if background is not None:
            await background()
        for task in self.passage.background():
            await task()

    async def _send(self, response: Response) -> None:
        scope, _, _ = self.passage.open()
        scope[IN_TASK] = False
        self.channel = SeparateTask(response, scope, self.request.wrapped_receive)
        self._tell()
        await response(scope, self.channel.receive_unless_sent, self.channel.send)
