"""Hands the finished routes to the engine as data, and holds the few coroutines that run around native plans.

`CovetPy.__covet_table__` (socket door) and `APIRouter.app` (ASGI door) call it; the engine calls back. It
decides which routes may be native and never answers a request itself.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from covet._engine import AsgiDoor
from covet.exception_handlers import http_exception_handler
from covet.held_body import held_body
from covet.http_exceptions import HTTPException
from covet.middleware.asyncexitstack import AsyncExitStackMiddleware
from covet.middleware.errors import ServerErrorMiddleware
from covet.middleware.exceptions import ExceptionMiddleware
from covet.middleware.function_step import OUTCOME
from covet.pipeline import arrival, compile_pipeline, error_stack, layers_of
from covet.requests import Request
from covet.routing.api_route import APIRoute
from covet.routing.body_limit import AppBodyLimitMiddleware
from covet.routing.convertors import user_convertors
from covet.routing.fastapi_scope import EFFECTIVE_CONTEXT, fastapi_scope
from covet.routing.inclusion import iter_routes_with_places
from covet.routing.matching import compile_path
from covet.routing.place import Place
from covet.routing.route import BaseRoute, Route, WebSocketRoute
from covet.routing.router import Host, Mount
from covet.scope_keys import REQUEST
from covet.types import Message, Receive, Scope, Send

__all__ = [
    "OWN_LAYERS",
    "Entry",
    "Table",
    "application_table",
    "entries",
    "open_door",
    "remember_originals",
    "replaced_hook",
    "replayed",
]

# pattern, methods, host, kind, plan or reason, route, label, what `enter` is told
Entry = tuple[str, list[str] | None, str | None, str, tuple[Any, ...] | str, Any, str, Any]
Table = tuple[list[Entry], dict[str, Any]]


def entries(router: Any) -> Iterator[Entry]:
    """Yield the routes of a router in the order in which they are tried, included routers flattened."""
    for route, place in iter_routes_with_places(router.routes):
        # A WebSocket route fits no HTTP request.
        if not isinstance(route, WebSocketRoute):
            yield _entry(route, place)


def _entry(route: BaseRoute, place: Place | None) -> Entry:
    here: Any = route if place is None else place.starlette_route or place
    if isinstance(route, APIRoute):
        return _route_entry(here, route, place, _plan_of(here))
    if isinstance(here, Route) and type(here).matches is Route.matches:
        return _route_entry(here, here, place, "a Starlette route")
    if isinstance(here, Mount) and type(here).matches is Mount.matches:
        return here.path, None, None, "prefix", "a mounted application", here, f"mount {here.path}", None
    if isinstance(here, Host) and type(here).matches is Host.matches:
        return "", None, here.host, "host", "an application for a host", here, f"host {here.host}", None
    label = f"{type(here).__name__} {getattr(here, 'path', '')}"
    return "", None, None, "opaque", f"only {type(here).__name__} knows what it matches", here, label, None


def _plan_of(here: Any) -> tuple[Any, ...] | str:
    """Return a route's plan; what keeps it from being made is a reason, never the end of the other routes."""
    try:
        plan: tuple[Any, ...] | str = here.native_plan
    except Exception as exc:
        return f"its plan cannot be made: {exc!r}"
    return plan


def _matches_its_path(here: Any) -> bool:
    """Say whether the path is what the route is matched by: some libraries change one without the other."""
    path: str = here.path
    if "{" not in path:
        return bool(here.path_regex.pattern == f"^{re.escape(path)}$")
    return "?}" in path or bool(here.path_regex.pattern == compile_path(path)[0].pattern)


def _route_entry(here: Any, route: Any, place: Place | None, plan: tuple[Any, ...] | str) -> Entry:
    own_matches = type(route).matches in (Route.matches, APIRoute.matches) and "matches" not in vars(route)
    methods = None if not here.methods else _methods(here)
    label = f"{','.join(sorted(here.methods or ['*']))} {here.path}"
    if not own_matches or not _matches_its_path(here):
        return here.path, methods, None, "opaque", "its path or its matching was replaced", here, label, None
    return here.path, methods, None, "route", plan, here, label, (route, place)


def _methods(here: Any) -> list[str]:
    """Return the methods a plan answers; HEAD and OPTIONS made from other methods are Python's."""
    return sorted(here.methods)


def _settings(router: Any) -> dict[str, Any]:
    return {
        "converters": user_convertors(),
        "redirect_slashes": router.redirect_slashes,
        "request": Request,
        "enter": _enter(router),
        "collect": collect,
        "deliver": deliver,
    }


def _enter(router: Any) -> Callable[[Scope, Any], None]:
    """Return the function that puts into a scope what the router's own matching would put there."""

    def enter(scope: Scope, child: tuple[Any, Place | None]) -> None:
        route, place = child
        if "router" not in scope:
            scope["router"] = router
        scope["route"] = route
        scope["endpoint"] = route.endpoint
        if place is not None:
            fastapi_scope(scope)[EFFECTIVE_CONTEXT] = place

    return enter


