"""Lifespan contexts: the default one, and the former generator functions made into contexts."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from types import TracebackType
from typing import Any, TypeVar

from covet.http_exceptions import StarletteDeprecationWarning
from covet.types import Lifespan

__all__ = ["as_lifespan_context"]

T = TypeVar("T")


class _DefaultLifespan:
    """Start and stop nothing."""

    def __init__(self, router: Any) -> None:
        self._router = router

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    def __call__(self: T, app: object) -> T:
        return self


class _AsyncLiftContextManager(AbstractAsyncContextManager[T]):
    """A plain context manager in the shape of an async one."""

    def __init__(self, cm: AbstractContextManager[T]) -> None:
        self._cm = cm

    async def __aenter__(self) -> T:
        return self._cm.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._cm.__exit__(exc_type, exc_value, traceback)


def _wrap_gen_lifespan_context(
    lifespan_context: Callable[[Any], Generator[Any, Any, Any]],
) -> Callable[[Any], AbstractAsyncContextManager[Any]]:
    make = contextmanager(lifespan_context)

    @functools.wraps(make)
    def wrapper(app: Any) -> _AsyncLiftContextManager[Any]:
        return _AsyncLiftContextManager(make(app))

    return wrapper


def as_lifespan_context(lifespan: Lifespan[Any] | None, router: Any) -> Lifespan[Any]:
    """Return the lifespan as a function from application to async context manager."""
    if lifespan is None:
        default: Any = _DefaultLifespan(router)
        return default  # type: ignore[no-any-return]
    if inspect.isasyncgenfunction(lifespan):
        _warn("async generator function lifespans are deprecated")
        return asynccontextmanager(lifespan)
    if inspect.isgeneratorfunction(lifespan):
        _warn("generator function lifespans are deprecated")
        return _wrap_gen_lifespan_context(lifespan)
    return lifespan


def _warn(what: str) -> None:
    warnings.warn(
        f"{what}, use an @contextlib.asynccontextmanager function instead",
        StarletteDeprecationWarning,
        stacklevel=4,
    )
