"""`validated`: a function that holds to its signature wherever it is called, by the same fields as a route.

Used where no route of ours does it: on handlers of plain Starlette routes and class-based endpoints, and on
functions that are no handlers at all. Nothing here looks at values; fields do.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, TypeVar, Unpack, cast, overload

from covet import params
from covet.callables import name_of
from covet.datastructures.default import Default, DefaultPlaceholder
from covet.dependencies.extract import validate_value
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.parameter import analyze_param
from covet.dependencies.refusal import explain
from covet.dependencies.signature import get_typed_return_annotation, get_typed_signature
from covet.dependencies.source import source_of
from covet.exception_handlers import request_validation_exception_handler
from covet.exceptions import (
    ArgumentValidationError,
    FastAPIError,
    RequestValidationError,
    ResponseValidationError,
)
from covet.requests import HTTPConnection, Request
from covet.responses import Response
from covet.routing.api_route import handler_for
from covet.routing.declaration import Declared, populate
from covet.routing.handler import get_request_handler
from covet.routing.options import ResponseOptions, check_options
from covet.types import Scope
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import ModelField, Undefined, create_model_field
from covet.websockets import WebSocket

__all__ = ["ContractOptions", "validated"]

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[..., Awaitable[Response]]

_STACKS = ("fastapi_inner_astack", "fastapi_function_astack", "fastapi_middleware_astack")
_BY_ITSELF = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


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
        return _handler(function, options)
    given = options.keys() - {"response_model"}
    if given:
        raise FastAPIError(
            f"{name_of(function)} is no handler, so {min(given)} means nothing: "
            "give it a parameter `request: Request`, or leave the option out"
        )
    return _checked_function(function, options.get("response_model", Default(None)))


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


def _is_method(function: Callable[..., Any]) -> bool:
    first = next(iter(inspect.signature(function).parameters), None)
    return first == "self" and inspect.isfunction(function)


# Handlers


def _handler(function: Callable[..., Any], options: dict[str, Any]) -> Handler:
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
        by_class, _ = request.scope.get("starlette.exception_handlers", ({}, {}))
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


# Other functions


@dataclass
class _Contract:
    """The fields of a function's arguments and of what it returns."""

    function: Callable[..., Any]
    signature: inspect.Signature
    arguments: dict[str, ModelField]
    returned: ModelField | None

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
        """Return the arguments, validated; raise with the errors of all of them."""
        bound = self.signature.bind(*args, **kwargs)
        errors: list[dict[str, Any]] = []
        for name, field in self.arguments.items():
            raw = bound.arguments.get(name, Undefined)
            value, found = validate_value(field, raw, {}, ("argument", name))
            bound.arguments[name] = value
            errors += found
        if errors:
            raise ArgumentValidationError(errors, endpoint_ctx=source_of(self.function))
        return inspect.BoundArguments(self.signature, cast(Any, self._in_order(bound.arguments)))

    def _in_order(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {name: arguments[name] for name in self.signature.parameters if name in arguments}

    def result(self, value: Any) -> Any:
        """Return the value, validated."""
        if self.returned is None:
            return value
        result, errors = self.returned.validate(value, {}, loc=("response",))
        if errors:
            refused = ResponseValidationError(errors, body=value, endpoint_ctx=source_of(self.function))
            explain(refused)
            raise refused
        return result


def _checked_function(function: Callable[..., Any], response_model: Any) -> Callable[..., Any]:
    contract = _contract(function, response_model)
    if call_kind(function) is CallKind.COROUTINE:

        async def checked_async(*args: Any, **kwargs: Any) -> Any:
            bound = contract.bind(args, kwargs)
            return contract.result(await function(*bound.args, **bound.kwargs))

        return functools.wraps(function)(checked_async)

    def checked(*args: Any, **kwargs: Any) -> Any:
        bound = contract.bind(args, kwargs)
        return contract.result(function(*bound.args, **bound.kwargs))

    return functools.wraps(function)(checked)


def _contract(function: Callable[..., Any], response_model: Any) -> _Contract:
    signature = get_typed_signature(function)
    fields: dict[str, ModelField] = {}
    for param in signature.parameters.values():
        field = None if param.kind in _BY_ITSELF else _argument(function, param)
        if field is not None:
            fields[param.name] = field
    if isinstance(response_model, DefaultPlaceholder):
        response_model = get_typed_return_annotation(function)
    returned = None
    if response_model is not None:
        returned = create_model_field("response", response_model, mode="serialization")
    return _Contract(function, signature, fields, returned)


def _argument(function: Callable[..., Any], param: inspect.Parameter) -> ModelField | None:
    """Return the field of a parameter, None for one about which nothing is said."""
    if param.annotation is inspect.Parameter.empty and not isinstance(param.default, params.Param):
        return None
    try:
        details = analyze_param(
            param_name=param.name, annotation=param.annotation, value=param.default, path_param_names=set()
        )
    except FastAPIError:
        raise FastAPIError(
            f"{name_of(function)} cannot be validated: pydantic does not know the type of {param.name} "
            f"({param.annotation!r}). Annotate it as pydantic.InstanceOf[…], or as Any to leave it unchecked"
        ) from None
    if details.depends is not None:
        raise FastAPIError(
            f"{name_of(function)} has a dependency ({param.name}) but no request to solve it from: "
            "give it a parameter `request: Request` to make it a handler"
        )
    return details.field
