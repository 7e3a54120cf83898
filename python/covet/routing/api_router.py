"""`APIRouter`: routes with typed handlers, other routers, front ends and start-up functions.

`CovetPy` has one; applications make more and include them. The list of routes is the truth: the native
router is built from it, and a change of it is seen by the next request.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Literal, Unpack

from typing_extensions import deprecated

from covet import params
from covet._engine import bump_generation
from covet.datastructures.default import Default, get_value_or_default
from covet.datastructures.url import URL
from covet.exceptions import FastAPIError
from covet.middleware.declaration import Middleware
from covet.middleware.isolation import run_handler
from covet.responses import JSONResponse, RedirectResponse, Response
from covet.route_path import get_route_path
from covet.routing.api_route import APIRoute, APIWebSocketRoute
from covet.routing.automatic import automatic_answer
from covet.routing.body_limit import first_limit, validate_max_body_size, wrap_app_with_body_limit
from covet.routing.events import EventLifespan, generator_lifespan, merge_lifespans, run_events
from covet.routing.fastapi_scope import (
    EFFECTIVE_CONTEXT,
    FRONTEND_SPECIFICITY,
    SCOPE_KEY,
    fastapi_scope,
    included_router,
    update_scope,
)
from covet.routing.form_limits import FormLimits, apply_router_form_limits, validate_form_limits
from covet.routing.frontend import FrontendGroup, join_frontend_paths, normalize_frontend_path
from covet.routing.frontend_files import Fallback, PathLike, resolve_check_dir
from covet.routing.inclusion import (
    Found,
    IncludedRouter,
    ask,
    iter_routes_with_places,
)
from covet.routing.matching import Match
from covet.routing.operation_id import generate_unique_id
from covet.routing.options import (
    INCLUDE_DEFAULTS,
    ROUTE_DEFAULTS,
    ApiRouteOptions,
    IncludeOptions,
    check_options,
)
from covet.routing.place import Place
from covet.routing.route import BaseRoute
from covet.routing.router import Router
from covet.routing.verbs import Verbs
from covet.scope_keys import FROM_ROUTE
from covet.types import ASGIApp, DecoratedCallable, Lifespan, Receive, Scope, Send

__all__ = ["APIRouter"]

_EXTRA_OPTIONS = ("methods", "route_class_override", "strict_content_type", "inline", "cancel_on_disconnect")


def _more_specific(child_scope: Scope, known: Scope) -> bool:
    new, old = (each.get(SCOPE_KEY, {}).get(FRONTEND_SPECIFICITY) for each in (child_scope, known))
    return isinstance(new, int) and isinstance(old, int) and new > old


def _refuse_empty_paths(router: APIRouter) -> None:
    for route, place in iter_routes_with_places(router.routes):
        here: Any = route if place is None else place.starlette_route or place
        path, name = getattr(here, "path", None), getattr(here, "name", "unknown")
        if path == "" and not isinstance(route, FrontendGroup):
            raise FastAPIError(f"Prefix and path cannot be both empty (path operation: {name})")


def _check_prefix(prefix: str) -> None:
    assert prefix.startswith("/"), "A path prefix must start with '/'"
    assert not prefix.endswith("/"), "A path prefix must not end with '/', as the routes will start with '/'"


class APIRouter(Verbs, Router):
    """Routes that belong together, to be included in an application or another router.

    router = APIRouter(prefix="/users", tags=["users"])

    @router.get("/{user_id}")
    async def read_user(user_id: int) -> User: ...

    app.include_router(router)

    What is set here goes for every route: `prefix`, `tags`, `dependencies`, `responses`, `callbacks`,
    `deprecated`, `include_in_schema`, `default_response_class`, `route_class`, `generate_unique_id_function`,
    `strict_content_type` (a JSON body needs a JSON content type), `max_body_size`, `form_limits`.
    Not FastAPI's: `auto_head` and `auto_options` answer HEAD like GET and OPTIONS with the methods there are;
    `cancel_on_disconnect` is the default of the routes.
    """

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: list[str | Enum] | None = None,
        dependencies: Sequence[params.Depends] | None = None,
        default_response_class: type[Response] = Default(JSONResponse),
        responses: dict[int | str, dict[str, Any]] | None = None,
        callbacks: list[BaseRoute] | None = None,
        routes: list[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        dependency_overrides_provider: Any | None = None,
        route_class: type[APIRoute] = APIRoute,
        on_startup: Sequence[Callable[[], Any]] | None = None,
        on_shutdown: Sequence[Callable[[], Any]] | None = None,
        lifespan: Lifespan[Any] | None = None,
        deprecated: bool | None = None,
        include_in_schema: bool = True,
        generate_unique_id_function: Callable[[Any], str] = Default(generate_unique_id),
        strict_content_type: bool = Default(True),
        max_body_size: int | None = None,
        form_limits: FormLimits | None = None,
        auto_head: bool = False,
        auto_options: bool = False,
        cancel_on_disconnect: bool | None = None,
    ) -> None:
        validate_max_body_size(max_body_size)
        self._routes_version = 0
        limit = Middleware(wrap_app_with_body_limit, max_body_size=max_body_size)
        super().__init__(
            routes=routes,
            redirect_slashes=redirect_slashes,
            default=default,
            lifespan=self._lifespan(lifespan),
            middleware=None if max_body_size is None else [limit],
        )
        if prefix:
            _check_prefix(prefix)
        self.on_startup = list(on_startup or [])
        self.on_shutdown = list(on_shutdown or [])
        self.prefix = prefix
        self.tags = tags or []
        self.dependencies = list(dependencies or [])
        self.deprecated = deprecated
        self.include_in_schema = include_in_schema
        self.responses = responses or {}
        self.callbacks = callbacks or []
        self.dependency_overrides_provider = dependency_overrides_provider
        self.route_class = route_class
        self.default_response_class = default_response_class
        self.generate_unique_id_function = generate_unique_id_function
        self.form_limits = validate_form_limits(form_limits)
        self.strict_content_type = strict_content_type
        self.max_body_size = max_body_size
        self.auto_head = auto_head
        self.auto_options = auto_options
        self.cancel_on_disconnect = cancel_on_disconnect
        self._low_priority_routes: list[BaseRoute] = []
        self._frontend_routes: FrontendGroup | None = None

    def _lifespan(self, lifespan: Lifespan[Any] | None) -> Any:
        if lifespan is None:
            return EventLifespan(self)
        if inspect.isasyncgenfunction(lifespan):
            return asynccontextmanager(lifespan)
        if inspect.isgeneratorfunction(lifespan):
            return generator_lifespan(lifespan)
        return lifespan

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "routes":
            # Not to be taken for the version of the list that goes.
            self._routes_version += 1 + getattr(self.__dict__.get("_routes"), "version", 0)
        super().__setattr__(name, value)
        bump_generation()

    def _mark_routes_changed(self) -> None:
        """Say that routes were changed in a way that cannot be seen from here."""
        self._routes_version += 1

    def _get_routes_version(self, seen: set[int] | None = None) -> int:
        """Return a number that grows with every change of the routes here and in included routers."""
        seen = set() if seen is None else seen
        version = self._routes_version + getattr(self._routes, "version", 0)
        if id(self) in seen:
            return version
        seen.add(id(self))
        below = (route.original_router for route in self._routes if isinstance(route, IncludedRouter))
        total: int = version + sum(router._get_routes_version(seen) for router in below)
        return total

    def _contains_router(self, router: APIRouter, seen: set[int] | None = None) -> bool:
        seen = set() if seen is None else seen
        if id(self) in seen:
            return False
        seen.add(id(self))
        below = [route.original_router for route in self.routes if isinstance(route, IncludedRouter)]
        return any(each is router or each._contains_router(router, seen) for each in below)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the route and let it answer; after the routes a redirect of the slash, then front ends, then
        404.
        """
        assert scope["type"] in ("http", "websocket", "lifespan")
        apply_router_form_limits(scope, self.form_limits)
        if "router" not in scope:
            scope["router"] = self
        if scope["type"] == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        if scope["type"] == "http" and (door := self.__dict__.get("asgi_door")) is not None:
            running = door(scope, receive, send)
            if running is not None:
                try:
                    again = await running
                except Exception:
                    scope[FROM_ROUTE] = True
                    raise
                if again is None:
                    return
                receive = again
        partial: tuple[BaseRoute, Scope] | None = None
        for route in self.routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                update_scope(scope, child_scope)
                await run_handler(route.handle, route.stays_in_task, scope, receive, send)
                return
            if match is Match.PARTIAL and partial is None:
                partial = route, child_scope
        if partial is not None and (made := automatic_answer(self.routes, scope)) is not None:
            await made(scope, receive, send)
        elif partial is not None:
            route, child_scope = partial
            update_scope(scope, child_scope)
            await run_handler(route.handle, route.stays_in_task, scope, receive, send)
        elif (redirect := self._slash_redirect(scope)) is not None:
            await redirect(scope, receive, send)
        else:
            # A front end or a foreign default: neither is known to stay in its task.
            await run_handler(self._answer_last, False, scope, receive, send)

    def _slash_redirect(self, scope: Scope) -> RedirectResponse | None:
        """Return a redirect to the path with or without its last slash, if a route fits that."""
        route_path = get_route_path(scope)
        if scope["type"] != "http" or not self.redirect_slashes or route_path == "/":
            return None
        path = scope["path"]
        other = {**scope, "path": path.rstrip("/") if route_path.endswith("/") else f"{path}/"}
        if all(route.matches(other)[0] is Match.NONE for route in self.routes):
            return None
        return RedirectResponse(url=str(URL(scope=other)))

    async def _answer_last(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a front end answer, else the default."""
        match, child_scope, route, place = self._match_low_priority(scope)
        if match is Match.NONE or route is None:
            await self.default(scope, receive, send)
            return
        update_scope(scope, child_scope)
        if place is None:
            await route.handle(scope, receive, send)
            return
        fastapi_scope(scope)[EFFECTIVE_CONTEXT] = place
        if isinstance(place.original_route, APIRoute):
            scope["route"] = place.original_route
            await place.original_route.handle(scope, receive, send)
        else:
            assert place.app is not None
            await place.app(scope, receive, send)

    def _iter_low_priority_routes(self) -> Iterator[BaseRoute | Place]:
        yield from self._low_priority_routes
        for route in self.routes:
            if isinstance(route, IncludedRouter):
                yield from route.effective_low_priority_routes()

    def _match_low_priority(self, scope: Scope) -> Found:
        """Return the first that fits, or of several front ends the one with the longest path."""
        best: dict[Match, Found] = {}
        for candidate in self._iter_low_priority_routes():
            found = ask(candidate, scope)
            known = best.get(found[0])
            if known is None or _more_specific(found[1], known[1]):
                best[found[0]] = found
        return best.get(Match.FULL) or best.get(Match.PARTIAL) or (Match.NONE, {}, None, None)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as included where the scope says."""
        here = included_router(scope)
        if isinstance(here, IncludedRouter) and here.original_router is self:
            await here.handle_selected(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a route fits, as included where the scope says; a router that is not included fits
        nothing.
        """
        here = included_router(scope)
        if isinstance(here, IncludedRouter) and here.original_router is self:
            match, child_scope, _, _ = here.find(scope)
            return match, child_scope
        return Match.NONE, {}

    def route(
        self,
        path: str,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler that takes the request and returns a response."""

        def decorator(func: DecoratedCallable) -> DecoratedCallable:
            self.add_route(path, func, methods=methods, name=name, include_in_schema=include_in_schema)
            return func

        return decorator

    def add_api_route(
        self, path: str, endpoint: Callable[..., Any], **options: Unpack[ApiRouteOptions]
    ) -> None:
        """Add a handler with typed parameters."""
        check_options("add_api_route", options, [*ROUTE_DEFAULTS, *_EXTRA_OPTIONS])
        given: dict[str, Any] = {**ROUTE_DEFAULTS, "strict_content_type": Default(True), **options}
        route_class = given.pop("route_class_override", None) or self.route_class
        given.update(
            tags=[*self.tags, *(given["tags"] or [])],
            dependencies=[*self.dependencies, *(given["dependencies"] or [])],
            responses={**self.responses, **(given["responses"] or {})},
            callbacks=[*self.callbacks, *(given["callbacks"] or [])],
            deprecated=given["deprecated"] or self.deprecated,
            include_in_schema=given["include_in_schema"] and self.include_in_schema,
            response_class=get_value_or_default(given["response_class"], self.default_response_class),
            dependency_overrides_provider=self.dependency_overrides_provider,
            generate_unique_id_function=get_value_or_default(
                given["generate_unique_id_function"], self.generate_unique_id_function
            ),
            strict_content_type=get_value_or_default(given["strict_content_type"], self.strict_content_type),
            max_body_size=first_limit(given["max_body_size"], self.max_body_size),
        )
        # A route class of the user's may not know these: they are only handed on when they say something.
        if given["form_limits"] is None:
            del given["form_limits"]
        if given.get("cancel_on_disconnect") is None and self.cancel_on_disconnect is not None:
            given["cancel_on_disconnect"] = self.cancel_on_disconnect
        given.update({name: True for name in ("auto_head", "auto_options") if getattr(self, name)})
        self.routes.append(route_class(self.prefix + path, endpoint=endpoint, **given))
        self._mark_routes_changed()

    def add_api_websocket_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        name: str | None = None,
        *,
        dependencies: Sequence[params.Depends] | None = None,
    ) -> None:
        """Add a WebSocket handler with typed parameters."""
        route = APIWebSocketRoute(
            self.prefix + path,
            endpoint=endpoint,
            name=name,
            dependencies=[*self.dependencies, *(dependencies or [])],
            dependency_overrides_provider=self.dependency_overrides_provider,
        )
        self.routes.append(route)

    def websocket_route(
        self, path: str, name: str | None = None
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler that takes the WebSocket and nothing else."""

        def decorator(func: DecoratedCallable) -> DecoratedCallable:
            self.add_websocket_route(path, func, name=name)
            return func

        return decorator

    def include_router(self, router: APIRouter, **options: Unpack[IncludeOptions]) -> None:
        """Add all routes of another router, those that it gets later too."""
        check_options("include_router", options, INCLUDE_DEFAULTS)
        assert self is not router, (
            "Cannot include the same APIRouter instance into itself. "
            "Did you mean to include a different router?"
        )
        assert not router._contains_router(self), (
            "Cannot include an APIRouter instance that already includes this router. "
            "Did you mean to include a different router?"
        )
        given: dict[str, Any] = {**INCLUDE_DEFAULTS, **options}
        if given["prefix"]:
            _check_prefix(given["prefix"])
        else:
            _refuse_empty_paths(router)
        # Loaded with the first router that is included: many small applications have none.
        contexts = importlib.import_module("covet.routing.include_context")
        context = contexts.IncludeContext.for_include(parent_router=self, included_router=router, **given)
        self.routes.append(IncludedRouter(original_router=router, include_context=context))
        self._mark_routes_changed()
        for handler in router.on_startup:
            self.add_event_handler("startup", handler)
        for handler in router.on_shutdown:
            self.add_event_handler("shutdown", handler)
        self.lifespan_context = merge_lifespans(self.lifespan_context, router.lifespan_context)

    def frontend(
        self,
        path: str,
        *,
        directory: PathLike,
        fallback: Fallback = "auto",
        check_dir: bool | Literal["auto"] = "auto",
    ) -> None:
        """Serve a front end's files below a path, for requests that no route fits.

        `fallback` names the page for addresses that are no file: "index.html" for an application that
        routes in the browser, "404.html" for a page with status 404, "auto" for whichever is there.
        """
        checked = resolve_check_dir(directory=directory, check_dir=check_dir)
        path = normalize_frontend_path(path)
        if self._frontend_routes is None:
            self._frontend_routes = FrontendGroup(
                dependencies=self.dependencies,
                dependency_overrides_provider=self.dependency_overrides_provider,
            )
            self._low_priority_routes.append(self._frontend_routes)
        full_path = join_frontend_paths(self.prefix, path)
        self._frontend_routes.add_frontend_route(
            full_path, directory=directory, fallback=fallback, check_dir=checked
        )
        self._mark_routes_changed()

    async def _startup(self) -> None:
        await run_events(self.on_startup)

    async def _shutdown(self) -> None:
        await run_events(self.on_shutdown)

    def add_event_handler(self, event_type: str, func: Callable[[], Any]) -> None:
        """Add a function to run at "startup" or "shutdown"; only the default lifespan runs them."""
        assert event_type in ("startup", "shutdown")
        (self.on_startup if event_type == "startup" else self.on_shutdown).append(func)

    @deprecated("on_event is deprecated, use lifespan event handlers instead.")
    def on_event(self, event_type: str) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a function to run at "startup" or "shutdown"."""

        def decorator(func: DecoratedCallable) -> DecoratedCallable:
            self.add_event_handler(event_type, func)
            return func

        return decorator
