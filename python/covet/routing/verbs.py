"""The verbs of routers and applications: `get`, `put`, `post`, `delete`, `options`, `head`, `patch`, `trace`.

Mixed into both classes. Everything goes through `add_api_route` of the class; the signatures that spell the
options out are set at the end of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Unpack

from covet.datastructures.default import Default
from covet.routing.options import (
    INCLUDE_DEFAULTS,
    ROUTE_DEFAULTS,
    ApiRouteOptions,
    RouteOptions,
    check_options,
    show_signature,
)
from covet.types import DecoratedCallable

__all__ = ["Verbs", "show_route_signature", "show_signatures"]

Decorator = Callable[[DecoratedCallable], DecoratedCallable]


class Verbs:
    """Decorators that add a handler; `RouteOptions` documents what they accept."""

    def add_api_route(
        self, path: str, endpoint: Callable[..., Any], **options: Unpack[ApiRouteOptions]
    ) -> None:
        """Add a handler with typed parameters."""
        raise NotImplementedError

    def add_api_websocket_route(
        self, path: str, endpoint: Callable[..., Any], name: str | None = None, *, dependencies: Any = None
    ) -> None:
        """Add a WebSocket handler with typed parameters."""
        raise NotImplementedError

    def api_route(
        self, path: str, *, methods: Iterable[str] | None = None, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for several methods."""
        check_options("api_route", options, RouteOptions.__annotations__)

        def decorator(func: DecoratedCallable) -> DecoratedCallable:
            self.add_api_route(path, func, methods=methods, **options)
            return func

        return decorator

    def websocket(
        self, path: str, name: str | None = None, *, dependencies: Any = None
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a WebSocket handler with typed parameters."""

        def decorator(func: DecoratedCallable) -> DecoratedCallable:
            self.add_api_websocket_route(path, func, name=name, dependencies=dependencies)
            return func

        return decorator

    def get(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for GET: `@app.get("/items/{item_id}")`."""
        check_options("get", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["GET"], **options)

    def put(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for PUT: `@app.put("/items/{item_id}")`."""
        check_options("put", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["PUT"], **options)

    def post(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for POST: `@app.post("/items/")`."""
        check_options("post", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["POST"], **options)

    def delete(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for DELETE: `@app.delete("/items/{item_id}")`."""
        check_options("delete", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["DELETE"], **options)

    def options(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for OPTIONS: `@app.options("/items/")`."""
        check_options("options", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["OPTIONS"], **options)

    def head(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for HEAD: `@app.head("/items/")`."""
        check_options("head", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["HEAD"], **options)

    def patch(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for PATCH: `@app.patch("/items/{item_id}")`."""
        check_options("patch", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["PATCH"], **options)

    def trace(
        self, path: str, **options: Unpack[RouteOptions]
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Add a handler for TRACE: `@app.trace("/items/{item_id}")`."""
        check_options("trace", options, RouteOptions.__annotations__)
        return self.api_route(path, methods=["TRACE"], **options)


def _inserted(options: dict[str, Any], before: str, **more: Any) -> dict[str, Any]:
    """Return options with more of them in front of one."""
    result: dict[str, Any] = {}
    for name, value in options.items():
        if name == before:
            result.update(more)
        result[name] = value
    return result


def show_signatures(cls: type[Any]) -> None:
    """Give the methods of a class that take `**options`, its verbs apart, FastAPI's signatures."""
    with_methods = _inserted(ROUTE_DEFAULTS, "operation_id", methods=None)
    of_add = dict(with_methods)
    if cls.__name__ == "APIRouter":
        of_add = _inserted(of_add, "callbacks", route_class_override=None)
        of_add = _inserted(of_add, "max_body_size", strict_content_type=Default(True))
    else:
        del of_add["callbacks"]
    show_signature(cls.add_api_route, leading=["path", "endpoint"], options=of_add, result=None)
    show_signature(cls.include_router, leading=["router"], options=INCLUDE_DEFAULTS, result=None)


def _show_verbs() -> None:
    with_methods = _inserted(ROUTE_DEFAULTS, "operation_id", methods=None)
    show_signature(Verbs.api_route, leading=["path"], options=with_methods, result=Decorator)
    names = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
    verbs = [getattr(Verbs, name) for name in names]
    show_signature(*verbs, leading=["path"], options=ROUTE_DEFAULTS, result=Decorator)


_show_verbs()


def show_route_signature(cls: type[Any]) -> None:
    """Give the constructor of a route FastAPI's signature."""
    options = _inserted(ROUTE_DEFAULTS, "operation_id", methods=None)
    options = _inserted(options, "callbacks", dependency_overrides_provider=None)
    options = _inserted(options, "max_body_size", strict_content_type=Default(True))
    show_signature(cls.__init__, leading=["path", "endpoint"], options=options, result=None)
