"""Values for a dependant's fields, taken from path, query, headers, cookies and body, with the errors they
cause.

Called by `resolve` for each request. Errors are returned as data; only broken assumptions raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from covet import params
from covet.datastructures.headers import Headers
from covet.datastructures.upload import FormData
from covet.dependencies.body import should_embed_body_fields
from covet.dependencies.forms import (
    extract_form_body,
    extract_form_model,
    form_models,
    multidict_extras,
    multidict_value,
)
from covet.dependencies.param_models import param_aliases, param_model
from covet.validation.errors import get_missing_field_error
from covet.validation.fields import ModelField, Undefined, get_cached_model_fields

__all__ = ["request_body_to_args", "request_params_to_args"]

Values = dict[str, Any]
Errors = list[dict[str, Any]]


def validate_value(field: ModelField, value: Any, values: Values, loc: tuple[str, ...]) -> tuple[Any, Errors]:
    """Validate what came for a field, or take its default when nothing did."""
    if value is Undefined:
        if field.field_info.is_required():
            return None, [get_missing_field_error(loc)]
        value = deepcopy(field.default)
        if not field.field_info.validate_default:
            return value, []
    return field.validate(value, values, loc=loc)


def _location(field: ModelField) -> str:
    info = field.field_info
    assert isinstance(info, params.Param), "Params must be subclasses of Param"
    return info.in_.value


def request_params_to_args(
    fields: Sequence[ModelField], received_params: Mapping[str, Any]
) -> tuple[Values, Errors]:
    """Return the arguments for parameters of one location, and the errors of those that have none."""
    values: Values = {}
    errors: Errors = []
    for field in fields:
        model = param_model(field)
        if model is not None:
            value, found = _model_from_params(field, model, received_params)
        else:
            aliases = param_aliases(field)
            alias = next((spelled for _, spelled in aliases if spelled in received_params), aliases[0][1])
            raw = multidict_value(field, received_params, alias)
            value, found = validate_value(field, raw, values, (_location(field), alias))
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors


class _Group:
    """The parts of a request that are for one model of parameters."""

    def __init__(self, field: ModelField, received: Mapping[str, Any]) -> None:
        self.received = received
        self.headers = isinstance(received, Headers)
        self.hyphens = getattr(field.field_info, "convert_underscores", True)
        self.values: Values = {}
        self.own_names: set[str] = set()
        self.read_names: set[str] = set()
        self.spelled: dict[str, str] = {}  # by field name, where the header is spelled otherwise

    def take(self, field: ModelField) -> None:
        """Take what came for one member of the model."""
        hyphens = self.headers and getattr(field.field_info, "convert_underscores", self.hyphens)
        aliases = param_aliases(field, convert_underscores=hyphens)
        self.own_names.update(spelled.lower() if self.headers else spelled for _, spelled in aliases)
        alias, spelled = next((pair for pair in aliases if pair[1] in self.received), aliases[0])
        value = multidict_value(field, self.received, spelled)
        if value is not Undefined:
            self.values[alias] = value
        if not self.headers:
            self.read_names.add(spelled)
            return
        self.read_names.add(spelled.lower())
        # A header spelled with underscores must not slip in under the model's own name.
        self.read_names.update(name.lower() for name, header in aliases if name != header)
        if alias != spelled:
            self.spelled[field.name] = spelled

    def finish(self) -> None:
        """Add what came under names that no member has: the model's `extra` decides about it."""
        self.values.update(multidict_extras(self.received, self.read_names))


def _model_from_params(
    field: ModelField, model: type[BaseModel], received: Mapping[str, Any]
) -> tuple[Any, Errors]:
    group = _Group(field, received)
    for member in get_cached_model_fields(model):
        group.take(member)
    group.finish()
    value: Any = group.values
    if field.field_info.annotation is not model:  # `Model | None`
        takes_any = model.model_config.get("extra") in ("allow", "forbid")
        if not group.own_names.intersection(received) and not (takes_any and value):
            value = Undefined
    result, errors = validate_value(field, value, {}, (_location(field),))
    if group.spelled and model.model_config.get("loc_by_alias", True):
        for error in errors:
            loc = error["loc"]
            if len(loc) > 1 and loc[1] in group.spelled:
                error["loc"] = (loc[0], group.spelled[loc[1]], *loc[2:])
    return result, errors


async def request_body_to_args(
    body_fields: list[ModelField], received_body: Any, embed_body_fields: bool
) -> tuple[Values, Errors]:
    """Return the arguments for body parameters, and the errors of those that have none."""
    assert body_fields, "request_body_to_args() should be called with fields"
    first = body_fields[0]
    whole_body = (
        len(body_fields) == 1
        and not embed_body_fields
        and not should_embed_body_fields(body_fields)
        and not form_models(first)
    )
    if isinstance(received_body, FormData):
        keys, received = await _read_form(body_fields, received_body)
    else:
        keys, received = {}, received_body
    if whole_body:
        value, errors = validate_value(first, received, {}, ("body",))
        return {first.name: value}, errors
    values: Values = {}
    errors = []
    for field in body_fields:
        loc, value = await _body_value(field, received_body, received, keys)
        if loc is None:
            errors.append(get_missing_field_error(("body", param_aliases(field)[0][0])))
            continue
        value, found = validate_value(field, value, values, loc)
        if found:
            errors.extend(found)
        else:
            values[field.name] = value
    return values, errors


async def _read_form(
    body_fields: list[ModelField], form: FormData
) -> tuple[dict[str, tuple[str, Any]], dict[str, Any]]:
    """Return the form's single fields by parameter name, and everything by the form's names."""
    keys: dict[str, tuple[str, Any]] = {}
    received: dict[str, Any] = {}
    single = [field for field in body_fields if not form_models(field)]
    if single:
        async for alias, value, field in extract_form_body(single, form):
            received[alias] = value
            if field is not None:
                keys[field.name] = (alias, value)
    return keys, received


async def _body_value(
    field: ModelField, body: Any, received: Any, keys: dict[str, tuple[str, Any]]
) -> tuple[tuple[str, ...] | None, Any]:
    """Return where a parameter's value stands in the body, and the value; no place when the body has no
    keys.
    """
    if isinstance(body, FormData):
        models = form_models(field)
        if models:
            return ("body",), await extract_form_model(field, models, body)
        alias, value = keys.get(field.name, (param_aliases(field)[0][0], Undefined))
        return ("body", alias), value
    aliases = [alias for alias, _ in param_aliases(field)]
    if received is Undefined or isinstance(received, bytes):
        return ("body", aliases[0]), Undefined
    try:
        for alias in aliases:
            value = received.get(alias, Undefined)
            if value is not Undefined:
                return ("body", alias), value
    except AttributeError:
        return None, None
    return ("body", aliases[0]), Undefined
