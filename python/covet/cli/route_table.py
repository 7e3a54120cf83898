"""An application's routes as rows: for `covet routes`, and for what is wrong with them at start-up.

Reads attributes that every Starlette-like route has; it never calls an endpoint and never changes a route.
"""

import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from covet import _engine

if TYPE_CHECKING:
    # An application that is not made with covet is listed without importing the framework.
    from covet.routing import RoutePlan

__all__ = ["Finding", "Row", "find_conflicts", "list_routes"]

WEBSOCKET = "WS"
MOUNT = "MOUNT"


@dataclass(frozen=True)
class Row:
    """One route as people see it. What takes time to find out is found out when it is asked for."""

    methods: tuple[str, ...]
    path: str
    kind: str
    host: str | None
    route: Any

    @property
    def label(self) -> str:
        """The route in one phrase."""
        return f"{','.join(self.methods) or 'ANY'} {self.path}"

    @property
    def name(self) -> str:
        """The name by which `url_path_for` knows it."""
        return str(getattr(self.route, "name", "") or "")

    @cached_property
    def where(self) -> str:
        """`file:line` of what answers."""
        return source(getattr(self.route, "endpoint", None) or getattr(self.route, "app", None))

    @cached_property
    def python(self) -> str:
        """Why the route is on the Python path; empty when a plan runs it."""
        if self.kind != "route":
            return ""
        return "a Starlette route" if self.plan is None else self.plan.reason or ""

    @cached_property
    def plan(self) -> "RoutePlan | None":
        """What the route does with a request; None for a route without typed parameters."""
        plan: RoutePlan | None = getattr(self.route, "plan", None)
        return replace(plan, path=self.path) if plan is not None and hasattr(plan, "as_dict") else None

    @property
    def flags(self) -> tuple[str, ...]:
        """Words on what is not as with most routes."""
        flags = ["python"] if self.python else []
        if self.kind == "route" and not getattr(self.route, "include_in_schema", True):
            flags.append("hidden")
        names = ("deprecated", "inline", "cancel_on_disconnect")
        return (*flags, *(name for name in names if getattr(self.route, name, None) is True))


class Finding(NamedTuple):
    """A row that repeats an earlier one, or cannot be reached because of it."""

    row: Row
    earlier: Row
    kind: str

    def __str__(self) -> str:
        row, earlier = f"{self.row.label} ({self.row.where})", f"{self.earlier.label} ({self.earlier.where})"
        if self.kind == "conflict":
            return f"{row} has the same method and path as {earlier}, which is tried first"
        return f"{row} is never reached: shadowed by {earlier}"


def list_routes(app: Any) -> list[Row]:
    """Return the rows of an application in the order in which its routes are tried."""
    return list(_rows(getattr(app, "routes", ()), "", None))


def find_conflicts(rows: list[Row]) -> list[Finding]:
    """Return which rows repeat or hide behind which earlier ones."""
    http = [row for row in rows if row.kind != "websocket"]
    table = []
    for row in http:
        methods = row.methods if row.kind == "route" and row.methods else None
        table.append((row.path, methods, row.host, row.kind))
    found: dict[tuple[int, int], str] = {}
    for index, earlier, kind in _engine.route_report(table):
        found.setdefault((index, earlier), kind)  # a conflict comes before the shadow that it also throws
    return [Finding(http[index], http[earlier], kind) for (index, earlier), kind in found.items()]


def _rows(routes: Iterable[Any], prefix: str, host: str | None) -> Iterator[Row]:
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        moved = getattr(route, "starlette_route", None)
        if callable(contexts):
            yield from _rows(contexts(), prefix, host)
        elif moved is not None:
            yield from _rows([moved], prefix, host)
        elif getattr(route, "routes", None) is not None and not hasattr(route, "endpoint"):
            inner_host = getattr(route, "host", None) or host
            path = prefix + (getattr(route, "path", "") or "")
            yield from _rows(route.routes, path, inner_host)
            # What is inside is tried first; the mount answers for all that is left below its path.
            if inner_host is host:
                yield Row((MOUNT,), path or "/", "prefix", host, route)
        else:
            yield _row(route, prefix + str(getattr(route, "path", "?")), host)


def _row(route: Any, path: str, host: str | None) -> Row:
    names = {kind.__name__ for kind in type(getattr(route, "original_route", route)).__mro__}
    if "WebSocketRoute" in names:
        return Row((WEBSOCKET,), path, "websocket", host, route)
    if "FrontendGroup" in names:
        return Row((MOUNT,), getattr(route, "frontend_prefix", "") or "/", "opaque", host, route)
    methods = tuple(sorted(getattr(route, "methods", None) or ()))
    if "GET" in methods:
        methods = tuple(method for method in methods if method != "HEAD")
    return Row(methods, path, "route" if hasattr(route, "path") else "opaque", host, route)


def source(endpoint: Any) -> str:
    """Return `file:line` of what answers."""
    target = inspect.unwrap(endpoint) if callable(endpoint) else endpoint
    target = getattr(target, "func", target)
    code = getattr(target, "__code__", None)
    if code is None:
        kind = target if isinstance(target, type) else type(target)
        return f"{kind.__module__}.{kind.__qualname__}" if target is not None else ""
    return f"{_short(code.co_filename)}:{code.co_firstlineno}"


def _short(filename: str) -> str:
    """A file relative to the current folder, else to where Python found its package."""
    for folder in (os.getcwd(), *sys.path):
        if folder and filename.startswith(folder.rstrip(os.sep) + os.sep):
            return os.path.relpath(filename, folder)
    return filename
