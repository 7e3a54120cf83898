"""Questions about callables, asked once when a route, task or handler is registered, or for an error."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

if sys.version_info >= (3, 13):
    from inspect import iscoroutinefunction
    from typing import TypeIs
else:
    from asyncio import iscoroutinefunction

    from typing_extensions import TypeIs

__all__ = ["AwaitableCallable", "described", "is_async_callable", "location_of", "name_of"]

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


def _innermost(call: Any) -> Any:
    while isinstance(call, functools.partial):
        call = call.func
    return inspect.unwrap(call)


def name_of(call: Any) -> str:
    """Return the qualified name of a callable, or of its class where it has none; from its scope inwards."""
    call = _innermost(call)
    name: str = getattr(call, "__qualname__", None) or type(call).__qualname__
    return name.rpartition("<locals>.")[2]


def location_of(call: Any) -> str:
    """Return `file:line` of a callable, or the name of its class where it has no code."""
    call = _innermost(call)
    code = getattr(call, "__code__", None)
    if code is None:
        kind = call if isinstance(call, type) else type(call)
        return f"{kind.__module__}.{kind.__qualname__}"
    return f"{code.co_filename}:{code.co_firstlineno}"


def described(call: Any) -> str:
    """Return how an error names a callable: `name (file:line)`."""
    return f"{name_of(call)} ({location_of(call)})"
