"""Generator dependencies of native plans: opened and closed here, by the stacks the Python path uses too.

The engine awaits `Exits.run` around the calls of a plan, and passes the stacks to each call that opens a
generator. Errors of the calls come through here, so that a generator sees them at its `yield`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Protocol

import anyio

from covet.concurrency import contextmanager_in_threadpool
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependency_limit import shielded_exit
from covet.exceptions import FastAPIError

__all__ = ["EXITS", "NOT_AWAITED", "Exits", "opener"]

# The keyword by which an opener is given the stacks; no parameter of a dependency is called so.
EXITS = "__covet_exits"
NOT_AWAITED = (
    "Response not awaited. There's a high chance that the application code is raising an exception "
    "and a dependency with yield has a block with a bare except, or a block with except Exception, "
    "and is not raising the exception again. Read more about it in the docs: "
    "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/"
    "#dependencies-with-yield-and-except"
)


class Calls(Protocol):
    """The calls of a plan, as one awaitable."""

    def __await__(self) -> Any: ...

    def deliver(self) -> Awaitable[None] | None:
        """Answer with what the handler returned; what is given back is to be awaited."""


class Exits:
    """The two stacks of one request: left when the handler has returned, and after the answer was sent."""

    def __init__(self) -> None:
        self.request_stack = AsyncExitStack()
        self.function_stack = AsyncExitStack()
        self._cleanup: anyio.CancelScope | None = None

    async def run(self, calls: Calls) -> None:
        """Run the calls and answer, inside the stacks."""
        sent = False
        async with self.request_stack:
            async with self.function_stack:
                await calls
            answer = calls.deliver()
            if answer is not None:
                await answer
            sent = True
        if not sent:
            # A dependency swallowed the error that kept the response from being made.
            raise FastAPIError(NOT_AWAITED)

    def cleanup(self) -> anyio.CancelScope:
        """Return the one cancel scope around the clean-up of this request's async generators."""
        if self._cleanup is None:
            self._cleanup = self.request_stack.enter_context(anyio.CancelScope())
        return self._cleanup


def opener(call: Callable[..., Any], *, function_scope: bool) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return the coroutine function that runs a generator to its `yield` and gives what it yields."""
    in_loop = call_kind(call) is CallKind.ASYNC_GENERATOR

    async def enter(**arguments: Any) -> Any:
        exits: Exits = arguments.pop(EXITS)
        if in_loop:
            manager = shielded_exit(asynccontextmanager(call)(**arguments), exits.cleanup())
        else:
            manager = contextmanager_in_threadpool(contextmanager(call)(**arguments))
        stack = exits.function_stack if function_scope else exits.request_stack
        return await stack.enter_async_context(manager)

    return enter
