"""Routers: an ordered list of routes, the first that fits answers; and the mounts that nest them.

`Mount` and `Router` need each other and live together. `routes` is a live list: any change, also of
the list in place, counts from the next request on.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from covet._engine import bump_generation
from covet.datastructures.headers import Headers
from covet.datastructures.url import URL, URLPath
from covet.hosts import parse_host_header
from covet.http_exceptions import HTTPException
from covet.middleware.declaration import Middleware
from covet.middleware.isolation import run_handler
from covet.requests import Request
from covet.responses.base import PlainTextResponse, RedirectResponse, Response
from covet.route_path import get_route_path
from covet.routing.lifespan import as_lifespan_context
from covet.routing.matching import Match, NoMatchFound, compile_path, match_params, replace_params
from covet.routing.route import BaseRoute, Route, WebSocketRoute, wrap_in_middleware
from covet.routing.route_list import RouteList
from covet.types import ASGIApp, Lifespan, Receive, Scope, Send
from covet.websockets import WebSocket, WebSocketClose

__all__ = ["Host", "Mount", "Router"]


class _Subtree(BaseRoute):
    """What a mount and a host share: an application below, reached by its routes' names."""

    app: ASGIApp
    name: str | None

    @property
    def routes(self) -> list[BaseRoute]:
        """Return the routes of the application below, if it has any."""
        return getattr(self.app, "routes", [])

    def _name_below(self, name: str) -> str | None:
        """Return what is left of a name below this one; None if the name is another's."""
        if self.name is None:
            return name
        prefix = f"{self.name}:"
        return name[len(prefix) :] if name.startswith(prefix) else None

    def _url_path_below(self, name: str, path_params: dict[str, Any]) -> URLPath | None:
        for route in self.routes or ():
            try:
                return route.url_path_for(name, **path_params)
            except NoMatchFound:
                pass
        return None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the application below."""
        await self.app(scope, receive, send)


class Mount(_Subtree):
    """An application, or a router of `routes`, below a path."""

    def __init__(
        self,
        path: str,
        app: ASGIApp | None = None,
        routes: Sequence[BaseRoute] | None = None,
        name: str | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        assert path == "" or path.startswith("/"), "Routed paths must start with '/'"
        assert app is not None or routes is not None, "Either 'app=...', or 'routes=' must be specified"
        self.path = path.rstrip("/")
        self._base_app: ASGIApp = Router(routes=routes) if app is None else app
        self.app = wrap_in_middleware(self._base_app, middleware, max_body_size)
        self.name = name
        self.path_regex, self.path_format, self.param_convertors = compile_path(self.path + "/{path:path}")

    @property
    def routes(self) -> list[BaseRoute]:
        """Return the routes of the mounted application, past the middleware around it."""
        return getattr(self._base_app, "routes", [])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Fit everything below the path; what is above becomes part of `root_path`."""
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        route_path = get_route_path(scope)
        params = match_params(self.path_regex, self.param_convertors, route_path)
        if params is None:
            return Match.NONE, {}
        rest = "/" + params.pop("path")
        root_path = scope.get("root_path", "")
        return Match.FULL, {
            "path_params": {**scope.get("path_params", {}), **params},
            # Set by the outermost mount only: URLs are made from the application's own root.
            "app_root_path": scope.get("app_root_path", root_path),
            "root_path": root_path + route_path[: -len(rest)],
            "endpoint": self.app,
        }

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of the mount by its own name and `path`, or of a route below."""
        if self.name is not None and name == self.name and "path" in path_params:
            path_params["path"] = path_params["path"].lstrip("/")
            path, remaining = replace_params(self.path_format, self.param_convertors, path_params)
            if not remaining:
                return URLPath(path=path)
        elif (name_below := self._name_below(name)) is not None:
            own = {**path_params, "path": ""}
            prefix, remaining = replace_params(self.path_format, self.param_convertors, own)
            if "path" in path_params:
                remaining["path"] = path_params["path"]
            url = self._url_path_below(name_below, remaining)
            if url is not None:
                return URLPath(path=prefix.rstrip("/") + str(url), protocol=url.protocol)
        raise NoMatchFound(name, path_params)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Mount) and self.path == other.path and self.app == other.app

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name or ''!r}, app={self.app!r})"


class Host(_Subtree):
    """An application for the requests to one host, or to the hosts of a pattern."""

    def __init__(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        assert not host.startswith("/"), "Host must not start with '/'"
        self.host = host
        self.app = app
        self.name = name
        self.host_regex, self.host_format, self.param_convertors = compile_path(host)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Fit by the Host field, whatever its port."""
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        host = parse_host_header(Headers(scope=scope).get("host"))
        params = None
        if host is not None:
            params = match_params(self.host_regex, self.param_convertors, host.host.lower())
        if params is None:
            return Match.NONE, {}
        return Match.FULL, {"path_params": {**scope.get("path_params", {}), **params}, "endpoint": self.app}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return a path on this host by its own name and `path`, or of a route below."""
        if self.name is not None and name == self.name and "path" in path_params:
            path = path_params.pop("path")
            host, remaining = replace_params(self.host_format, self.param_convertors, path_params)
            if not remaining:
                return URLPath(path=path, host=host)
        elif (name_below := self._name_below(name)) is not None:
            host, remaining = replace_params(self.host_format, self.param_convertors, path_params)
            url = self._url_path_below(name_below, remaining)
            if url is not None:
                return URLPath(path=str(url), protocol=url.protocol, host=host)
        raise NoMatchFound(name, path_params)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Host) and self.host == other.host and self.app == other.app

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self.host!r}, name={self.name or ''!r}, app={self.app!r})"


class Router:
    """An ASGI application of routes; what no route fits goes to `default`."""

    def __init__(
        self,
        routes: Sequence[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        lifespan: Lifespan[Any] | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        self.routes = routes or ()
        self.redirect_slashes = redirect_slashes
        self.default: ASGIApp = self.not_found if default is None else default
        self.lifespan_context: Lifespan[Any] = as_lifespan_context(lifespan, self)
        self.middleware_stack = wrap_in_middleware(self.app, middleware, max_body_size)

    @property
    def routes(self) -> RouteList[BaseRoute]:
        """Return the live list of routes."""
        return self._routes

    @routes.setter
    def routes(self, routes: Sequence[BaseRoute]) -> None:
        self._routes: RouteList[BaseRoute] = RouteList(routes)
        bump_generation()

    def runs_in_task(self) -> bool:
        """Tell whether a middleware may leave this router half-way (`covet.middleware.isolation`)."""
        return type(self).__call__ is Router.__call__ and self.middleware_stack == self.app

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404; inside an application its exception handlers write the answer."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        elif "app" in scope:
            raise HTTPException(status_code=404)
        else:
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of the first route with this name and these parameters."""
        for route in self.routes:
            try:
                return route.url_path_for(name, **path_params)
            except NoMatchFound:
                pass
        raise NoMatchFound(name, path_params)

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the lifespan context between the server's start and stop."""
        phase = "startup"
        await receive()
        try:
            async with self.lifespan_context(scope.get("app")) as state:
                if state is not None:
                    if "state" not in scope:
                        raise RuntimeError('The server does not support "state" in the lifespan scope.')
                    scope["state"].update(state)
                await send({"type": "lifespan.startup.complete"})
                phase = "shutdown"
                await receive()
        except BaseException:
            await send({"type": f"lifespan.{phase}.failed", "message": traceback.format_exc()})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.middleware_stack(scope, receive, send)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the route and let it answer: the first that fits, else the first that fits partially."""
        kind = scope["type"]
        assert kind in ("http", "websocket", "lifespan")
        if "router" not in scope:
            scope["router"] = self
        if kind == "lifespan":
            await self.lifespan(scope, receive, send)
            return
        partial: tuple[BaseRoute, Scope] | None = None
        for route in self._routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                scope["route"] = route
                scope.update(child_scope)
                await run_handler(route.handle, route.stays_in_task, scope, receive, send)
                return
            if partial is None and match is Match.PARTIAL:
                partial = route, child_scope
        if partial is not None:
            route, child_scope = partial
            scope["route"] = route
            scope.update(child_scope)
            await run_handler(route.handle, route.stays_in_task, scope, receive, send)
        elif (redirect := self._slash_redirect(scope)) is not None:
            await redirect(scope, receive, send)
        else:
            stays = self.default == self.not_found
            await run_handler(self.default, stays, scope, receive, send)

    def _slash_redirect(self, scope: Scope) -> Response | None:
        """Return a redirect to the path with or without its last slash, if a route fits that."""
        route_path = get_route_path(scope)
        if scope["type"] != "http" or not self.redirect_slashes or route_path == "/":
            return None
        path = scope["path"]
        other = {**scope, "path": path.rstrip("/") if route_path.endswith("/") else path + "/"}
        if all(route.matches(other)[0] is Match.NONE for route in self._routes):
            return None
        return RedirectResponse(url=str(URL(scope=other)))

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Router) and self.routes == other.routes

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an application below a path."""
        self.routes.append(Mount(path, app=app, name=name))

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an application for a host."""
        self.routes.append(Host(host, app=app, name=name))

    def add_route(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add an HTTP route."""
        route = Route(
            path, endpoint=endpoint, methods=methods, name=name, include_in_schema=include_in_schema
        )
        self.routes.append(route)

    def add_websocket_route(
        self, path: str, endpoint: Callable[[WebSocket], Awaitable[None]], name: str | None = None
    ) -> None:
        """Add a WebSocket route."""
        self.routes.append(WebSocketRoute(path, endpoint=endpoint, name=name))
