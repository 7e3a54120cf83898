"""The tree of routers: `include_router` keeps the router by reference, and each of its routes has a place
in the tree.

An `IncludedRouter` stands in the parent's list of routes. It works out the places of the routes below it
(path, dependencies, defaults) when they are first needed, and again after the included router has changed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from covet.datastructures.url import URLPath
from covet.middleware.isolation import run_handler
from covet.routing.api_route import APIRoute, APIWebSocketRoute
from covet.routing.body_limit import wrap_app_with_body_limit
from covet.routing.fastapi_scope import (
    EFFECTIVE_CONTEXT,
    INCLUDED_ROUTER,
    fastapi_scope,
    noted,
    update_scope,
)
from covet.routing.form_limits import apply_router_form_limits
from covet.routing.frontend import FrontendGroup
from covet.routing.matching import Match, NoMatchFound, compile_path
from covet.routing.place import Place
from covet.routing.route import BaseRoute, Route, WebSocketRoute
from covet.routing.router import Host, Mount, Router
from covet.types import Receive, Scope, Send

if TYPE_CHECKING:
    from covet.routing.include_context import IncludeContext

__all__ = [
    "IncludedRouter",
    "RouteContext",
    "iter_route_contexts",
    "iter_routes_with_places",
]

Found = tuple[Match, Scope, BaseRoute | None, Place | None]


@dataclass(eq=False)
class IncludedRouter(BaseRoute):
    """A router in the list of routes of another one.

    Its `path` is the prefix and it has no methods of its own: tools that label requests by the entries of
    `app.routes` then give coarse labels instead of failing.
    """

    stays_in_task = True

    original_router: Any
    include_context: IncludeContext

    def __post_init__(self) -> None:
        self.__dict__["_known"] = {}

    @property
    def path(self) -> str:
        """The prefix under which the router's routes are."""
        return self.include_context.prefix

    @property
    def name(self) -> str:
        """A name for labels."""
        return ""

    @property
    def methods(self) -> set[str]:
        """Nothing: methods belong to the routes below."""
        return set()

    def _remembered(self, kind: str, make: Callable[[], list[Any]]) -> list[Any]:
        """Return a list made of the router's routes, made anew after they have changed."""
        version = self.original_router._get_routes_version()
        known: tuple[int, list[Any]] | None = self.__dict__["_known"].get(kind)
        if known is None or known[0] != version:
            known = (version, make())
            self.__dict__["_known"][kind] = known
        return known[1]

    def effective_candidates(self) -> list[Place | IncludedRouter]:
        """Return what may fit a request, in order: places of routes, and routers included further down."""
        return self._remembered("candidates", self._make_candidates)

    def _make_candidates(self) -> list[Place | IncludedRouter]:
        candidates: list[Place | IncludedRouter] = []
        for route in self.original_router.routes:
            if isinstance(route, IncludedRouter):
                below = self.include_context.combine(route.include_context)
                candidates.append(IncludedRouter(route.original_router, below))
            elif (place := self._place(route)) is not None:
                candidates.append(place)
        return candidates

    def effective_low_priority_routes(self) -> list[Place]:
        """Return what may answer a request that nothing else fits."""
        return self._remembered("low priority", self._make_low_priority)

    def _make_low_priority(self) -> list[Place]:
        places = []
        for route in self.original_router._low_priority_routes:
            place = self._place(route)
            if place is None:
                continue
            if not isinstance(route, APIRoute):
                app = (place.starlette_route or route).handle
                place.app = wrap_app_with_body_limit(app, self.include_context.max_body_size)
            places.append(place)
        for route in self.original_router.routes:
            if isinstance(route, IncludedRouter):
                below = self.include_context.combine(route.include_context)
                places.extend(IncludedRouter(route.original_router, below).effective_low_priority_routes())
        return places

    def _place(self, route: BaseRoute) -> Place | None:
        """Return the place of a route under this inclusion, None for a kind of route nobody knows."""
        context = self.include_context
        if isinstance(route, APIRoute):
            return Place.of_api_route(route, context.prefix + route.path, context.options_of(route))
        if isinstance(route, FrontendGroup):
            return Place.of_frontend(route, context)
        moved = self._moved(route)
        return None if moved is None else Place(original_route=route, starlette_route=moved)

    def _moved(self, route: BaseRoute) -> BaseRoute | None:
        """Return a copy of a route of Starlette's kinds under the prefix."""
        context = self.include_context
        if isinstance(route, Route):
            return Route(
                context.prefix + route.path,
                endpoint=route.endpoint,
                methods=list(route.methods or []),
                name=route.name,
                include_in_schema=route.include_in_schema,
            )
        if isinstance(route, APIWebSocketRoute):
            return APIWebSocketRoute(
                context.prefix + route.path,
                endpoint=route.endpoint,
                name=route.name,
                dependencies=[*context.dependencies, *route.dependencies],
                dependency_overrides_provider=context.dependency_overrides_provider,
            )
        if isinstance(route, WebSocketRoute):
            return WebSocketRoute(context.prefix + route.path, route.endpoint, name=route.name)
        if isinstance(route, Mount):
            moved = copy.copy(route)
            moved.path = (context.prefix + route.path).rstrip("/")
            moved.path_regex, moved.path_format, moved.param_convertors = compile_path(
                moved.path + "/{path:path}"
            )
            return moved
        if isinstance(route, Host):
            app = route.app
            if context.prefix:
                app = Router(routes=[Mount(context.prefix, app=app)])
            return Host(route.host, app=app, name=route.name)
        return None

    def find(self, scope: Scope) -> Found:
        """Return the first route below that fits a request: match, what it adds to the scope, route,
        place.
        """
        partial: Found | None = None
        for candidate in self.effective_candidates():
            found = ask(candidate, scope)
            if found[0] is Match.FULL:
                return found
            if found[0] is Match.PARTIAL and partial is None:
                partial = found
        return partial or (Match.NONE, {}, None, None)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether the router answers a request; what it adds to the scope comes when it does."""
        with noted(scope, INCLUDED_ROUTER, self):
            match, _ = self.original_router.matches(scope)
        return match, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the router answer, as it is included here."""
        apply_router_form_limits(scope, self.include_context.form_limits)
        fastapi_scope(scope)[INCLUDED_ROUTER] = self
        await self.original_router.handle(scope, receive, send)

    async def handle_selected(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the route below and let it answer."""
        _, child_scope, route, place = self.find(scope)
        limit = self.include_context.max_body_size
        if route is None:
            await wrap_app_with_body_limit(self.original_router.default, limit)(scope, receive, send)
            return
        update_scope(scope, child_scope)
        if isinstance(route, IncludedRouter):
            await route.handle(scope, receive, send)
            return
        if place is not None:
            fastapi_scope(scope)[EFFECTIVE_CONTEXT] = place
            if isinstance(place.original_route, APIRoute):
                scope["route"] = place.original_route
                await place.original_route.handle(scope, receive, send)
                return
        handle = wrap_app_with_body_limit(route.handle, limit)
        await run_handler(handle, route.stays_in_task, scope, receive, send)

    def effective_route_contexts(self) -> Iterator[Place]:
        """Yield the place of every route below."""
        for candidate in self.effective_candidates():
            if isinstance(candidate, IncludedRouter):
                yield from candidate.effective_route_contexts()
            else:
                yield candidate

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of the first route below with this name and these parameters."""
        for place in self.effective_route_contexts():
            try:
                return place.url_path_for(name, **path_params)
            except NoMatchFound:
                pass
        raise NoMatchFound(name, path_params)


def ask(candidate: Any, scope: Scope) -> Found:
    """Ask a route, a place or an inclusion whether it fits; a route is asked knowing its place."""
    if not isinstance(candidate, Place):
        match, child_scope = candidate.matches(scope)
        return match, child_scope, candidate, None
    original = candidate.original_route
    if isinstance(original, APIRoute):
        with noted(scope, EFFECTIVE_CONTEXT, candidate):
            match, child_scope = original.matches(scope)
        return match, child_scope, original, candidate
    match, child_scope = candidate.matches(scope)
    return match, child_scope, candidate.starlette_route or original, candidate


@dataclass(frozen=True)
class RouteContext:
    """A route as a request meets it: attributes are those of its place in the tree."""

    route: BaseRoute
    _route_context: Place | None = field(default=None, repr=False)

    @property
    def original_route(self) -> BaseRoute:
        """The route as it was declared."""
        return self.route if self._route_context is None else self._route_context.original_route

    @property
    def _effective_route(self) -> Any:
        if self._route_context is None:
            return self.route
        return self._route_context.starlette_route or self._route_context

    @property
    def path(self) -> str | None:
        """The path with all prefixes."""
        return getattr(self._effective_route, "path", None)

    @property
    def path_format(self) -> str | None:
        """The path with all prefixes, without converters."""
        return getattr(self._effective_route, "path_format", None)

    @property
    def name(self) -> str | None:
        """The name for `url_path_for`."""
        return getattr(self._effective_route, "name", None)

    @property
    def methods(self) -> set[str] | None:
        """The methods, None for what has none."""
        return getattr(self._effective_route, "methods", None)

    @property
    def endpoint(self) -> Callable[..., Any] | None:
        """The handler."""
        return getattr(self._effective_route, "endpoint", None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._effective_route, name)


def iter_routes_with_places(routes: Sequence[BaseRoute]) -> Iterator[tuple[BaseRoute, Place | None]]:
    """Yield every route of a list, those of included routers with their place."""
    for route in routes:
        if isinstance(route, IncludedRouter):
            for place in route.effective_route_contexts():
                yield place.original_route, place
        else:
            yield route, None


def iter_route_contexts(routes: Sequence[BaseRoute | RouteContext]) -> Iterator[RouteContext]:
    """Yield every route as a request meets it, the tree of included routers flattened."""
    for route in routes:
        if isinstance(route, RouteContext):
            yield route
        else:
            for original, place in iter_routes_with_places([route]):
                yield RouteContext(original, place)
