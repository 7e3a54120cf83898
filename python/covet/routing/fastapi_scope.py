"""What FastAPI keeps in a scope under "fastapi": which router and which place of a route a request is at.

Read by monitoring tools too (`scope["fastapi"]["effective_route_context"].path`), so the names are fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from covet.types import Scope

__all__ = [
    "EFFECTIVE_CONTEXT",
    "FRONTEND_PATH",
    "FRONTEND_SPECIFICITY",
    "INCLUDED_ROUTER",
    "SCOPE_KEY",
    "effective_context",
    "effective_route_context_var",
    "fastapi_scope",
    "included_router",
    "noted",
    "update_scope",
]

SCOPE_KEY = "fastapi"
EFFECTIVE_CONTEXT = "effective_route_context"
INCLUDED_ROUTER = "included_router"
FRONTEND_PATH = "frontend_path"
FRONTEND_SPECIFICITY = "frontend_specificity"

_MISSING = object()

# Set while a route's handler is made for one of its places, so that `get_route_handler` overrides see that
# place.
effective_route_context_var: ContextVar[Any | None] = ContextVar(
    "covet_effective_route_context", default=None
)


def fastapi_scope(scope: Scope) -> dict[str, Any]:
    """Return the dict under "fastapi", made if it is not there."""
    inner = scope.setdefault(SCOPE_KEY, {})
    assert isinstance(inner, dict)
    return inner


def effective_context(scope: Scope) -> Any | None:
    """Return the place in the tree of routers that is being matched or handled."""
    return scope.get(SCOPE_KEY, {}).get(EFFECTIVE_CONTEXT)


def included_router(scope: Scope) -> Any | None:
    """Return the inclusion that is being matched or handled."""
    return scope.get(SCOPE_KEY, {}).get(INCLUDED_ROUTER)


def update_scope(scope: Scope, child_scope: Scope) -> None:
    """Add what a route says about a request, keeping what else is under "fastapi"."""
    if SCOPE_KEY in child_scope:
        child_scope = dict(child_scope)
        inner = child_scope.pop(SCOPE_KEY)
        if isinstance(inner, dict):
            fastapi_scope(scope).update(inner)
    scope.update(child_scope)


def restore(scope: Scope, key: str, previous: Any) -> None:
    """Put back what was under a key, or remove it if nothing was."""
    inner = scope.get(SCOPE_KEY)
    if not isinstance(inner, dict):
        return
    if previous is _MISSING:
        inner.pop(key, None)
    else:
        inner[key] = previous


@contextmanager
def noted(scope: Scope, key: str, value: Any) -> Iterator[None]:
    """Hold a value under a key for as long as a route is asked something."""
    inner = fastapi_scope(scope)
    previous = inner.get(key, _MISSING)
    inner[key] = value
    try:
        yield
    finally:
        restore(scope, key, previous)
