"""Questions about callables, asked once when a route, task or handler is registered."""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

if sys.version_info >= (3, 13):
    from inspect import iscoroutinefunction
    from typing import TypeIs
else:
    from asyncio import iscoroutinefunction

    from typing_extensions import TypeIs

__all__ = ["AwaitableCallable", "is_async_callable"]

T = TypeVar("T")
AwaitableCallable = Callable[..., Awaitable[T]]


@overload
def is_async_callable(obj: AwaitableCallable[T]) -> TypeIs[AwaitableCallable[T]]: ...


@overload
def is_async_callable(obj: Any) -> TypeIs[AwaitableCallable[Any]]: ...


def is_async_callable(obj: Any) -> Any:
    """Tell whether calling `obj` gives a coroutine; looks through partials and at `__call__`."""
    while isinstance(obj, functools.partial):
        obj = obj.func
    if iscoroutinefunction(obj):
        return True
    return callable(obj) and iscoroutinefunction(obj.__call__)
