"""An application's middleware as rows for `covet routes`: how the server runs each, and why.

Mounted applications follow the one they are mounted on; their middleware always runs as ASGI.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .route_table import source

__all__ = ["Layer", "list_layers"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One middleware as people see it; `application` is the path of the application that it is around."""

    name: str
    application: str
    where: str
    runs: str
    why: str


def list_layers(app: Any) -> list[Layer]:
    """Return the middleware of an application and of those mounted on it, outermost first."""
    return [*_layers(app, "/"), *_mounted(app, "")]


def _layers(app: Any, path: str) -> Iterator[Layer]:
    report = getattr(app, "__covet_layers__", None)
    for name, origin, way, why in () if report is None else report():
        if path == "/":
            yield Layer(name, path, source(origin), way, why)
        else:
            yield Layer(name, path, source(origin), "asgi", "a mounted application")


def _mounted(app: Any, prefix: str) -> Iterator[Layer]:
    for route in getattr(app, "routes", None) or ():
        inner = getattr(route, "app", None)
        if hasattr(inner, "__covet_layers__"):
            path = prefix + (getattr(route, "path", "") or "")
            yield from _layers(inner, path or "/")
            yield from _mounted(inner, path)
