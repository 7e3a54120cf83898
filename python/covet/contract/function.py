"""A function that is no handler, with its arguments and its result validated.

Made by `validated`. The way it is called stays Python's: what `inspect` binds is what fields look at.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from covet import params
from covet.callables import name_of
from covet.datastructures.default import DefaultPlaceholder
from covet.dependencies.extract import validate_value
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.parameter import analyze_param
from covet.dependencies.refusal import explain
from covet.dependencies.signature import get_typed_return_annotation, get_typed_signature
from covet.dependencies.source import source_of
from covet.exceptions import ArgumentValidationError, FastAPIError, ResponseValidationError
from covet.validation.fields import ModelField, Undefined, create_model_field

__all__ = ["checked_function"]

_BY_ITSELF = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


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


def checked_function(function: Callable[..., Any], response_model: Any) -> Callable[..., Any]:
    """Return the function with checks around it; a coroutine function stays one."""
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