def open_door(router: Any) -> None:
    """Let the router run native plans when it is reached through ASGI."""

    def table() -> Table:
        return list(entries(router)), _settings(router)

    # Past `__setattr__`: a door is no change of the routes.
    router.__dict__.setdefault("asgi_door", AsgiDoor(table))


# Replacing one of these puts user code between the server and the routes.
_HOOKS = ("__call__", "build_middleware_stack", "app", "handle", "not_found", "_slash_redirect")
_originals: dict[tuple[type, str], Any] = {}


def remember_originals(*classes: type) -> None:
    """Note what the classes are before anybody could patch them."""
    for cls in classes:
        for name in _HOOKS:
            if name in vars(cls):
                _originals[cls, name] = vars(cls)[name]


def _replaced(instance: Any) -> str | None:
    """Return what a subclass or a patch replaces of that which the socket door goes around."""
    for name in _HOOKS:
        if name != "app" and name in vars(instance):
            return name
    for cls in type(instance).__mro__:
        for name in _HOOKS:
            if name in vars(cls) and vars(cls)[name] is not _originals.get((cls, name)):
                return name
    return None


def replaced_hook(app: Any) -> str | None:
    """Return what of an application or its router was replaced: the socket door must not go around it."""
    for instance in (app, app.router):
        if (name := _replaced(instance)) is not None:
            return f"{type(instance).__name__}.{name}"
    return None


def _pipeline(app: Any) -> tuple[dict[str, Any] | None, bool]:
    """Return the middleware for the socket door, and whether plans run there without the ASGI stack."""
    if replaced_hook(app) is not None:
        return None, False
    if not app.user_middleware and app.middleware_stack is None:
        return None, True
    if app.middleware_stack is None:
        app.middleware_stack = app.build_middleware_stack()
    layers = layers_of(app.middleware_stack, app.router, OWN_LAYERS)
    if layers is None:
        return None, False
    # The application's own limit on bodies stands outside of its middleware, and refuses there.
    if not layers.user or app.max_body_size is not None:
        return None, not layers.user
    return compile_pipeline(app, layers)


OWN_LAYERS: frozenset[type] = frozenset(
    {ServerErrorMiddleware, AppBodyLimitMiddleware, ExceptionMiddleware, AsyncExitStackMiddleware}
)


def _has_plain_not_found(app: Any) -> bool:
    """Say whether an unknown path gets FastAPI's own 404."""
    router, handlers = app.router, app.exception_handlers
    return (
        404 not in handlers
        and handlers.get(HTTPException) is http_exception_handler
        and router.default == router.not_found
        and next(router._iter_low_priority_routes(), None) is None
    )


class _Late:
    """An answer that has begun before it came to an error: handlers hear of that and send nothing."""

    def __init__(self, exc: Exception) -> None:
        self.exc = exc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise self.exc


async def _nowhere(message: Message) -> None:
    """Take a message that is not to be sent."""


def application_table(app: Any) -> Table:
    """Return the routes and settings of an application for the socket door."""
    router = app.router
    arrive, enter = arrival(app), _enter(router)

    def enter_application(scope: Scope, child: tuple[Any, Place | None]) -> None:
        arrive(scope)
        enter(scope, child)

    errors = error_stack(app)

    async def route_error(scope: Scope, receive: Receive, send: Send, exc: Exception) -> None:
        scope[OUTCOME] = exc
        await errors(scope, receive, send)

    async def late_error(scope: Scope, receive: Receive, send: Send, exc: Exception) -> None:
        scope[OUTCOME] = _Late(exc)
        await errors(scope, receive, _nowhere)

    pipeline, direct = _pipeline(app)
    settings = {
        **_settings(router),
        "enter": enter_application,
        "direct": direct,
        "pipeline": pipeline,
        "plain_not_found": _has_plain_not_found(app),
        "root_path": getattr(app, "root_path", ""),
        "max_body": held_body.table_limit(app.max_body_size),
        "cancel_on_disconnect": bool(getattr(router, "cancel_on_disconnect", False)),
        "route_error": route_error,
        "late_error": late_error,
    }
    return list(entries(router)), settings


async def deliver(
    send: Send, start: Message, body: bytes, background: Callable[[], Awaitable[None]] | None
) -> None:
    """Send a plan's answer through ASGI, then run what the handler left for the background."""
    await send(start)
    await send({"type": "http.response.body", "body": body})
    if background is not None:
        await background()


async def collect(attempt: Any, receive: Receive) -> Receive | None:
    """Read the whole body and let the plan answer; if it cannot, give back a `receive` that repeats it."""
    messages: list[Message] = []
    limit: int | None = attempt.max_body
    size, more = 0, True
    while more:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return replayed(messages, receive)
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if limit is not None and size > limit:
            return replayed(messages, receive)
    # What was read here is read again by a handler or an exception handler that takes the request.
    again = replayed(messages, receive)
    running = attempt(b"".join(message.get("body", b"") for message in messages), again)
    if running is None:
        return again
    try:
        await running
    except Exception:
        attempt.scope.setdefault(REQUEST, Request(attempt.scope, again))
        raise
    return None


def replayed(messages: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that gives these messages first."""
    left = iter(messages)

    async def again() -> Message:
        for message in left:
            return message
        return await receive()

    return again
