"""The options of a route, once: their types, their defaults, and the signatures made from them.

Eight verbs on two classes share them; a verb's signature is FastAPI's, set in one place by `show_signature`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from typing_extensions import TypedDict

from covet import params
from covet.datastructures.default import Default, DefaultPlaceholder
from covet.responses import JSONResponse, Response
from covet.routing.form_limits import FormLimits
from covet.routing.operation_id import generate_unique_id
from covet.routing.route import BaseRoute
from covet.types import IncEx

__all__ = [
    "INCLUDE_DEFAULTS",
    "ROUTE_DEFAULTS",
    "ApiRouteOptions",
    "IncludeOptions",
    "ResponseOptions",
    "RouteOptions",
    "check_options",
    "show_signature",
]

Responses = dict[int | str, dict[str, Any]]


class ResponseOptions(TypedDict, total=False):
    """What decides how a returned value becomes an answer."""

    response_model: Any
    status_code: int | None
    response_model_include: IncEx | None
    response_model_exclude: IncEx | None
    response_model_by_alias: bool
    response_model_exclude_unset: bool
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool


class RouteOptions(ResponseOptions, total=False):
    """What every verb accepts: `@app.get("/items/{id}", tags=["items"])`.

    What is answered: `response_model` (the model the result is validated and filtered by; None for none),
    `response_class`, `status_code`, and the `response_model_*` options of the serialisation.
    What runs before: `dependencies`, whose values nobody receives.
    What the document says: `tags`, `summary`, `description`, `response_description`, `responses`,
    `deprecated`, `operation_id`, `include_in_schema`, `callbacks`, `openapi_extra`,
    `generate_unique_id_function`. Bounds: `max_body_size` in bytes (413 beyond it), `form_limits`.
    Not FastAPI's: `inline` runs a `def` handler on the event loop instead of a thread; `cancel_on_disconnect`
    cancels the handler when the client leaves.
    """

    tags: list[str | Enum] | None
    dependencies: Sequence[params.Depends] | None
    summary: str | None
    description: str | None
    response_description: str
    responses: Responses | None
    deprecated: bool | None
    operation_id: str | None
    include_in_schema: bool
    response_class: type[Response] | DefaultPlaceholder
    name: str | None
    callbacks: list[BaseRoute] | None
    openapi_extra: dict[str, Any] | None
    generate_unique_id_function: Callable[[Any], str] | DefaultPlaceholder
    max_body_size: int | None
    form_limits: FormLimits | None
    inline: bool
    cancel_on_disconnect: bool | None


class ApiRouteOptions(RouteOptions, total=False):
    """What a route itself accepts beside a verb's options."""

    methods: Iterable[str] | None
    dependency_overrides_provider: Any | None
    strict_content_type: bool | DefaultPlaceholder
    route_class_override: type[Any] | None


class IncludeOptions(TypedDict, total=False):
    """What `include_router` accepts: everything is added to what the included routes say themselves."""

    prefix: str
    tags: list[str | Enum] | None
    dependencies: Sequence[params.Depends] | None
    default_response_class: type[Response]
    responses: Responses | None
    callbacks: list[BaseRoute] | None
    deprecated: bool | None
    include_in_schema: bool
    generate_unique_id_function: Callable[[Any], str]
    max_body_size: int | None
    form_limits: FormLimits | None


ROUTE_DEFAULTS: dict[str, Any] = {
    "response_model": Default(None),
    "status_code": None,
    "tags": None,
    "dependencies": None,
    "summary": None,
    "description": None,
    "response_description": "Successful Response",
    "responses": None,
    "deprecated": None,
    "operation_id": None,
    "response_model_include": None,
    "response_model_exclude": None,
    "response_model_by_alias": True,
    "response_model_exclude_unset": False,
    "response_model_exclude_defaults": False,
    "response_model_exclude_none": False,
    "include_in_schema": True,
    "response_class": Default(JSONResponse),
    "name": None,
    "callbacks": None,
    "openapi_extra": None,
    "generate_unique_id_function": Default(generate_unique_id),
    "max_body_size": None,
    "form_limits": None,
}
INCLUDE_DEFAULTS: dict[str, Any] = {
    "prefix": "",
    "tags": None,
    "dependencies": None,
    "default_response_class": Default(JSONResponse),
    "responses": None,
    "callbacks": None,
    "deprecated": None,
    "include_in_schema": True,
    "generate_unique_id_function": Default(generate_unique_id),
    "max_body_size": None,
    "form_limits": None,
}
_TYPES: dict[str, Any] = {
    **RouteOptions.__annotations__,
    **ApiRouteOptions.__annotations__,
    **IncludeOptions.__annotations__,
}


def check_options(function: str, options: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse an option nobody knows, as a call with a wrong keyword does."""
    unknown = options.keys() - set(known)
    if unknown:
        raise TypeError(f"{function}() got an unexpected keyword argument {min(unknown)!r}")


def show_signature(
    *functions: Callable[..., Any], leading: Sequence[str], options: Mapping[str, Any], result: Any
) -> None:
    """Give functions that take `**options` the signature which spells them out; they share one object."""
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    kinds = {"path": str, "endpoint": Callable[..., Any], "router": Any}
    for name in leading:
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=kinds[name])
        )
    for name, default in options.items():
        annotation = _TYPES.get(name, Any)
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    signature = inspect.Signature(parameters, return_annotation=result)
    for function in functions:
        function.__signature__ = signature  # type: ignore[attr-defined]
