"""What becomes of a handler's value, as the plan's tuple: the engine's JSON writer, pydantic's, text, or
Python.

Equal to `serialize_response` and the request handler by construction: modes 0 to 2 only where those come to
exactly that, mode 3 (a function that makes the response object) for other response classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from pydantic_core import SchemaSerializer

from covet.datastructures.default import DefaultPlaceholder
from covet.dependencies.kinds import CallKind, call_kind
from covet.dependencies.plan_body import runs_user_code, unwatched_validator
from covet.dependencies.plan_shape import plan_shape
from covet.dependencies.reasons import NotNative
from covet.dependencies.refusal import refused_response
from covet.dependencies.source import endpoint_context
from covet.encoders import jsonable_encoder
from covet.exceptions import ResponseValidationError
from covet.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from covet.responses.bodyless import is_body_allowed_for_status_code
from covet.validation.errors import error_with_prefix
from covet.validation.fields import ModelField

__all__ = ["plan_response"]

_JSON, _MODEL, _TEXT, _PYTHON = range(4)
# Whoever replaces one of these on the class gets it called.
_METHODS = ("__init__", "render", "init_headers", "__call__", "headers")
_ORIGINALS: dict[type[Response], dict[str, Any]] = {
    cls: {name: getattr(cls, name) for name in _METHODS}
    for cls in (Response, JSONResponse, PlainTextResponse, HTMLResponse)
}


def _is_untouched(cls: type[Response]) -> bool:
    originals = _ORIGINALS.get(cls)
    return originals is not None and all(getattr(cls, name) is found for name, found in originals.items())


def plan_response(route: Any, gives_response: bool) -> tuple[Any, ...]:
    """Return `(mode, serializer, status, media_type, headers, response_class)` of a route."""
    chosen = route.response_class
    by_default = isinstance(chosen, DefaultPlaceholder)
    cls: type[Response] = chosen.value if by_default else chosen
    status = route.status_code
    field: ModelField | None = route.response_field
    if field is not None:
        _check_validators(route, field)
    if field is not None and by_default:
        if not _is_untouched(Response):
            raise NotNative("Response was changed")
        return _MODEL, _model_parts(route, field), status, "application/json", None, Response
    if field is None and cls is JSONResponse and _is_untouched(cls):
        return _JSON, None, status, cls.media_type, None, cls
    if field is None and cls in (PlainTextResponse, HTMLResponse) and _is_untouched(cls):
        return _TEXT, None, status, cls.media_type, None, cls
    if gives_response:
        raise NotNative(f"{cls.__name__} is made with what the injected response says")
    return _PYTHON, _finisher(route, field, cls), status, None, None, cls


def _check_validators(route: Any, field: ModelField) -> None:
    blocking = call_kind(route.dependant.call) is not CallKind.COROUTINE and not route.inline
    if blocking and runs_user_code(field._type_adapter.core_schema):
        # Beside a handler in a thread, validation runs in a thread too.
        raise NotNative("the response model of a blocking handler runs code while it validates")


def _dump_options(route: Any) -> dict[str, Any]:
    return {
        "include": route.response_model_include,
        "exclude": route.response_model_exclude,
        "by_alias": route.response_model_by_alias,
        "exclude_unset": route.response_model_exclude_unset,
        "exclude_defaults": route.response_model_exclude_defaults,
        "exclude_none": route.response_model_exclude_none,
    }


def _model_parts(route: Any, field: ModelField) -> tuple[Any, ...]:
    adapter = field._type_adapter
    options = _dump_options(route)
    plain = field.config is None and type(adapter.serializer) is SchemaSerializer
    shape = plan_shape(adapter.core_schema, options) if plain else None
    return unwatched_validator(adapter.validator), adapter.serializer, options, _refuser(route), shape


def _refused(route: Any, errors: list[dict[str, Any]], value: Any, request: Any) -> ResponseValidationError:
    context = endpoint_context(route.dependant, request.method, request.scope.get("root_path", ""))
    return refused_response(errors, value, context, request.scope)


def _refuser(route: Any) -> Callable[[ValidationError, Any, Any], None]:
    """Return the function that raises what the Python path raises for a value the model refuses."""

    def refuse(error: ValidationError, value: Any, request: Any) -> None:
        errors = error_with_prefix(error.errors(include_url=False), ("response",))
        raise _refused(route, errors, value, request)

    return refuse


def _finisher(route: Any, field: ModelField | None, cls: type[Response]) -> Callable[[Any, Any], Response]:
    """Return the function that makes the response object of a handler's value."""
    options = _dump_options(route)
    arguments: dict[str, Any] = {} if route.status_code is None else {"status_code": route.status_code}

    def finish(value: Any, request: Any) -> Response:
        if field is None:
            content = jsonable_encoder(value)
        else:
            valid, errors = field.validate(value, {}, loc=("response",))
            if errors:
                raise _refused(route, errors, value, request)
            content = field.serialize(valid, **options)
        response = cls(content, **arguments)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        return response

    return finish
