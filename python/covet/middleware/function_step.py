"""Function middleware as steps of the engine's pipeline, on our own server.

The engine calls `FunctionStep.run` of the outermost one. As long as nobody has changed the request, what lies
behind a step (native middleware, the route's plan) is run by the engine; whatever is out of the ordinary goes
through the ASGI applications that `covet.pipeline` gave the step. Same answers as those of the class's call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from covet.middleware.base import BaseHTTPMiddleware, _CachedRequest, _StreamingResponse
from covet.middleware.exceptions import ExceptionMiddleware
from covet.middleware.in_task import InTask
from covet.middleware.passage import Passage, PlanRun
from covet.middleware.plan_task import PlanTask
from covet.requests import Request
from covet.responses.base import Response
from covet.scope_keys import IN_TASK
from covet.types import ASGIApp, Message, Scope, Send
from covet.unanswered import must_answer

__all__ = ["OUTCOME", "FunctionStep"]

# What a plan came to, for the application that makes an answer of it: an exception, a response or its task.
OUTCOME = "covet.outcome"


class _LateRequest(_CachedRequest):
    """The request that a step gets: its scope is made when somebody looks at it."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage

    def __getattr__(self, name: str) -> Any:
        # Only called for what is not there: everything that `__init__` of a request sets, before it ran.
        own = self.__dict__
        if name not in _SET_BY_INIT or "scope" in own:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        assigned = dict(own)
        scope, receive, send = self._passage.open()
        super().__init__(scope, receive, send)
        self._given = receive
        own.update(assigned)
        return own[name]

    def is_unchanged(self) -> bool:
        """Tell whether the client's request is still there, its body unread."""
        own = self.__dict__
        if len(own) == 1:
            return True
        body_is_there = not self._stream_consumed and self._receive is self._given and "_body" not in own
        return body_is_there and self._passage.is_unchanged()


_SET_BY_INIT = frozenset(
    {
        "scope",
        "_receive",
        "_send",
        "_stream_consumed",
        "_is_disconnected",
        "_form",
        "_wrapped_rcv_disconnected",
        "_wrapped_rcv_consumed",
    }
)


class _Visit:
    """One request in all steps: what is half-way, and what follows the answer."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.half_way: list[InTask | PlanTask] = []
        # What runs after the answer, innermost first.
        self.ends: list[Callable[[], Awaitable[None]]] = []

    async def through(self, app: ASGIApp, request: _CachedRequest) -> Response:
        """Run an application until its response begins."""
        scope, _, send = self.passage.open()
        return await self._below(app, scope, request, send)

    async def around(self, app: ASGIApp, outcome: object, request: _CachedRequest) -> Response:
        """Run the ASGI form of native middleware that the request has entered, around what lies behind it."""
        _, _, send = self.passage.open()
        scope = self.passage.original()
        scope[OUTCOME] = outcome
        return await self._below(app, scope, request, send)

    async def _below(self, app: ASGIApp, scope: Scope, request: _CachedRequest, send: Send) -> Response:
        below = InTask(app, scope, request.wrapped_receive, send)
        self.half_way.append(below)
        self.ends.append(partial(_finish, below))
        scope[IN_TASK] = True
        message, info = await below.start()
        return _StreamingResponse.of(message, below.body(), info, below.forward_body)

    async def run(self, task: PlanTask, plan: PlanRun) -> Response | None:
        """Run a plan until its response is there; None when it is the task's to send."""
        self.half_way.append(task)
        self.ends.append(task.finish)
        return await task.start(plan)

    def carry(self, segment: int | None, response: Response) -> Response | None:
        """Take a response outwards to the next step; None when only it knows what it sends."""
        carried = self.passage.leave(segment, response)
        if carried is not None and response.background is not None:
            self.ends.append(response.background)
            response.background = None
        return carried

    async def answer(self, response: Response) -> None:
        """Send the outermost response, then let everything run to its end, outermost first."""
        if self.passage.send(response):
            if response.background is not None:
                await response.background()
        else:
            scope, receive, send = self.passage.open()
            scope[IN_TASK] = False
            await response(scope, receive, send)
        for end in reversed(self.ends):
            await end()
        for task in self.passage.background():
            await task()

    async def forget(self) -> None:
        """Give up what came of an earlier `call_next`."""
        await self.abort()
        self.half_way.clear()
        self.ends.clear()

    async def abort(self) -> None:
        """Cancel what is half-way."""
        for begun in reversed(self.half_way):
            await begun.abort()

    def close(self) -> None:
        """Stop what is half-way, where it cannot be waited for."""
        for begun in reversed(self.half_way):
            begun.close()


