"""Start-up and shutdown functions of routers, and how the lifespans of included routers join the
application's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from covet.callables import is_async_callable
from covet.routing.lifespan import _wrap_gen_lifespan_context
from covet.types import Lifespan

__all__ = ["EventLifespan", "generator_lifespan", "merge_lifespans", "run_events"]

T = TypeVar("T")


async def run_events(handlers: Sequence[Callable[[], Any]]) -> None:
    """Run start-up or shutdown functions one after the other."""
    for handler in handlers:
        if is_async_callable(handler):
            await handler()
        else:
            handler()


class EventLifespan:
    """The lifespan of a router that was given none: its start-up and shutdown functions."""

    def __init__(self, router: Any) -> None:
        self._router = router

    async def __aenter__(self) -> None:
        await self._router._startup()

    async def __aexit__(self, *exc_info: object) -> None:
        await self._router._shutdown()

    def __call__(self: T, app: object) -> T:
        return self


def generator_lifespan(
    lifespan: Callable[[Any], Generator[Any, Any, Any]],
) -> Callable[[Any], AbstractAsyncContextManager[Any]]:
    """Return a plain generator function as a lifespan."""
    return _wrap_gen_lifespan_context(lifespan)


def merge_lifespans(outer: Lifespan[Any], inner: Lifespan[Any]) -> Lifespan[Any]:
    """Return a lifespan that enters both; what the outer one puts into the state wins."""

    @asynccontextmanager
    async def merged(app: Any) -> AsyncIterator[Mapping[str, Any] | None]:
        async with outer(app) as outer_state, inner(app) as inner_state:
            if outer_state is None and inner_state is None:
                yield None
            else:
                yield {**(inner_state or {}), **(outer_state or {})}

    return merged  # type: ignore[return-value]
