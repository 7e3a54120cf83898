"""A route's declaration worked out: its dependant, its body field, its response fields, its operation id.

`APIRoute` does it for itself, and the tree of included routers for each place a route appears at: the same
route has another path, other dependencies and other defaults there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from enum import Enum, IntEnum
from typing import Any

from covet import params
from covet.callables import described
from covet.datastructures.default import DefaultPlaceholder
from covet.dependencies.body import flat_body_params, get_body_field, should_embed_body_fields
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.models import Dependant
from covet.dependencies.signature import (
    get_dependant,
    get_parameterless_sub_dependant,
    get_stream_item_type,
    get_typed_return_annotation,
)
from covet.responses import EventSourceResponse, Response
from covet.responses.bodyless import is_body_allowed_for_status_code
from covet.routing.body_limit import validate_max_body_size
from covet.routing.matching import get_name
from covet.routing.options import ROUTE_DEFAULTS
from covet.routing.paths import ApiPath
from covet.routing.route import BaseRoute
from covet.sse import is_event_class
from covet.types import IncEx
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import ModelField, create_model_field

__all__ = ["Declared", "dependant_of", "populate"]


class Declared:
    """The attributes of a route, and of a route in its place in the tree of routers."""

    path: str
    endpoint: Callable[..., Any]
    stream_item_type: Any | None
    response_model: Any
    summary: str | None
    response_description: str
    deprecated: bool | None
    operation_id: str | None
    response_model_include: IncEx | None
    response_model_exclude: IncEx | None
    response_model_by_alias: bool
    response_model_exclude_unset: bool
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool
    include_in_schema: bool
    response_class: type[Response] | DefaultPlaceholder
    dependency_overrides_provider: Any | None
    callbacks: list[BaseRoute] | None
    openapi_extra: dict[str, Any] | None
    generate_unique_id_function: Callable[[Any], str] | DefaultPlaceholder
    strict_content_type: bool | DefaultPlaceholder
    max_body_size: int | None
    tags: list[str | Enum]
    responses: dict[int | str, dict[str, Any]]
    name: str
    path_regex: Any
    path_format: str
    param_convertors: dict[str, Any]
    shorter_formats: list[str]
    methods: Any
    unique_id: str
    status_code: int | None
    response_field: ModelField | None
    stream_item_field: ModelField | None
    dependencies: list[params.Depends]
    description: str
    response_fields: dict[int | str, ModelField]
    dependant: Dependant
    _embed_body_fields: bool
    body_field: ModelField | None
    is_sse_stream: bool
    is_json_stream: bool
    inline: bool
    cancel_on_disconnect: bool | None
    auto_head: bool
    auto_options: bool


_COPIED = (
    "summary",
    "response_description",
    "deprecated",
    "operation_id",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "include_in_schema",
    "response_class",
    "callbacks",
    "openapi_extra",
    "generate_unique_id_function",
    "max_body_size",
)
_DEFAULTS: dict[str, Any] = {
    **ROUTE_DEFAULTS,
    "methods": None,
    "dependency_overrides_provider": None,
    "strict_content_type": DefaultPlaceholder(True),
    "stream_item_type": None,
    "inline": False,
    "cancel_on_disconnect": None,
    "auto_head": False,
    "auto_options": False,
}


def dependant_of(
    *, path: str, call: Callable[..., Any], dependencies: Sequence[params.Depends]
) -> tuple[Dependant, list[ModelField], bool]:
    """Return the dependant of a handler, its body parameters, and whether they are keys of the body."""
    dependant = get_dependant(path=path, call=call, scope="function")
    first = [get_parameterless_sub_dependant(depends=depends, path=path) for depends in dependencies]
    dependant.dependencies = [*first, *dependant.dependencies]
    body_params = flat_body_params(dependant)
    return dependant, body_params, should_embed_body_fields(body_params)


def populate(target: Any, path: str, endpoint: Callable[..., Any], given: dict[str, Any]) -> None:
    """Set everything that `Declared` lists on a route, from its options."""
    try:
        _populate(target, path, endpoint, given)
    except Exception as refused:
        refused.add_note(f"in the declaration of {path!r}, {described(endpoint)}")
        raise


def _populate(target: Any, path: str, endpoint: Callable[..., Any], given: dict[str, Any]) -> None:
    options = {**_DEFAULTS, **given}
    validate_max_body_size(options["max_body_size"])
    target.path = path
    target.endpoint = endpoint
    for name in (*_COPIED, "dependency_overrides_provider", "strict_content_type", "stream_item_type"):
        setattr(target, name, options[name])
    for name in ("inline", "cancel_on_disconnect", "auto_head", "auto_options"):
        setattr(target, name, options[name])
    target.tags = options["tags"] or []
    target.responses = options["responses"] or {}
    target.name = get_name(endpoint) if options["name"] is None else options["name"]
    compiled = ApiPath.compile(path)
    target.path_regex, target.path_format = compiled.regex, compiled.format
    target.param_convertors, target.shorter_formats = compiled.convertors, compiled.shorter
    methods = options["methods"]
    target.methods = {method.upper() for method in (["GET"] if methods is None else methods)}
    chosen = options["generate_unique_id_function"]
    make_id = chosen.value if isinstance(chosen, DefaultPlaceholder) else chosen
    target.unique_id = target.operation_id or make_id(target)
    status_code = options["status_code"]
    target.status_code = int(status_code) if isinstance(status_code, IntEnum) else status_code
    target.dependencies = list(options["dependencies"] or [])
    # What stands after a form feed in a docstring is for readers of the code.
    described = options["description"] or inspect.cleandoc(endpoint.__doc__ or "")
    target.description = described.split("\f")[0].strip()
    target.response_fields = _additional_fields(target)
    assert callable(endpoint), "An endpoint must be a callable"
    target.dependant, body_params, target._embed_body_fields = dependant_of(
        path=compiled.with_marks, call=endpoint, dependencies=target.dependencies
    )
    target.body_field = get_body_field(
        body_params=body_params, name=target.unique_id, embed_body_fields=target._embed_body_fields
    )
    _populate_response(target, options["response_model"])


def _refuse_body(status_code: int | str | None) -> None:
    message = f"Status code {status_code} must not have a response body"
    assert is_body_allowed_for_status_code(status_code), message


def _additional_fields(target: Any) -> dict[int | str, ModelField]:
    """Return the fields of the models named in `responses`."""
    fields = {}
    for status_code, response in target.responses.items():
        assert isinstance(response, dict), "An additional response must be a dict"
        model = response.get("model")
        if model:
            _refuse_body(status_code)
            name = f"Response_{status_code}_{target.unique_id}"
            fields[status_code] = create_model_field(name=name, type_=model, mode="serialization")
    return fields


def _populate_response(target: Any, response_model: Any) -> None:
    """Set what the handler returns, or yields, and the fields by which that is written."""
    generators = (CallKind.GENERATOR, CallKind.ASYNC_GENERATOR)
    yields = call_kind(target.dependant.call) in generators
    has_default_class = isinstance(target.response_class, DefaultPlaceholder)
    sends_events = lenient_issubclass(target.response_class, EventSourceResponse)
    target.is_sse_stream = yields and sends_events
    target.is_json_stream = yields and has_default_class
    if isinstance(response_model, DefaultPlaceholder):
        annotation = get_typed_return_annotation(target.endpoint)
        item = get_stream_item_type(annotation)
        response_model = None
        if item is not None and yields:
            if (has_default_class or sends_events) and not is_event_class(item):
                target.stream_item_type = item
        elif not lenient_issubclass(annotation, Response):
            response_model = annotation
    target.response_model = response_model
    target.response_field = target.stream_item_field = None
    if response_model:
        _refuse_body(target.status_code)
        name = f"Response_{target.unique_id}"
        target.response_field = create_model_field(name=name, type_=response_model, mode="serialization")
    if target.stream_item_type:
        name = f"StreamItem_{target.unique_id}"
        target.stream_item_field = create_model_field(
            name=name, type_=target.stream_item_type, mode="serialization"
        )
