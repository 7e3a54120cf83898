"""Where a test's requests run: in the loop of an entered client, or in one made for a single request.

A single buffered request under asyncio runs in a fresh loop on the caller's own thread, which spares the
thread; where a loop runs already, or a response is streamed, a thread with a loop of its own serves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypedDict

import anyio
import anyio.from_thread

__all__ = ["AsyncBackend", "asyncio_loop", "open_portal", "run_alone", "run_in_portal"]


class AsyncBackend(TypedDict):
    """The arguments of anyio's `start_blocking_portal`."""

    backend: str
    backend_options: dict[str, Any]


def run_alone(func: Callable[[], Awaitable[None]], backend: AsyncBackend) -> None:
    """Run a coroutine function to its end in a loop of its own."""
    options = backend["backend_options"]
    if _loop_is_running():
        with anyio.from_thread.start_blocking_portal(**backend) as portal:
            portal.call(func)
    elif backend["backend"] == "asyncio" and options.keys() <= {"loop_factory"}:
        _run_in_new_loop(func, options.get("loop_factory") or asyncio.new_event_loop)
    else:
        anyio.run(func, backend=backend["backend"], backend_options=options)


def _loop_is_running() -> bool:
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    try:
        # Under trio, too, a second loop needs a second thread.
        anyio.get_current_task()
    except RuntimeError:
        return False
    return True


def _run_in_new_loop(
    func: Callable[[], Awaitable[None]], factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    # `asyncio.run` would also replace the thread's current loop, which belongs to the test.
    loop = factory()
    try:
        loop.run_until_complete(_then_clean_up(func, loop))
    finally:
        loop.close()


async def _then_clean_up(func: Callable[[], Awaitable[None]], loop: asyncio.AbstractEventLoop) -> None:
    try:
        await func()
    finally:
        left = asyncio.all_tasks(loop)
        left.discard(asyncio.current_task())
        if left:
            await _cancel(left)
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run_in_portal(
    func: Callable[[], Coroutine[Any, Any, None]],
    portal: anyio.from_thread.BlockingPortal,
    loop: asyncio.AbstractEventLoop | None,
) -> None:
    """Run a coroutine function to its end in the loop of a portal.

    With the loop of asyncio at hand this takes one change of threads, through the portal it takes two.
    """
    if loop is None or asyncio._get_running_loop() is loop:
        portal.call(func)  # which refuses to wait for itself
        return
    future = asyncio.run_coroutine_threadsafe(func(), loop)
    try:
        future.result()
    except BaseException:
        future.cancel()
        raise


def asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """Return the running loop of asyncio, None under trio."""
    return asyncio._get_running_loop()


@contextlib.contextmanager
def open_portal(
    portal: anyio.from_thread.BlockingPortal | None, backend: AsyncBackend
) -> Generator[anyio.from_thread.BlockingPortal]:
    """Give the portal of an entered client, or one that lives as long as the context."""
    if portal is not None:
        yield portal
    else:
        with anyio.from_thread.start_blocking_portal(**backend) as own:
            yield own
