"""What a callable is: coroutine function, generator function, or something that runs in a thread.

Looks through partials, `functools.wraps` and instances with `__call__`. Asked for each call of a dependency,
so the answer is remembered by identity (callables need not be hashable).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import Any

if sys.version_info >= (3, 13):
    from inspect import iscoroutinefunction
else:
    from asyncio import iscoroutinefunction

__all__ = ["CallKind", "call_kind", "unwrapped"]


class CallKind(Enum):
    """How a callable is run."""

    THREAD = "thread"
    COROUTINE = "coroutine"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"


_REMEMBERED = 4096
_kinds: dict[int, tuple[Any, CallKind]] = {}


def without_partial(call: Any) -> Any:
    """Return the function inside `functools.partial` objects."""
    while isinstance(call, partial):
        call = call.func
    return call


def unwrapped(call: Any) -> Any:
    """Return the function below partials and `functools.wraps`."""
    return inspect.unwrap(without_partial(call))


def _views(call: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each function that may tell what `call` is, and whether it is the callable itself."""
    outer, inner = without_partial(call), unwrapped(call)
    yield outer, True
    yield inner, True
    if inspect.isclass(inner):
        return
    for owner in (outer, inner):
        method = getattr(owner, "__call__", None)  # noqa: B004
        if method is not None:
            yield without_partial(method), False
            yield unwrapped(method), False


def _find_kind(call: Any) -> CallKind:
    views = list(_views(call))
    if any(inspect.isgeneratorfunction(view) for view, _ in views):
        return CallKind.GENERATOR
    if any(inspect.isasyncgenfunction(view) for view, _ in views):
        return CallKind.ASYNC_GENERATOR
    for view, itself in views:
        if iscoroutinefunction(view) and (not itself or inspect.isroutine(view)):
            return CallKind.COROUTINE
    return CallKind.THREAD


def call_kind(call: Callable[..., Any] | None) -> CallKind:
    """Say how a callable is run; remembered."""
    known = _kinds.get(id(call))
    if known is not None and known[0] is call:
        return known[1]
    kind = CallKind.THREAD if call is None else _find_kind(call)
    if len(_kinds) >= _REMEMBERED:
        _kinds.clear()
    _kinds[id(call)] = (call, kind)
    return kind
