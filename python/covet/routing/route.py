"""One route: what a path and a method lead to, for HTTP and for WebSockets.

A changed attribute of a route makes compiled plans stale. `request_response`, `websocket_session` and
`get_name` are looked up here when a route is made, so that a replaced one is used.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from covet._engine import bump_generation
from covet.callables import is_async_callable
from covet.concurrency import run_in_threadpool
from covet.datastructures.url import URLPath
from covet.http_exceptions import HTTPException
from covet.middleware.body_limit import RequestBodyLimitMiddleware
from covet.middleware.declaration import Middleware
from covet.middleware.exceptions import wrap_app_handling_exceptions
from covet.middleware.isolation import send_response
from covet.requests import Request
from covet.responses.base import PlainTextResponse, Response
from covet.route_path import get_route_path
from covet.routing.matching import Match, NoMatchFound, compile_path, get_name, match_params, replace_params
from covet.types import ASGIApp, Receive, Scope, Send
from covet.unanswered import must_answer
from covet.websockets import WebSocket, WebSocketClose

__all__ = ["BaseRoute", "Route", "WebSocketRoute", "request_response", "websocket_session"]


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """Make an ASGI application of `func(request) -> response`; a blocking one runs in a worker thread."""
    call: Any = func if is_async_callable(func) else functools.partial(run_in_threadpool, func)  # type: ignore[call-arg]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            response = await call(request)
            must_answer(response, func)
            await send_response(response, scope, receive, send)

        await wrap_app_handling_exceptions(respond, request)(scope, receive, send)

    return app


def websocket_session(func: Callable[[WebSocket], Awaitable[None]]) -> ASGIApp:
    """Make an ASGI application of the coroutine function `func(websocket)`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        session = WebSocket(scope, receive=receive, send=send)

        async def converse(scope: Scope, receive: Receive, send: Send) -> None:
            await func(session)

        await wrap_app_handling_exceptions(converse, session)(scope, receive, send)

    return app


def wrap_in_middleware(
    app: ASGIApp, middleware: Sequence[Middleware] | None, max_body_size: int | None = None
) -> ASGIApp:
    """Put middleware around an application, the first outermost but for the limit of the body."""
    for cls, args, kwargs in reversed(middleware or ()):
        app = cls(app, *args, **kwargs)
    if max_body_size is not None:
        app = RequestBodyLimitMiddleware(app, max_body_size=max_body_size)
    return app


def is_function(endpoint: Any) -> bool:
    """Tell whether an endpoint is called with a request; anything else is an ASGI application."""
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    return inspect.isfunction(endpoint) or inspect.ismethod(endpoint)


class BaseRoute:
    """What a router asks of a route.

    `stays_in_task` says that `handle` opens nothing that is open while its response is sent, and sends
    from no other task: then a middleware may leave it half-way.
    """

    stays_in_task = False

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        bump_generation()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        bump_generation()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell how the route fits a scope, and what it adds to it; must change nothing."""
        raise NotImplementedError()

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of a name with these parameters; raise NoMatchFound if it is another's."""
        raise NotImplementedError()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that the route fits."""
        raise NotImplementedError()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application of this one route."""
        match, child_scope = self.matches(scope)
        if match is not Match.NONE:
            scope.update(child_scope)
            await self.handle(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)


class _PathRoute(BaseRoute):
    """What the routes of both protocols share: a path, an endpoint and a name."""

    protocol: Any
    path: str
    endpoint: Any
    name: str

    def _match_path(self, scope: Scope) -> Scope | None:
        params = match_params(self.path_regex, self.param_convertors, get_route_path(scope))
        if params is None:
            return None
        outer = scope.get("path_params")
        return {"endpoint": self.endpoint, "path_params": {**outer, **params} if outer else params}

    def _compile(self, path: str) -> None:
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path with these parameters, which must be exactly those of the route."""
        if name != self.name or path_params.keys() != self.param_convertors.keys():
            raise NoMatchFound(name, path_params)
        path, _ = replace_params(self.path_format, self.param_convertors, path_params)
        return URLPath(path=path, protocol=self.protocol)


class Route(_PathRoute):
    """An HTTP route; a function is called with the request, a class or object is an ASGI application."""

    protocol = "http"

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        assert path.startswith("/"), "Routed paths must start with '/'"
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.include_in_schema = include_in_schema
        app: ASGIApp = endpoint
        if is_function(endpoint):
            app = request_response(endpoint)
            methods = ["GET"] if methods is None else methods
        self.app = wrap_in_middleware(app, middleware, max_body_size)
        self.stays_in_task = is_function(endpoint) and not middleware
        self.methods: set[str] | None = None
        if methods is not None:
            self.methods = {method.upper() for method in methods}
            if "GET" in self.methods:
                self.methods.add("HEAD")
        self._compile(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Fit an HTTP scope by path, partially if the method is another."""
        child_scope = self._match_path(scope) if scope["type"] == "http" else None
        if child_scope is None:
            return Match.NONE, {}
        if self.methods and scope["method"] not in self.methods:
            return Match.PARTIAL, child_scope
        return Match.FULL, child_scope

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or 405 if the method is not the route's."""
        if not self.methods or scope["method"] in self.methods:
            await self.app(scope, receive, send)
            return
        headers = {"Allow": ", ".join(self.methods)}
        if "app" in scope:
            raise HTTPException(status_code=405, headers=headers)
        await PlainTextResponse("Method Not Allowed", status_code=405, headers=headers)(scope, receive, send)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, Route):
            return False
        return (self.path, self.endpoint, self.methods) == (other.path, other.endpoint, other.methods)

    def __repr__(self) -> str:
        methods = sorted(self.methods or [])
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r}, methods={methods!r})"


class WebSocketRoute(_PathRoute):
    """A WebSocket route; a function is called with the session, a class or object is an ASGI application."""

    protocol = "websocket"

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        middleware: Sequence[Middleware] | None = None,
    ) -> None:
        assert path.startswith("/"), "Routed paths must start with '/'"
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        app: ASGIApp = websocket_session(endpoint) if is_function(endpoint) else endpoint
        self.app = wrap_in_middleware(app, middleware)
        self._compile(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Fit a WebSocket scope by path."""
        child_scope = self._match_path(scope) if scope["type"] == "websocket" else None
        return (Match.NONE, {}) if child_scope is None else (Match.FULL, child_scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the session."""
        await self.app(scope, receive, send)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, WebSocketRoute):
            return False
        return self.path == other.path and bool(self.endpoint == other.endpoint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r})"
