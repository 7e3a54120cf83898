"""What a stop waits for, in words: requests in progress, and what runs in the background of their answers.

Only told, never acted on: it looks at suspended coroutines and must not change them.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from covet.callables import name_of

__all__ = ["listed"]

Held = tuple[str, float, "asyncio.Task[Any] | None"]
MOST = 10  # named in one line
DEEPEST = 200  # coroutines that wait for each other: more than middleware ever stacks
RUNS = "BackgroundTask.__call__"  # covet's and Starlette's


def listed(held: Sequence[Held]) -> str:
    """Name requests and their ages in one line, the first of them; empty when there are none."""
    shown = ", ".join(_described(*one) for one in held[:MOST])
    return shown + (f" and {len(held) - MOST} more" if len(held) > MOST else "")


def _described(label: str, age: float, task: "asyncio.Task[Any] | None") -> str:
    function = None if task is None else _in_background(task)
    if function is not None:
        label = f"background task {name_of(function)} of {label}"
    return f"{label} ({age:.1f} s)"


def _in_background(task: "asyncio.Task[Any]") -> Callable[..., Any] | None:
    """The function that a task runs after its answer, found on the way down to what it waits for."""
    function = None
    step: Any = task.get_coro()
    for _ in range(DEEPEST):
        if step is None:
            break
        frame = getattr(step, "cr_frame", None)
        if frame is not None and frame.f_code.co_qualname == RUNS:
            function = getattr(frame.f_locals.get("self"), "func", function)
        step = getattr(step, "cr_await", None)
    return function
