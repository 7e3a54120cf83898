"""Compiles an application's middleware for the socket door, so that what can run natively does.

`covet.asgi` puts the result into the table. Native middleware and function middleware become steps; from the
first layer on that is neither, everything runs as the ASGI stack that the application built. Same answers.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from covet.middleware.base import BaseHTTPMiddleware, _StreamingResponse
from covet.middleware.errors import ServerErrorMiddleware
from covet.middleware.exceptions import ExceptionMiddleware
from covet.middleware.function_step import OUTCOME, FunctionStep
from covet.middleware.isolation import passes_through, send_response
from covet.middleware.plan_task import PlanTask
from covet.types import ASGIApp, Receive, Scope, Send

__all__ = [
    "Layers",
    "Way",
    "arrival",
    "compile_pipeline",
    "error_stack",
    "is_function",
    "layers_of",
    "ways_of",
]

# The bound method of our own server's `send` that leaves the native middleware, while an error may need it.
_STEP_OUTSIDE = "covet.step_outside"
_call = BaseHTTPMiddleware.__call__


Way = Literal["native", "step", "asgi"]


class Layers(NamedTuple):
    """The user's layers of an application, outermost first, and the application inside of them."""

    user: list[Any]
    core: ASGIApp


def layers_of(stack: ASGIApp, router: ASGIApp, own: frozenset[type]) -> Layers | None:
    """Take a stack apart; None when there is more around the router than was declared."""
    user: list[Any] = []
    core: ASGIApp | None = None
    layer: Any = stack
    while layer is not router:
        if type(layer) is ExceptionMiddleware:
            core = layer
        elif core is not None and type(layer) not in own:
            return None
        elif type(layer) not in own:
            user.append(layer)
        layer = getattr(layer, "app", None)
        if layer is None:
            return None
    return None if core is None else Layers(user, core)


def compile_pipeline(app: Any, layers: Layers) -> tuple[dict[str, Any], bool]:
    """Return the pipeline as data, and whether it leads all the way to the routes."""
    outer = _leading_natives(layers.user)
    rest = layers.user[len(outer) :]
    steps = _steps(rest, layers.core, _handled(app, _send_outcome), _answering(app))
    pipeline: dict[str, Any] = {"outer": [description for _, description in outer]}
    if outer:
        pipeline["inside"] = _inside(app, rest[0] if rest else layers.core)
    if steps is None:
        return pipeline, not rest
    first, segments = steps
    fail = ServerErrorMiddleware(_raise_outcome, handler=_on_error(app), debug=app.debug)
    pipeline |= {
        "segments": segments,
        "steps": partial(first.run, fail=fail),
        "arrive": arrival(app),
        "response": _StreamingResponse,
        "respond": _StreamingResponse.native,
    }
    return pipeline, True


