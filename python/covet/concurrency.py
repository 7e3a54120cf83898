"""Threads for blocking code and the few structured-concurrency shapes the framework needs.

Works under asyncio and trio through anyio. `run_in_threadpool` is the one door to worker threads:
whatever replaces it here carries every hop of the package.
"""

from __future__ import annotations

import contextvars
import functools
import sys
import warnings
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import anyio
import anyio.abc
import anyio.to_thread

from covet.http_exceptions import StarletteDeprecationWarning

__all__ = [
    "AwaitableOrContextManager",
    "AwaitableOrContextManagerWrapper",
    "SupportsAsyncClose",
    "abandoning",
    "asynccontextmanager",
    "contextmanager_in_threadpool",
    "create_collapsing_task_group",
    "default_limiter_of_loop",
    "iterate_in_threadpool",
    "run_in_threadpool",
    "run_until_first_complete",
]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_EXHAUSTED: Any = object()


async def run_in_threadpool(func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a blocking function in a worker thread and return its result."""
    if kwargs:
        return await anyio.to_thread.run_sync(functools.partial(func, *args, **kwargs))
    return await anyio.to_thread.run_sync(func, *args)


def default_limiter_of_loop() -> anyio.CapacityLimiter:
    """Return anyio's default limiter of the running asyncio loop, also where no task runs."""
    return contextvars.copy_context().run(_default_limiter)


def _default_limiter() -> anyio.CapacityLimiter:
    # anyio asks sniffio, if somebody has installed it, and that knows of no library outside of tasks.
    sniffio: Any = sys.modules.get("sniffio")
    if sniffio is not None:
        sniffio.current_async_library_cvar.set("asyncio")
    return anyio.to_thread.current_default_thread_limiter()


def _advance(iterator: Iterator[T]) -> T:
    # StopIteration cannot leave a worker thread: awaiting code would take it for its own end.
    return next(iterator, _EXHAUSTED)


async def iterate_in_threadpool(iterator: Iterable[T]) -> AsyncIterator[T]:
    """Iterate a blocking iterable, each step in a worker thread; close a generator that is left early."""
    steps = iter(iterator)
    async with abandoning(steps):
        while (item := await anyio.to_thread.run_sync(_advance, steps)) is not _EXHAUSTED:
            yield item


@asynccontextmanager
async def abandoning(iterator: object) -> AsyncGenerator[None, None]:
    """Close a generator when the block that consumes it is left by an exception.

    Left to itself it would be closed when it is collected, which may be long after its database session was
    wanted back. Cancellation cannot skip it, and a blocking one does not queue for a thread behind handlers
    that wait for what it holds. Anything but a generator is left alone.
    """
    try:
        yield
    except BaseException:
        with anyio.CancelScope(shield=True):
            if isinstance(iterator, AsyncGenerator):
                await iterator.aclose()
            elif isinstance(iterator, Generator) and not getattr(iterator, "gi_running", False):
                await anyio.to_thread.run_sync(iterator.close, limiter=anyio.CapacityLimiter(1))
        raise


@asynccontextmanager
async def contextmanager_in_threadpool(cm: AbstractContextManager[T]) -> AsyncGenerator[T, None]:
    """Enter and leave a blocking context manager in worker threads.

    The exit has a limiter of its own: it must not queue for a thread behind handlers that wait for
    what this manager holds. Cancellation cannot skip it.
    """
    exit_limiter = anyio.CapacityLimiter(1)
    value = await run_in_threadpool(cm.__enter__)
    try:
        yield value
    except BaseException as exc:
        with anyio.CancelScope(shield=True):
            suppressed = await anyio.to_thread.run_sync(
                cm.__exit__, type(exc), exc, exc.__traceback__, limiter=exit_limiter
            )
        if not suppressed:
            raise
    else:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(cm.__exit__, None, None, None, limiter=exit_limiter)


async def run_until_first_complete(
    *args: tuple[Callable[..., Coroutine[Any, Any, Any]], Mapping[str, Any]],
) -> None:
    """Run several coroutine functions together until one returns, then cancel the others."""
    warnings.warn(
        "run_until_first_complete is deprecated and will be removed in a future version.",
        StarletteDeprecationWarning,
        stacklevel=2,
    )
    async with anyio.create_task_group() as group:

        async def race(func: Callable[..., Coroutine[Any, Any, Any]], kwargs: Mapping[str, Any]) -> None:
            await func(**kwargs)
            group.cancel_scope.cancel()

        for func, kwargs in args:
            group.start_soon(race, func, kwargs)


@asynccontextmanager
async def create_collapsing_task_group() -> AsyncGenerator[anyio.abc.TaskGroup, None]:
    """Open a task group that raises a lone error as itself instead of as a group of one."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) > 1:
            raise
        lone = errors.exceptions[0]
        raise lone from lone.__cause__ or (None if lone.__suppress_context__ else lone.__context__)


class AwaitableOrContextManager(Awaitable[T_co], AbstractAsyncContextManager[T_co], Protocol[T_co]):
    """What may be awaited for a value or entered to have the value closed at the end."""


class SupportsAsyncClose(Protocol):
    """What has an async `close`."""

    async def close(self) -> None: ...


ClosableT = TypeVar("ClosableT", bound=SupportsAsyncClose)


class AwaitableOrContextManagerWrapper(Generic[ClosableT]):
    """Offer an awaitable of something closable as both an awaitable and a context manager."""

    __slots__ = ("aw", "entered")

    def __init__(self, aw: Awaitable[ClosableT]) -> None:
        self.aw = aw

    def __await__(self) -> Generator[Any, None, ClosableT]:
        return self.aw.__await__()

    async def __aenter__(self) -> ClosableT:
        self.entered = await self.aw
        return self.entered

    async def __aexit__(self, *exc_info: object) -> None:
        await self.entered.close()
