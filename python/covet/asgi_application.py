"""The application without an API's language: routes, middleware, exception handlers and a lifespan.

`covet.applications` builds the full application on this class. The stack of middleware is built once,
at the first request; its outermost member is always a ServerErrorMiddleware.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from covet.callables import name_of
from covet.datastructures.state import State
from covet.datastructures.url import URLPath
from covet.middleware.body_limit import RequestBodyLimitMiddleware
from covet.middleware.declaration import Middleware, _MiddlewareFactory
from covet.middleware.errors import ServerErrorMiddleware
from covet.middleware.exceptions import ExceptionMiddleware
from covet.requests import Request
from covet.responses.base import Response
from covet.routing.route import BaseRoute
from covet.routing.router import Router
from covet.types import ASGIApp, ExceptionHandler, Lifespan, Receive, Scope, Send

__all__ = ["Starlette"]

AppT = TypeVar("AppT", bound="Starlette")
P = ParamSpec("P")


def _caller() -> str:
    """Return name and place of the function outside of this package that is being run."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "covet":
        frame = frame.f_back
    code = frame.f_code
    return f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"


class Starlette:
    """An ASGI application.

    `exception_handlers` maps status codes and exception classes to `handler(request, exc) -> response`,
    async or not; the one for 500 or Exception answers what nothing else handles. `debug` shows
    tracebacks. `lifespan` is a function from the application to an async context manager.
    """

    def __init__(
        self: AppT,
        debug: bool = False,
        routes: Sequence[BaseRoute] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: Mapping[Any, ExceptionHandler] | None = None,
        lifespan: Lifespan[AppT] | None = None,
        *,
        max_body_size: int | None = None,
    ) -> None:
        self.debug = debug
        self.state = State()
        self.router = Router(routes, lifespan=lifespan)
        self.max_body_size = max_body_size
        self.exception_handlers = dict(exception_handlers or {})
        self.user_middleware = list(middleware or ())
        self.middleware_stack: ASGIApp | None = None

    def build_middleware_stack(self) -> ASGIApp:
        """Return the router inside all middleware, the user's first one outermost of theirs."""
        handlers = dict(self.exception_handlers)
        on_error: ExceptionHandler | None = None
        for key in list(handlers):
            if key in (500, Exception):
                on_error = handlers.pop(key)
        layers = [Middleware(ServerErrorMiddleware, handler=on_error, debug=self.debug)]
        if self.max_body_size is not None:
            layers.append(Middleware(RequestBodyLimitMiddleware, max_body_size=self.max_body_size))
        layers += self.user_middleware
        layers.append(Middleware(ExceptionMiddleware, handlers=handlers, debug=self.debug))
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(layers):
            app = cls(app, *args, **kwargs)
        return app

    @property
    def routes(self) -> list[BaseRoute]:
        """Return the live list of routes."""
        return self.router.routes

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of the first route with this name and these parameters."""
        return self.router.url_path_for(name, **path_params)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an application below a path."""
        self.router.mount(path, app=app, name=name)

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Add an application for a host."""
        self.router.host(host, app=app, name=name)

    def add_middleware(
        self, middleware_class: _MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Add a middleware around those that are there."""
        if self.middleware_stack is not None:
            raise RuntimeError(
                "Cannot add middleware after an application has started: "
                f"{name_of(middleware_class)} came from {_caller()}. Add it where the application is made, "
                "not in a handler, a lifespan or a start-up event: with those it has started"
            )
        self.user_middleware.insert(0, Middleware(middleware_class, *args, **kwargs))

    def add_exception_handler(
        self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler
    ) -> None:
        """Register a handler for a status code or an exception class."""
        self.exception_handlers[exc_class_or_status_code] = handler

    def add_route(
        self,
        path: str,
        route: Callable[[Request], Awaitable[Response] | Response],
        methods: list[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Add an HTTP route."""
        self.router.add_route(path, route, methods=methods, name=name, include_in_schema=include_in_schema)
