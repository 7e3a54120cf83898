"""A handler that takes a request, with its other parameters filled from it: what a route does, without one.

Made by `validated`. Dependencies are closed when the handler has returned, since nobody here sends the
response.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from copy import copy
from dataclasses import replace
from typing import Any, cast

from covet.dependencies.signature import get_typed_return_annotation, get_typed_signature
from covet.exception_handlers import request_validation_exception_handler
from covet.exceptions import RequestValidationError
from covet.requests import Request
from covet.responses import Response
from covet.routing.api_route import handler_for
from covet.routing.declaration import Declared, populate
from covet.routing.handler import get_request_handler
from covet.scope_keys import HANDLERS
from covet.types import Scope

__all__ = ["request_handler"]

Handler = Callable[..., Awaitable[Response]]

_STACKS = ("fastapi_inner_astack", "fastapi_function_astack", "fastapi_middleware_astack")


def _is_method(function: Callable[..., Any]) -> bool:
    first = next(iter(inspect.signature(function).parameters), None)
    return first == "self" and inspect.isfunction(function)


def request_handler(function: Callable[..., Any], options: dict[str, Any]) -> Handler:
    """Return `async (request) -> response`, or `async (self, request) -> response` for a method."""
    method = _is_method(function)
    declared = Declared()
    call = functools.partial(function, None) if method else function
    populate(declared, "", _with_typed_request(call), {**options, "name": function.__name__})
    handle = handler_for(declared, None, get_request_handler)

    if method:

        async def answer_method(self: Any, request: Request) -> Response:
            own = copy(declared)
            bound = _with_typed_request(functools.partial(function, self))
            own.dependant = replace(declared.dependant, call=bound)
            return await _answer(handler_for(own, None, get_request_handler), request)

        return _as(function, answer_method)

    async def answer(request: Request) -> Response:
        return await _answer(handle, request)

    return _as(function, answer)


def _as(function: Callable[..., Any], answer: Handler) -> Handler:
    """Give the handler the function's name, and keep its own signature: whoever looks sees a request."""
    signature = inspect.signature(answer)
    functools.update_wrapper(answer, function)
    cast(Any, answer).__signature__ = signature.replace(return_annotation=Response)
    answer.__annotations__ = {"request": Request, "return": Response}
    return answer


def _with_typed_request(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callable whose parameter `request` is annotated, though the user's need not be."""
    signature = get_typed_signature(call)
    request = signature.parameters.get("request")
    if request is None or request.annotation is not inspect.Parameter.empty:
        return call
    typed = functools.partial(call)
    parameters = {**signature.parameters, "request": request.replace(annotation=Request)}
    returned = get_typed_return_annotation(call)
    cast(Any, typed).__signature__ = signature.replace(
        parameters=list(parameters.values()),
        return_annotation=inspect.Signature.empty if returned is None else returned,
    )
    return typed


async def _answer(handle: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    try:
        async with AsyncExitStack() as request_stack, AsyncExitStack() as function_stack:
            files = request.scope.get(_STACKS[2], request_stack)
            with _in_scope(request.scope, (request_stack, function_stack, files)):
                return await handle(request)
    except RequestValidationError as refused:
        by_class, _ = request.scope.get(HANDLERS, ({}, {}))
        if any(cls in by_class for cls in type(refused).__mro__):
            raise
        return await request_validation_exception_handler(request, refused)


@contextmanager
def _in_scope(scope: Scope, stacks: tuple[AsyncExitStack, ...]) -> Iterator[None]:
    """Put the exit stacks where dependencies look for them, and put back what was there."""
    before = {name: scope[name] for name in _STACKS if name in scope}
    scope.update(zip(_STACKS, stacks, strict=True))
    try:
        yield
    finally:
        for name in _STACKS:
            scope.pop(name, None)
        scope.update(before)
