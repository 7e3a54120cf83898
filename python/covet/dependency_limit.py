"""Bounds on dependencies: how many run at once, and how their clean-up survives cancellation.

`Depends(max_concurrency=…)` owns a `DependencyLimit`; `covet.dependencies.resolve` enters it. A limit holds
no semaphore itself: those belong to the event loop that runs, so declarations can be shared between loops.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar
from weakref import WeakKeyDictionary

import anyio
from anyio.lowlevel import RunVar, checkpoint_if_cancelled

__all__ = ["DependencyLimit", "limited", "shielded_exit"]

T = TypeVar("T")


class DependencyLimit:
    """At most `max_concurrency` calls at once, counted for each event loop."""

    def __init__(self, max_concurrency: int) -> None:
        self.max_concurrency = max_concurrency

    def get_semaphore(self) -> anyio.Semaphore:
        """Return the running loop's semaphore for this limit."""
        semaphores = _semaphores.get(None)
        if semaphores is None:
            semaphores = WeakKeyDictionary()
            _semaphores.set(semaphores)
        if self not in semaphores:
            semaphores[self] = anyio.Semaphore(self.max_concurrency)
        return semaphores[self]


_semaphores: RunVar[WeakKeyDictionary[DependencyLimit, anyio.Semaphore] | None] = RunVar(
    "covet_dependency_semaphores"
)


@asynccontextmanager
async def limited(manager: AbstractAsyncContextManager[T], limit: DependencyLimit) -> AsyncGenerator[T, None]:
    """Hold one place of the limit from before the manager is entered until after it is left."""
    async with limit.get_semaphore(), manager as value:
        yield value


@asynccontextmanager
async def shielded_exit(
    manager: AbstractAsyncContextManager[T], scope: anyio.CancelScope
) -> AsyncGenerator[T, None]:
    """Shield `scope` while the manager is left, so that a cancelled request still cleans up."""
    before = scope.shield
    try:
        async with manager as value:
            try:
                yield value
            finally:
                scope.shield = True
    finally:
        scope.shield = before
    await checkpoint_if_cancelled()
