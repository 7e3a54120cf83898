"""Answers to HEAD and OPTIONS that nobody wrote: the switches `auto_head` and `auto_options`.

`APIRouter` asks here when no route has the method but some have the path, so a handler that was written for
the method wins wherever it was registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from covet.responses.base import Response
from covet.routing.api_route import APIRoute, answers_method
from covet.routing.fastapi_scope import EFFECTIVE_CONTEXT, fastapi_scope, update_scope
from covet.routing.inclusion import iter_routes_with_places
from covet.routing.matching import Match
from covet.routing.route import BaseRoute
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = ["automatic_answer"]


def automatic_answer(routes: Sequence[BaseRoute], scope: Scope) -> ASGIApp | None:
    """Return what answers HEAD or OPTIONS for the routes of a path, None where no switch is on."""
    if scope.get("method") == "OPTIONS":
        return _options(routes, scope)
    if scope.get("method") == "HEAD":
        return _head(routes, scope)
    return None


def _on_path(routes: Sequence[BaseRoute], scope: Scope) -> Iterator[tuple[Any, Any, Scope]]:
    """Yield each route that has the path, as it is at its place: route, place, what it adds to the scope."""
    for route, place in iter_routes_with_places(routes):
        here: Any = route if place is None else place.starlette_route or place
        if getattr(here, "methods", None):
            match, child_scope = here.matches(scope)
            if match is not Match.NONE:
                yield route, place, child_scope


def _options(routes: Sequence[BaseRoute], scope: Scope) -> Response | None:
    asked = False
    allowed = {"OPTIONS"}
    for route, place, _ in _on_path(routes, scope):
        here = place if isinstance(route, APIRoute) and place is not None else route
        allowed |= here.methods
        if isinstance(route, APIRoute):
            asked = asked or here.auto_options
            if "GET" in here.methods and here.auto_head:
                allowed.add("HEAD")
    return Response(status_code=204, headers={"Allow": ", ".join(sorted(allowed))}) if asked else None


def _head(routes: Sequence[BaseRoute], scope: Scope) -> ASGIApp | None:
    for route, place, child_scope in _on_path(routes, scope):
        if isinstance(route, APIRoute) and answers_method(route if place is None else place, "HEAD"):
            return _as_get(route, place, child_scope)
    return None


def _as_get(route: APIRoute, place: Any, child_scope: Scope) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        update_scope(scope, child_scope)
        if place is not None:
            scope["route"] = route
            fastapi_scope(scope)[EFFECTIVE_CONTEXT] = place
        await route.handle(scope, receive, send)

    return answer
