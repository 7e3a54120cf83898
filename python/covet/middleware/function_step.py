"""Function middleware as steps of the engine's pipeline, on our own server.

The engine calls `FunctionStep.run` of the outermost one. As long as nobody has changed the request, what lies
behind a step (native middleware, the route's plan) is run by the engine; whatever is out of the ordinary goes
through the ASGI applications that `covet.pipeline` gave the step. Same answers as those of the class's call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from covet.middleware.base import BaseHTTPMiddleware, _CachedRequest, _StreamingResponse
from covet.middleware.in_task import InTask
from covet.requests import Request
from covet.responses.base import Response
from covet.scope_keys import IN_TASK
from covet.types import ASGIApp, Message, Receive, Scope, Send
from covet.unanswered import must_answer

__all__ = ["OUTCOME", "FunctionStep", "Passage"]

# What a plan came to, for the application that makes an answer of it: an exception or a response.
OUTCOME = "covet.outcome"


class Passage(Protocol):
    """One request on its way, as the engine shows it."""

    has_begun: bool

    def open(self) -> tuple[Scope, Receive, Send]:
        """Return the ASGI channel of the request; made at the first call."""

    def is_unchanged(self) -> bool:
        """Say whether routes and parameters would still be found as the client sent them."""

    def enter(self, segment: int) -> Response | None:
        """Go inwards through native middleware; return its early answer."""

    def plan(self, segment: int | None) -> Awaitable[Response] | None:
        """Return what runs the route's plan and takes its answer through native middleware; None when only
        Python can answer. A response of another class has not been through it.
        """

    def leave(self, segment: int | None, response: Response) -> Response | None:
        """Go outwards through native middleware; None when only the response knows what it sends."""

    def send(self, response: Response) -> bool:
        """Answer; False when only the response knows what it sends."""

    def background(self) -> list[Callable[[], Awaitable[None]]]:
        """Return what runs after the answer."""

    def step_outside(self) -> None:
        """Leave all middleware of the user's: what answers now is not seen by it."""


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
        self.below: list[InTask] = []
        self.background: list[Callable[[], Awaitable[None]]] = []

    async def through(self, app: ASGIApp, request: _CachedRequest) -> Response:
        """Run an application until its response begins."""
        scope, _, send = self.passage.open()
        below = InTask(app, scope, request.wrapped_receive, send)
        self.below.append(below)
        scope[IN_TASK] = True
        message, info = await below.start()
        return _StreamingResponse.of(message, below.body(), info, below.forward_body)

    def carry(self, segment: int | None, response: Response) -> Response | None:
        """Take a response outwards to the next step; None when only it knows what it sends."""
        carried = self.passage.leave(segment, response)
        if carried is not None and response.background is not None:
            self.background.append(response.background)
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
        for task in reversed(self.background):
            await task()
        for below in self.below:
            below.scope[IN_TASK] = True
            await below.finish()
        for task in self.passage.background():
            await task()

    async def forget(self) -> None:
        """Give up what came of an earlier `call_next`."""
        await self.abort()
        self.below.clear()
        self.background.clear()

    async def abort(self) -> None:
        """Cancel what is half-way."""
        for below in self.below:
            await below.abort()

    def close(self) -> None:
        """Stop what is half-way, where it cannot be waited for."""
        for below in self.below:
            below.close()


class FunctionStep:
    """One function middleware, and what lies behind it up to the next one.

    `segment` is the number of the native middleware directly behind it. `rest` is all that lies behind it as
    an ASGI application; `unusual` is the ASGI form of that segment around an application that makes an answer
    of `scope[OUTCOME]`.
    """

    def __init__(
        self,
        layer: BaseHTTPMiddleware,
        segment: int | None,
        following: FunctionStep | None,
        rest: ASGIApp,
        unusual: ASGIApp,
    ) -> None:
        self.dispatch = layer.dispatch_func
        self.segment = segment
        self.following = following
        self.rest = rest
        self.unusual = unusual

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
        if visit.below or visit.background:
            await visit.forget()
        if not request.is_unchanged():
            return await visit.through(self.rest, request)
        # Before native middleware is entered: what then is Python's to answer would enter it again.
        plan = visit.passage.plan(self.segment) if self.following is None else None
        if plan is None and self.following is None:
            return await visit.through(self.rest, request)
        early = None if self.segment is None else visit.passage.enter(self.segment)
        if early is not None:
            return early
        outcome: Response | Exception
        if self.following is None:
            outcome, carried = await _run(plan)
        else:
            response = await self.following.respond(visit)
            must_answer(response, self.following.dispatch)
            outcome, carried = response, visit.carry(self.segment, response)
        if carried is not None:
            return carried
        request.scope[OUTCOME] = outcome
        return await visit.through(self.unusual, request)


async def _run(plan: Awaitable[Response] | None) -> tuple[Response | Exception, Response | None]:
    """Return what a plan came to, and the response if it has left the native middleware already."""
    assert plan is not None
    try:
        outcome = await plan
    except Exception as exc:
        return exc, None
    return outcome, outcome if type(outcome) is _StreamingResponse else None


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
