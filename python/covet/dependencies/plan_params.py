"""One parameter as the plan's tuple: read from pydantic's core schema, which is what validates on the Python
path.
"""

from __future__ import annotations

from typing import Any

from covet.dependencies.param_models import is_json_field, param_aliases, param_model
from covet.dependencies.reasons import NotNative
from covet.validation.fields import ModelField

__all__ = ["plan_param"]

Schema = dict[str, Any]

_STR, _INT, _FLOAT, _BOOL, _UUID, _DATE, _DATETIME, _CHOICE, _LIST = range(9)
_HEADER, _COOKIE, _PATH = 2, 3, 0
# Kind and constraints of the core schemas whose plain texts the engine converts as pydantic does.
_KINDS: dict[str, tuple[int, frozenset[str]]] = {
    "any": (_STR, frozenset()),
    "str": (_STR, frozenset({"min_length", "max_length"})),
    "int": (_INT, frozenset({"ge", "gt", "le", "lt"})),
    "float": (_FLOAT, frozenset({"ge", "gt", "le", "lt"})),
    "bool": (_BOOL, frozenset()),
    "uuid": (_UUID, frozenset()),
    "date": (_DATE, frozenset()),
    "datetime": (_DATETIME, frozenset()),
}
# What a schema may say beside its constraints without changing how a plain text is taken.
_HARMLESS = frozenset({"type", "ref", "metadata", "serialization", "allow_inf_nan", "microseconds_precision"})


def plan_param(source: int, field: ModelField) -> tuple[Any, ...]:
    """Return `(source, name, kind, constraints, required, default, flags)` of a field."""
    info = field.field_info
    if param_model(field) is not None:
        raise NotNative(f"{field.name} is a model of parameters")
    aliases = param_aliases(field)
    if len(aliases) != 1:
        raise NotNative(f"{field.name} has several aliases")
    if is_json_field(field):
        raise NotNative(f"{field.name} comes as JSON")
    name = aliases[0][1]
    required = info.is_required()
    if not required and (info.default_factory is not None or info.validate_default):
        raise NotNative(f"the default of {field.name} is made or validated for each request")
    kind, constraints = _kind(field.name, _value_schema(field))
    if kind == _LIST and source in (_PATH, _COOKIE):
        raise NotNative(f"{field.name} is a list in a place that does not repeat")
    default = None if required else info.default
    return (
        source,
        name.lower() if source == _HEADER else name,
        kind,
        constraints or None,
        required,
        default,
        0,
    )


def _value_schema(field: ModelField) -> Schema:
    """Return the schema of a value that is there: without its default, and without None."""
    schema: Any = field._type_adapter.core_schema
    while schema["type"] in ("default", "nullable"):
        schema = schema["schema"]
    result: Schema = schema
    return result


def _kind(name: str, schema: Schema) -> tuple[int, dict[str, Any]]:
    kind = schema["type"]
    if kind == "enum":
        return _CHOICE, {"choices": _enum_choices(name, schema)}
    if kind == "literal":
        return _CHOICE, {"choices": _literal_choices(name, schema)}
    if kind == "list":
        return _list_kind(name, schema)
    if kind not in _KINDS:
        raise NotNative(f"{name} is of a kind that only pydantic converts ({kind})")
    number, known = _KINDS[kind]
    return number, _constraints(name, schema, known)


def _constraints(name: str, schema: Schema, known: frozenset[str]) -> dict[str, Any]:
    unknown = {key for key in schema.keys() - known - _HARMLESS if schema[key] not in (None, False)}
    if unknown:
        raise NotNative(f"{name} has constraints that only pydantic checks ({', '.join(sorted(unknown))})")
    constraints = {key: schema[key] for key in known if schema.get(key) is not None}
    if schema["type"] == "int" and any(type(bound) is not int for bound in constraints.values()):
        raise NotNative(f"{name} has bounds that are no integers")
    return constraints


def _list_kind(name: str, schema: Schema) -> tuple[int, dict[str, Any]]:
    known = frozenset({"items_schema", "min_length", "max_length"})
    constraints = _constraints(name, schema, known)
    item, of_item = _kind(name, constraints.pop("items_schema", {"type": "any"}))
    if item == _LIST:
        raise NotNative(f"{name} is a list of lists")
    return _LIST, {**constraints, "item": (item, of_item or None)}


def _enum_choices(name: str, schema: Schema) -> dict[str, Any]:
    members = schema["members"]
    if schema.get("sub_type") not in (None, "str") or schema.get("strict"):
        raise NotNative(f"{name} is an enumeration of something else than strings")
    # A member of `class E(str, Enum)` is a string itself; its value is a plain one.
    choices = {member.value: member for member in members}
    if any(type(value) is not str for value in choices):
        raise NotNative(f"{name} is an enumeration of something else than strings")
    return choices


def _literal_choices(name: str, schema: Schema) -> dict[str, Any]:
    expected = schema["expected"]
    if any(type(value) is not str for value in expected):
        raise NotNative(f"{name} is a literal of something else than strings")
    return {value: value for value in expected}
