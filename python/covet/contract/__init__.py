"""`validated`: a function that holds to its signature wherever it is called, by the same fields as a route.

Used where no route of ours does it: on handlers of plain Starlette routes and class-based endpoints
(`handler`), and on functions that are no handlers at all (`function`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, Unpack, overload

from covet.callables import name_of
from covet.contract.function import checked_function
from covet.contract.handler import request_handler
from covet.datastructures.default import Default
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.signature import get_typed_signature
from covet.exceptions import FastAPIError
from covet.requests import HTTPConnection
from covet.responses import Response
from covet.routing.options import ResponseOptions, check_options
from covet.validation.annotations import lenient_issubclass
from covet.websockets import WebSocket

__all__ = ["ContractOptions", "validated"]

F = TypeVar("F", bound=Callable[..., Any])


class ContractOptions(ResponseOptions, total=False):
    """What `validated` accepts, as on a route; for a function that is no handler only `response_model`."""

    response_class: type[Response]
    strict_content_type: bool


@overload
def validated(function: F, /) -> F: ...
@overload
def validated(**options: Unpack[ContractOptions]) -> Callable[[F], F]: ...
def validated(function: Any = None, /, **options: Any) -> Any:
    """Make a function check what it is given and what it returns, by its signature, as a route does.

    A function with a parameter `request` is a handler: it becomes `async (request) -> response`, its other
    parameters are read from the request (`Path()`, `Query()`, `Header()`, `Cookie()`, a model as the body,
    `Depends()` …), and the value it returns becomes the response. A request that does not fit raises
    RequestValidationError where the application handles that, else it is answered with 422.

        @validated
        async def create(request: Request, item: Item) -> StoredItem: ...

        app = Starlette(routes=[Route("/items", create, methods=["POST"])])

    Any other function keeps the way it is called. Its arguments are validated and converted, all of them
    before it raises; so is the value it returns.

        @validated
        def price(item: Item, discount: Annotated[float, Field(ge=0, le=1)] = 0) -> Decimal: ...

    Raises:
        ArgumentValidationError: an argument of a function that is no handler does not fit.
        ResponseValidationError: the returned value does not fit the return annotation or `response_model`.
        FastAPIError: the signature cannot be checked; raised when the function is decorated.
    """
    check_options("validated", options, ContractOptions.__annotations__)
    if function is None:
        return functools.partial(_decorate, options=options)
    return _decorate(function, options)


def _decorate(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    if call_kind(function) in (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR):
        raise FastAPIError(
            f"{name_of(function)} yields: validated() checks one value that is returned. "
            "Return a list, or make it a route, which validates item by item"
        )
    if _takes_request(function):
        return request_handler(function, options)
    given = options.keys() - {"response_model"}
    if given:
        raise FastAPIError(
            f"{name_of(function)} is no handler, so {min(given)} means nothing: "
            "give it a parameter `request: Request`, or leave the option out"
        )
    return checked_function(function, options.get("response_model", Default(None)))


def _takes_request(function: Callable[..., Any]) -> bool:
    for param in get_typed_signature(function).parameters.values():
        if lenient_issubclass(param.annotation, WebSocket):
            raise FastAPIError(
                f"{name_of(function)} takes a WebSocket: validated() answers requests. "
                "Make it a route of the application, which validates the handshake"
            )
        untyped = param.annotation is inspect.Parameter.empty and param.name == "request"
        if untyped or lenient_issubclass(param.annotation, HTTPConnection):
            return True
    return False
