"""Which routes may be left half-way by a function middleware while their response is looked at.

A dependency with `yield`, or a handler that yields, may hold a cancel scope open until the response was sent;
such a route is given a task of its own (`covet.middleware.isolation`).
"""

from __future__ import annotations

from typing import Any

from covet._engine import generation
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.models import Dependant

__all__ = ["stays_in_task"]

_YIELDING = (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR)


def stays_in_task(route: Any) -> bool:
    """Tell whether nothing that the route calls yields; asked anew after something changed."""
    if getattr(route.dependency_overrides_provider, "dependency_overrides", None):
        return False
    now = generation()
    known: tuple[int, bool] | None = route.__dict__.get("_stays_in_task")
    if known is None or known[0] != now:
        known = (now, not _yields(route.dependant))
        # Past `__setattr__`: knowing this is no change.
        route.__dict__["_stays_in_task"] = known
    return known[1]


def _yields(dependant: Dependant) -> bool:
    return call_kind(dependant.call) in _YIELDING or any(map(_yields, dependant.dependencies))
