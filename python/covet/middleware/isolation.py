"""Which code may run in the task of a middleware, and a task of its own for what may not.

Function middleware runs what is below it as a coroutine of the same task, and leaves it half-way while its
response is looked at. Code of this package allows that. Anything else may hold cancel scopes open or send
from tasks of its own, so it gets a task: the same answers, at a price.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from covet.responses.base import Response
from covet.responses.files import FileResponse
from covet.responses.streaming import StreamingResponse
from covet.scope_keys import IN_TASK
from covet.separate_task import run_isolated
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = ["passes_through", "run_handler", "run_isolated", "runs_in_task", "send_response"]

C = TypeVar("C", bound=type[Any])


def passes_through(cls: C) -> C:
    """Mark a middleware that only awaits the application below it, in the task that it was called in."""
    cls._in_task_call = cls.__call__
    return cls


def runs_in_task(app: Any) -> bool:
    """Tell whether all middleware down to a router is known to stay in its task.

    A class whose `__call__` was overridden or replaced is not known any more.
    """
    while True:
        decide: Callable[[], bool] | None = getattr(app, "runs_in_task", None)
        if decide is not None:
            return decide()
        cls = type(app)
        if getattr(cls, "_in_task_call", None) is not cls.__call__:
            return False
        app = app.app


async def run_handler(handle: ASGIApp, stays: bool, scope: Scope, receive: Receive, send: Send) -> None:
    """Run what answers a request; in a task of its own if this one may be left and it does not stay."""
    if stays or not scope.get(IN_TASK):
        await handle(scope, receive, send)
    else:
        await run_isolated(handle, scope, receive, send)


async def send_response(response: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response; one that may use tasks of its own gets one to do so."""
    if not scope.get(IN_TASK) or _is_plain(response):
        await response(scope, receive, send)
    else:
        await run_isolated(response, scope, receive, send)


def _is_plain(response: Any) -> bool:
    # Our own streams and files see to themselves.
    return type(response).__call__ in (Response.__call__, StreamingResponse.__call__, FileResponse.__call__)
