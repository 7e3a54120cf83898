"""The body as the plan's tuple: from bytes by pydantic where that is provably the same, else by `json.loads`.

Mode 1 (`validate_json`) needs a schema made only of nodes that take JSON text as they take what
`json.loads` makes of it. Mode 2 (`json.loads`, `validate_python`) is what the Python path does; but a
refused body is validated there again, so no code of the user's may run while validating: see `late_body`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, cast

from pydantic_core import SchemaValidator

from covet import params
from covet.dependencies.param_models import is_json_field
from covet.dependencies.reasons import NotNative
from covet.validation.fields import ModelField

__all__ = ["TakenLate", "plan_body", "runs_user_code", "unwatched_validator"]

Schema = dict[str, Any]

# Nodes that give the same value and type from JSON text as from parsed JSON, in lax mode. No unions: there
# the modes differ in how well a text fits a date, and a dict a model.
_SAME_FROM_JSON = frozenset(
    {
        "any",
        "bool",
        "date",
        "datetime",
        "default",
        "definition-ref",
        "definitions",
        "dict",
        "enum",
        "float",
        "frozenset",
        "int",
        "list",
        "literal",
        "model",
        "model-field",
        "model-fields",
        "none",
        "nullable",
        "set",
        "str",
        "time",
        "timedelta",
        "tuple",
        "typed-dict",
        "typed-dict-field",
        "uuid",
    }
)
# Configuration under which those nodes still do; anything else goes through `json.loads`.
_SAME_CONFIG = frozenset(
    {
        "arbitrary_types_allowed",
        "cache_strings",
        "extra",
        "extra_fields_behavior",
        "from_attributes",
        "frozen",
        "hide_input_in_errors",
        "json_schema_extra",
        "loc_by_alias",
        "populate_by_name",
        "protected_namespaces",
        "ser_json_bytes",
        "ser_json_inf_nan",
        "ser_json_temporal",
        "ser_json_timedelta",
        "serialize_by_alias",
        "str_max_length",
        "str_min_length",
        "str_strip_whitespace",
        "str_to_lower",
        "str_to_upper",
        "title",
        "use_attribute_docstrings",
        "validate_by_alias",
        "validate_by_name",
        "validation_error_cause",
    }
)
# Where pydantic keeps functions of its own that its schemas call and that nobody can observe.
_PYDANTICS_OWN = frozenset({"pydantic.networks", "pydantic.types", "pydantic._internal._validators"})
# Default factories that nobody can observe being called once more for a body that is refused.
_PLAIN_FACTORIES = frozenset({"builtins", "collections", "datetime", "uuid"})


class TakenLate(NotNative):
    """The engine parses the body, and Python's own code makes its values before the handler is called."""


def plan_body(fields: list[ModelField], embedded: bool) -> tuple[int, Any, str]:
    """Return `(mode, validator, media type)` for the body parameters; raise TakenLate or NotNative."""
    if any(isinstance(field.field_info, params.Form) for field in fields):
        raise NotNative("the body is a form")
    if embedded or len(fields) != 1:
        raise TakenLate("the body has several parameters, or embeds one")
    field = fields[0]
    info: Any = field.field_info
    if is_json_field(field):
        raise TakenLate("the body holds JSON as a string")
    adapter = field._type_adapter
    validator = unwatched_validator(adapter.validator)
    schema: Any = adapter.core_schema
    culprit = user_code(schema)
    if culprit is not None:
        raise TakenLate(f"the body's model runs code while it validates ({culprit})")
    same = all(_takes_json_alike(node) for node in _nodes(schema))
    return (1 if same else 2), validator, info.media_type


def unwatched_validator(validator: Any) -> SchemaValidator:
    """Return pydantic-core's own validator; refuse one whose use a plugin watches."""
    # A plugin that watches nothing leaves the bound methods of the validator it wraps.
    inner = getattr(validator.validate_python, "__self__", None)
    if type(inner) is not SchemaValidator or getattr(validator.validate_json, "__self__", None) is not inner:
        raise NotNative("a pydantic plugin watches validation")
    return cast(SchemaValidator, inner)


def runs_user_code(schema: Any) -> bool:
    """Say whether validating by a core schema may call functions that are not pydantic's own."""
    return user_code(schema) is not None


def _nodes(schema: Any) -> Iterator[Schema]:
    """Yield every node of a core schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema
        for key, value in schema.items():
            # Descriptions, serialisers and configuration are not part of validation.
            if key not in ("metadata", "serialization", "config", "computed_fields", "members", "expected"):
                yield from _nodes(value)
    elif isinstance(schema, (list, tuple)):
        for item in schema:
            yield from _nodes(item)


def user_code(schema: Any) -> str | None:
    """Return what of the user's a validation by this schema would call, None if it calls nothing."""
    for node in _nodes(schema):
        found = _called_by(node)
        if found is not None:
            return found
    return None


def _called_by(node: Schema) -> str | None:
    kind = node["type"]
    if kind.startswith("function"):
        function = node["function"]["function"] if isinstance(node.get("function"), dict) else None
        if getattr(function, "__module__", None) not in _PYDANTICS_OWN:
            return str(kind)
    if kind in ("call", "arguments", "arguments-v3", "generator", "custom-error"):
        return str(kind)
    if kind == "tagged-union" and callable(node.get("discriminator")):
        return "discriminator"
    if kind == "default" and node.get("default_factory") is not None:
        return None if _is_plain_factory(node["default_factory"]) else "default_factory"
    if kind == "enum" and _has_missing_hook(node["cls"]):
        return "_missing_"
    if node.get("custom_init"):
        return "__init__"
    return _post_init(node)


def _is_plain_factory(factory: Any) -> bool:
    module = getattr(factory, "__module__", None)
    if module is None:  # a method of a built-in class, such as datetime.now
        module = type(getattr(factory, "__self__", None)).__module__
        owner = getattr(factory, "__self__", None)
        module = getattr(owner, "__module__", module)
    return module in _PLAIN_FACTORIES


def _has_missing_hook(cls: type[Enum]) -> bool:
    """Say whether an enumeration looks for members by code of its own; pydantic calls it."""
    own: Any = cls._missing_
    inherited: Any = Enum._missing_
    return own.__func__ is not inherited.__func__


def _post_init(node: Schema) -> str | None:
    post_init = node.get("post_init")
    if not post_init:
        return None
    if post_init is True:
        return "__post_init__"
    method = getattr(node.get("cls"), post_init, None)
    # Pydantic's own one sets up private attributes.
    own = str(getattr(method, "__module__", "")).startswith("pydantic.")
    return None if own else str(post_init)


def _takes_json_alike(node: Schema) -> bool:
    kind = node["type"]
    if kind not in _SAME_FROM_JSON or node.get("strict"):
        return False
    if kind == "dict":
        keys = node.get("keys_schema", {"type": "any"})
        if keys["type"] not in ("str", "any"):
            return False
    if kind == "enum" and any(type(member.value) is not str for member in node["members"]):
        return False
    if kind == "literal" and any(type(value) not in (str, int) for value in node["expected"]):
        return False
    if node.get("coerce_numbers_to_str"):
        return False
    config = node.get("config") or {}
    return all(key in _SAME_CONFIG or config[key] in (None, False) for key in config)