async def _finish(below: InTask) -> None:
    below.scope[IN_TASK] = True
    await below.finish()


class FunctionStep:
    """One function middleware, and what lies behind it up to the next one.

    `segment` is the number of the native middleware directly behind it. `rest` is all that lies behind it as
    an ASGI application; `unusual` is the ASGI form of that segment around an application that makes an answer
    of `scope[OUTCOME]`; `handlers` are the application's exception handlers.
    """

    def __init__(
        self,
        layer: BaseHTTPMiddleware,
        segment: int | None,
        following: FunctionStep | None,
        *,
        rest: ASGIApp,
        unusual: ASGIApp,
        handlers: ExceptionMiddleware,
    ) -> None:
        self.dispatch = layer.dispatch_func
        self.segment = segment
        self.following = following
        self.rest = rest
        self.unusual = unusual
        self.handlers = handlers

    async def run(self, passage: Passage, fail: ASGIApp) -> None:
        """Answer a request, as the outermost step; `fail` answers and raises `scope[OUTCOME]`."""
        visit = _Visit(passage)
        try:
            response = await self.respond(visit)
            must_answer(response, self.dispatch)
            await visit.answer(response)
        except GeneratorExit:
            visit.close()
            raise
        except Exception as exc:
            await visit.abort()
            await _fail(passage, fail, exc)
        except BaseException:
            await visit.abort()
            raise

    def respond(self, visit: _Visit) -> Awaitable[Response]:
        """Return what calls the middleware and gives its response."""
        request = _LateRequest(visit.passage)
        return self.dispatch(request, partial(self._call_next, visit, request))

    async def _call_next(self, visit: _Visit, request: _LateRequest, _given: Request) -> Response:
        if visit.ends:
            await visit.forget()
        if not request.is_unchanged():
            return await visit.through(self.rest, request)
        if self.following is None:
            return await self._run_plan(visit, request)
        early = None if self.segment is None else visit.passage.enter(self.segment)
        if early is not None:
            return early
        response = await self.following.respond(visit)
        must_answer(response, self.following.dispatch)
        carried = visit.carry(self.segment, response)
        if carried is not None:
            return carried
        return await visit.around(self.unusual, response, request)

    async def _run_plan(self, visit: _Visit, request: _LateRequest) -> Response:
        passage = visit.passage
        task = PlanTask(passage, self.segment, request, self.handlers) if passage.has_exits else None
        # Before native middleware is entered: what then is Python's to answer would enter it again.
        plan = passage.plan(self.segment, None if task is None else task.deliver)
        if plan is None:
            return await visit.through(self.rest, request)
        early = None if self.segment is None else passage.enter(self.segment)
        if early is not None:
            plan.close()
            return early
        if task is not None:
            response = await visit.run(task, plan)
            if response is not None:
                return response
            return await visit.around(self.unusual, task, request)
        try:
            outcome: Response | Exception | None = await plan
        except Exception as exc:
            outcome = exc
        if type(outcome) is _StreamingResponse:
            return outcome
        try:
            return await visit.around(self.unusual, outcome, request)
        finally:
            # An error would keep its own frames.
            outcome = None


async def _fail(passage: Passage, fail: ASGIApp, error: Exception) -> None:
    """Let the application's outermost layer answer an error of the middleware itself, and raise it."""
    scope, receive, send = passage.open()
    scope[OUTCOME] = error
    scope[IN_TASK] = False
    if passage.has_begun:
        await fail(scope, receive, _dropped)
    else:
        passage.step_outside()
        await fail(scope, receive, send)


async def _dropped(message: Message) -> None:
    """Send nothing: an answer has gone out already."""