def _leading_natives(layers: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return the layers up to the first that is not native, with their descriptions."""
    found: list[tuple[Any, Any]] = []
    for layer in layers:
        description = _native(layer)
        if description is None:
            break
        found.append((layer, description))
    return found


def _native(layer: Any) -> Any:
    """Return what the engine makes a native middleware of; None when the layer is not one."""
    describe = getattr(layer, "native", None)
    return None if describe is None else describe()


def is_function(layer: Any) -> bool:
    """Tell whether a layer can be a step: a middleware of which only `dispatch` is the user's."""
    return isinstance(layer, BaseHTTPMiddleware) and type(layer).__call__ is _call


def ways_of(layers: Sequence[Any]) -> list[Way]:
    """Return how each of a stack's layers runs, as `compile_pipeline` decides it."""
    outer = len(_leading_natives(layers))
    ways: list[Way] = ["native"] * outer
    inner = layers[outer:]
    if all(is_function(layer) or _native(layer) is not None for layer in inner):
        ways += ["step" if is_function(layer) else "native" for layer in inner]
    else:
        ways += ["asgi"] * len(inner)
    return ways


def _steps(
    layers: Sequence[Any], core: ASGIApp, handlers: ExceptionMiddleware, answering: ASGIApp
) -> tuple[FunctionStep, list[list[Any]]] | None:
    """Return the first step and the segments; None when a layer is neither native nor a function."""
    segments: list[list[Any]] = []
    following: FunctionStep | None = None
    natives: list[tuple[Any, Any]] = []
    rest: ASGIApp = core
    for layer in reversed(layers):
        description = None if is_function(layer) else _native(layer)
        if description is not None:
            natives.insert(0, (layer, description))
        elif is_function(layer):
            segment = len(segments) if natives else None
            if natives:
                segments.append([description for _, description in natives])
            innermost = answering if following is None else _call_outcome
            unusual = _around([native for native, _ in natives], innermost)
            following = FunctionStep(layer, segment, following, rest=rest, unusual=unusual, handlers=handlers)
            natives = []
        else:
            return None
        rest = layer
    return None if following is None else (following, segments)


def _around(layers: Sequence[Any], app: ASGIApp) -> ASGIApp:
    """Return copies of layers around another application."""
    for layer in reversed(layers):
        around = copy.copy(layer)
        around.app = app
        app = around
    return app


async def _raise_outcome(scope: Scope, receive: Receive, send: Send) -> None:
    """Raise the exception that a plan or a step came to."""
    raise scope.pop(OUTCOME)


async def _send_outcome(scope: Scope, receive: Receive, send: Send) -> None:
    """Raise the exception, or send the response, that a plan came to."""
    outcome = scope.pop(OUTCOME)
    if isinstance(outcome, Exception):
        raise outcome
    if isinstance(outcome, PlanTask):
        await outcome.forward(send)
    else:
        await send_response(outcome, scope, receive, send)


async def _call_outcome(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the response of a step: in this task, as a `BaseHTTPMiddleware` does."""
    await scope.pop(OUTCOME)(scope, receive, send)


def _handled(app: Any, inner: ASGIApp) -> ExceptionMiddleware:
    """Return an application around another that answers its errors with the application's handlers."""
    given = app.exception_handlers.items()
    handlers = {key: handler for key, handler in given if key not in (500, Exception)}
    return ExceptionMiddleware(inner, handlers=handlers, debug=app.debug)


def _answering(app: Any) -> ASGIApp:
    """Return an application that makes an answer of what a route's plan came to.

    Handlers stand around a route twice, as in Starlette: what the first raises is the second's to answer. The
    task of a plan has asked the first itself.
    """
    once = _handled(app, _send_outcome)
    twice = _handled(app, once)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        layers = once if isinstance(scope[OUTCOME], PlanTask) else twice
        await layers(scope, receive, send)

    return answer


def _on_error(app: Any) -> Any:
    handlers = [handler for key, handler in app.exception_handlers.items() if key in (500, Exception)]
    return handlers[-1] if handlers else None


def arrival(app: Any) -> Any:
    """Return the function that puts into a scope what `CovetPy.__call__` puts there."""

    def arrive(scope: Scope) -> None:
        scope["app"] = app
        if app.root_path:
            scope["root_path"] = app.root_path

    return arrive


def _inside(app: Any, rest: ASGIApp) -> ASGIApp:
    """Return the application inside of the native middleware."""
    arrive, stack = arrival(app), _outside_on_error(app, rest)

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        arrive(scope)
        await stack(scope, receive, send)

    return inside


def error_stack(app: Any) -> ASGIApp:
    """Return an application that answers the exception `scope[OUTCOME]` as the application would."""
    return _outside_on_error(app, _answering(app))


def _outside_on_error(app: Any, rest: ASGIApp) -> ASGIApp:
    """Return an application whose answer to an error of the rest stands outside of the native middleware."""
    stack = ServerErrorMiddleware(_Stepping(rest), handler=_on_error(app), debug=app.debug)

    async def outside_on_error(scope: Scope, receive: Receive, send: Any) -> None:
        scope[_STEP_OUTSIDE] = getattr(send, "step_outside", None)
        await stack(scope, receive, send)

    return outside_on_error


@passes_through
class _Stepping:
    """Steps outside of the native middleware when the application inside raises."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception:
            step_outside = scope.get(_STEP_OUTSIDE)
            if step_outside is not None:
                step_outside()
            raise
