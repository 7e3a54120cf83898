"""The body as one field: alone, or several parameters as the keys of an object or form.

Called while routes are declared. The field made here describes the body in the document; requests are taken
apart parameter by parameter in `extract`.
"""

from __future__ import annotations

from copy import copy, deepcopy
from functools import partial
from typing import Annotated, Any, cast, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, GetJsonSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema

from covet import params
from covet.dependencies.forms import form_models
from covet.dependencies.models import Dependant
from covet.dependencies.param_models import get_validation_alias, param_aliases
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import (
    ModelField,
    create_body_model,
    create_model_field,
    get_cached_model_fields,
)

__all__ = ["flat_body_params", "get_body_field", "should_embed_body_fields"]


def flat_body_params(dependant: Dependant) -> list[ModelField]:
    """Return the body parameters of a dependant and of all below it, in order."""
    found = list(dependant.body_params)
    for below in dependant.dependencies:
        found += flat_body_params(below)
    return found


def should_embed_body_fields(fields: list[ModelField]) -> bool:
    """Say whether the parameters are keys of the body rather than the body itself."""
    if not fields:
        return False
    if len({field.name for field in fields}) > 1:
        return True
    first = fields[0]
    models = form_models(first)
    annotation = first.field_info.annotation
    if models and any(
        not form_models(other) or other.field_info.annotation is not annotation for other in fields[1:]
    ):
        return True
    if getattr(first.field_info, "embed", None):
        return True
    lone_form_field = isinstance(first.field_info, params.Form) and not lenient_issubclass(
        annotation, BaseModel
    )
    return lone_form_field and not models


def _is_optional(field: ModelField) -> bool:
    return type(None) in get_args(field.field_info.annotation)


def get_body_field(*, body_params: list[ModelField], name: str, embed_body_fields: bool) -> ModelField | None:
    """Return the field that describes the whole body, None when there is no body."""
    if not body_params:
        return None
    first = body_params[0]
    optional_form = any(form_models(field) and _is_optional(field) for field in body_params)
    if not embed_body_fields and not optional_form:
        return first
    fields, config = body_params, None
    if any(form_models(field) for field in body_params):
        fields = [_numbered(index, field) for index, field in enumerate(body_params)]
        config = ConfigDict(json_schema_extra=partial(_merge_form_schema, body_params))
    model = create_body_model(fields=fields, model_name=f"Body_{name}", config=config)
    if embed_body_fields:
        return _embedding_field(body_params, model)
    field_info = copy(first.field_info)
    field_info.annotation = model
    field_info.metadata = []
    field_info.discriminator = None
    return ModelField(name=first.name, field_info=field_info)


def _embedding_field(body_params: list[ModelField], model: type[BaseModel]) -> ModelField:
    infos = [field.field_info for field in body_params]
    arguments: dict[str, Any] = {"annotation": model, "alias": "body"}
    if not any(info.is_required() for info in infos):
        arguments["default"] = None
    kinds: tuple[type[params.Body], ...] = (params.File, params.Form, params.Body)
    kind = next((kind for kind in kinds if any(isinstance(info, kind) for info in infos)), params.Body)
    if kind is not params.File:
        media_types = [info.media_type for info in infos if isinstance(info, kind)]
        if kind is params.Form and "multipart/form-data" in media_types:
            arguments["media_type"] = "multipart/form-data"
        elif len(set(media_types)) == 1:
            arguments["media_type"] = media_types[0]
    return create_model_field(name="body", type_=model, alias="body", field_info=kind(**arguments))


def _numbered(index: int, field: ModelField) -> ModelField:
    """Return a copy of a form parameter under a name that cannot clash with any alias."""
    info = copy(field.field_info)
    models = form_models(field)
    if len(models) == 1:
        schema = GetPydanticSchema(get_pydantic_json_schema=partial(_form_model_schema, models[0]))
        described: Any = Annotated[models[0], schema]
        info.annotation = described if info.annotation is models[0] else cast(Any, described | None)
    info.alias = info.validation_alias = info.serialization_alias = f"field_{index}"
    info.title = info.title or field.name.replace("_", " ").title()
    return ModelField(name=f"field_{index}", field_info=info)


def _form_model_schema(
    model: type[BaseModel], core_schema: CoreSchema, handler: GetJsonSchemaHandler
) -> dict[str, Any]:
    """Return a model's schema with its properties under the names that the form accepts."""
    schema = handler(core_schema)
    resolved = handler.resolve_ref_schema(schema)
    properties, required = resolved.get("properties", {}), resolved.get("required", [])
    renamed: dict[str, list[str]] = {}
    for field in get_cached_model_fields(model):
        declared = field.field_info.validation_alias
        written = declared.choices[0] if isinstance(declared, AliasChoices) else get_validation_alias(field)
        names = [alias for alias, _ in param_aliases(field)]
        if not isinstance(written, str) or written not in properties:
            continue
        if names[0] != written or (len(names) > 1 and written in required):
            renamed[written] = names
    if not renamed:
        return schema
    result = deepcopy(resolved)
    result["properties"] = {renamed.get(key, [key])[0]: value for key, value in result["properties"].items()}
    result["required"] = []
    for name in required:
        names = renamed.get(name, [name])
        if len(names) == 1:
            result["required"].append(names[0])
        else:
            result.setdefault("allOf", []).append({"anyOf": [{"required": [each]} for each in names]})
    return result


def _merge_form_schema(body_params: list[ModelField], schema: dict[str, Any]) -> None:
    """Turn the schema of numbered parameters into one of the form's own fields and the models spread over
    it.
    """
    numbered = schema.pop("properties")
    schema.pop("required", None)
    properties: dict[str, Any] = {}
    required: list[str] = []
    conditions: list[dict[str, Any]] = []
    for index, param in enumerate(body_params):
        described = numbered[f"field_{index}"]
        if form_models(param):
            conditions += _form_model_conditions(param, described)
            continue
        alias = param_aliases(param)[0][0]
        if alias in properties:
            conditions.append({"properties": {alias: described}})
        else:
            properties[alias] = described
        if param.field_info.is_required() and alias not in required:
            required.append(alias)
    if properties:
        schema["properties"] = properties
    if required:
        schema["required"] = required
    schema["allOf"] = conditions


def _form_model_conditions(param: ModelField, described: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a form must satisfy for a model spread over it; an optional one may also be absent."""
    models = form_models(param)
    described.pop("default", None)
    if not _is_optional(param):
        return [described]
    described["anyOf"] = [choice for choice in described["anyOf"] if choice.get("type") != "null"]
    absent: dict[str, Any]
    if any(model.model_config.get("extra") in ("allow", "forbid") for model in models):
        absent = {"maxProperties": 0}
    else:
        fields = [field for model in models for field in get_cached_model_fields(model)]
        names = sorted({alias for field in fields for alias, _ in param_aliases(field)})
        absent = {"not": {"anyOf": [{"required": [name]} for name in names]}} if names else {}
    if param.field_info.is_required():
        return [{"not": absent}, described]
    return [{"anyOf": [absent, described]}]
