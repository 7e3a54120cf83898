"""Says of each middleware of an application how our own server runs it, and why not natively.

`covet routes` shows it, by `CovetPy.__covet_layers__`. Reads a stack; runs no middleware and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from covet.asgi import OWN_LAYERS, replaced_hook
from covet.callables import name_of
from covet.middleware.base import BaseHTTPMiddleware
from covet.pipeline import Layers, Way, is_function, layers_of, ways_of

__all__ = ["LayerReport", "report_layers"]


class LayerReport(NamedTuple):
    """One middleware: its name, what its source is, how it runs, and why as ASGI (else empty)."""

    name: str
    origin: Any
    way: Way
    why: str


def report_layers(app: Any) -> list[LayerReport]:
    """Return the middleware that was declared on an application, outermost first."""
    stack = app.middleware_stack or app.build_middleware_stack()
    layers = layers_of(stack, app.router, OWN_LAYERS)
    why = _obstacle(app, layers)
    if layers is None or why is not None:
        written = [options.get("dispatch", cls) for cls, _, options in app.user_middleware]
        return [LayerReport(name_of(one), one, "asgi", why or "") for one in written]
    ways = ways_of(layers.user)
    return [
        LayerReport(*_named(layer), way, _reason(layer, layers.user) if way == "asgi" else "")
        for layer, way in zip(layers.user, ways, strict=True)
    ]


def _obstacle(app: Any, layers: Layers | None) -> str | None:
    """Return what keeps all middleware of an application with the ASGI stack."""
    if (name := replaced_hook(app)) is not None:
        return f"{name} is replaced"
    if layers is None:
        return "there is more around the router than the middleware that was declared"
    if app.max_body_size is not None:
        return "the application has max_body_size, which stands outside of its middleware"
    return None


def _named(layer: Any) -> tuple[str, Any]:
    """Return a middleware's name and what was written: a function or a class."""
    written = layer.dispatch_func if type(layer) is BaseHTTPMiddleware else type(layer)
    return name_of(written), written


def _reason(layer: Any, layers: Sequence[Any]) -> str:
    own = _own_reason(layer)
    if own is not None:
        return own
    other = next(other for other in layers if _own_reason(other) is not None)
    return f"beside {_named(other)[0]}, which only ASGI can run"


def _own_reason(layer: Any) -> str | None:
    """Return what makes a middleware itself one for ASGI only."""
    name = type(layer).__qualname__
    if is_function(layer):
        return None
    if isinstance(layer, BaseHTTPMiddleware):
        return f"{name}.__call__ is overridden"
    describe = getattr(layer, "native", None)
    if describe is None:
        return "a plain ASGI class"
    return (
        None
        if describe() is not None
        else "a subclass, a replaced method or a value that only Python can follow"
    )
