"""JSON schemas of fields: all of a document in one run of pydantic's generator, which also settles their
names.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from covet.openapi.constants import REF_TEMPLATE
from covet.openapi.flat_models import get_flat_models_from_fields
from covet.openapi.generator import GenerateJsonSchema
from covet.types import ModelNameMap
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import ModelField

__all__ = ["FieldMapping", "GenerateJsonSchema", "get_definitions", "get_schema_from_model_field"]

Mode = Literal["validation", "serialization"]
FieldMapping = dict[tuple[ModelField, Mode], JsonSchemaValue]
Definitions = dict[str, dict[str, Any]]
Inputs = list[tuple[Any, Mode, CoreSchema]]

# The last documents' schemas by what they were made of; the inputs are kept, so that no id is given twice.
_REMEMBERED = 4
_known: dict[tuple[Any, ...], tuple[Inputs, FieldMapping, Definitions]] = {}


def _mentions_computed(annotation: Any, seen: set[type[BaseModel]]) -> bool:
    if not lenient_issubclass(annotation, BaseModel):
        return any(_mentions_computed(argument, seen) for argument in get_args(annotation))
    if annotation in seen:
        return False
    seen.add(annotation)
    if annotation.model_computed_fields:
        return True
    return any(_mentions_computed(info.annotation, seen) for info in annotation.model_fields.values())


def _has_computed_fields(field: ModelField) -> bool:
    """Say whether output has attributes that input has not, so that one schema cannot serve both."""
    own: Any = field.core_schema
    if own.get("schema", {}).get("computed_fields", []):
        return True
    return _mentions_computed(field.field_info.annotation, set())


def get_schema_from_model_field(
    *,
    field: ModelField,
    model_name_map: ModelNameMap,
    field_mapping: FieldMapping,
    separate_input_output_schemas: bool = True,
    field_alias: str | None = None,
) -> dict[str, Any]:
    """Return the schema of a field; one that is no reference gets a title."""
    mode: Mode = field.mode
    if not separate_input_output_schemas and not _has_computed_fields(field):
        mode = "validation"
    # The mapping is kept: nothing that is merged into a document may reach it.
    schema = deepcopy(field_mapping[field, mode])
    if "$ref" not in schema:
        if field_alias is None:
            own = field.validation_alias if field.mode == "validation" else field.serialization_alias
            field_alias = own or field.alias
        schema["title"] = field.field_info.title or field_alias.title().replace("_", " ")
    return schema


def _model_input(model: Any, mode: Mode) -> tuple[Any, Mode, CoreSchema]:
    """Return what the generator needs of a model that is only mentioned."""
    own = model.__dict__.get("__pydantic_core_schema__")
    if type(own) is not dict:  # an enumeration, or a model whose references are not resolved yet
        own = ModelField(
            field_info=FieldInfo(annotation=model), name=model.__name__
        )._type_adapter.core_schema
    return model, mode, own


def get_definitions(
    *,
    fields: Sequence[ModelField],
    model_name_map: ModelNameMap,
    separate_input_output_schemas: bool = True,
) -> tuple[FieldMapping, Definitions]:
    """Return the schema of each field, and the schemas that they refer to."""
    mentioned: dict[tuple[Any, Mode], None] = {}
    direct = {field.field_info.annotation for field in fields if _is_hashable(field.field_info.annotation)}
    modes: tuple[Mode, Mode] = ("validation", "serialization")
    for mode in modes:
        of_mode = [field for field in fields if field.mode == mode]
        for model in get_flat_models_from_fields(of_mode, set()):
            if model not in direct:
                mentioned[model, mode] = None
    inputs: Inputs = [
        (field, _input_mode(field, separate_input_output_schemas), field.core_schema)
        for field in dict.fromkeys(fields)
    ]
    for model, mode in mentioned:
        separate = separate_input_output_schemas or mode == "validation" or _mentions_computed(model, set())
        inputs.append(_model_input(model, mode if separate else "validation"))
    return _generated(inputs)


def _generated(inputs: Inputs) -> tuple[FieldMapping, Definitions]:
    """Describe the inputs, or return what was made of the same ones before."""
    key = tuple((id(each), mode, id(schema)) for each, mode, schema in inputs)
    if key not in _known:
        mapping, definitions = GenerateJsonSchema(ref_template=REF_TEMPLATE).generate_definitions(inputs)
        for definition in definitions.values():
            if "description" in definition:
                # What stands after a form feed in a docstring is for readers of the code.
                definition["description"] = definition["description"].split("\f")[0]
        if len(_known) >= _REMEMBERED:
            del _known[next(iter(_known))]
        _known[key] = (inputs, mapping, definitions)
    _, mapping, definitions = _known[key]
    return mapping, dict(definitions)


def _is_hashable(annotation: Any) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def _input_mode(field: ModelField, separate: bool) -> Mode:
    return field.mode if separate or _has_computed_fields(field) else "validation"
