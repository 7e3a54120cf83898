"""How pydantic writes the JSON text of a schema's values, as data: shapes, which the engine writes by itself.

Called by `plan_response`. Only nodes whose text depends on nothing but the value's own exact type have a
shape; a schema with any other node has none, and pydantic writes all of it.
"""

from __future__ import annotations

import json
from datetime import timezone
from enum import Enum
from inspect import getattr_static
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import TzInfo

__all__ = ["ROOM", "plan_shape"]

Schema = dict[str, Any]
Shape = tuple[Any, ...]

# The tags that the engine knows; see its `json/shape.rs`.
_TEXT, _INTEGER, _FLOAT, _BOOLEAN, _NULL, _NULLABLE, _LIST, _DICT, _ONE_OF, _MODEL = range(10)
_UUID, _DATE, _DATETIME, _ENUM = range(10, 14)
_PLAIN = {"str": _TEXT, "int": _INTEGER, "float": _FLOAT, "bool": _BOOLEAN, "none": _NULL}
# Nodes that check or replace a value while it is validated; its text is that of what they hold.
_TRANSPARENT = frozenset({"default", "function-after", "function-before"})
# The largest shape: models that are used in many places are written out in each.
ROOM = 500


class _Shapeless(Exception):
    """A node whose text is pydantic's to write."""


def plan_shape(schema: Any, options: dict[str, Any]) -> Shape | None:
    """Return the shape of a core schema's values under the options of a dump; None when there is none.

    A shape is `(tag, ...)`: nullable, list and dict hold the shape inside, a literal its texts, UUIDs and
    enumerations their class, datetimes the time zones that have one text, a model its class and its fields as
    `(name, key as JSON text, shape)`.
    """
    by_alias = options["by_alias"]
    if type(by_alias) is not bool or any(value for name, value in options.items() if name != "by_alias"):
        return None
    try:
        return _Reader(by_alias).shape(schema)
    except (_Shapeless, RecursionError):
        return None


class _Reader:
    """Walks one core schema."""

    def __init__(self, by_alias: bool) -> None:
        self._by_alias = by_alias
        self._definitions: dict[str, Schema] = {}
        self._inside: set[str] = set()
        self._room = ROOM

    def shape(self, node: Schema) -> Shape:
        """Return the shape of one node."""
        self._room -= 1
        if "serialization" in node or self._room < 0:
            raise _Shapeless
        kind = node["type"]
        if kind in _PLAIN:
            return (_PLAIN[kind],)
        if kind in _TRANSPARENT:
            return self.shape(node["schema"])
        match kind:
            case "nullable":
                return _NULLABLE, self.shape(node["schema"])
            case "list":
                return _LIST, self.shape(node.get("items_schema", {"type": "any"}))
            case "dict" if node.get("keys_schema", {}).get("type") == "str":
                self.shape(node["keys_schema"])
                return _DICT, self.shape(node.get("values_schema", {"type": "any"}))
            case "literal" if all(type(value) is str for value in node["expected"]):
                return _ONE_OF, tuple(node["expected"])
            case "uuid":
                return _UUID, UUID
            case "date":
                return (_DATE,)
            case "datetime":
                return _DATETIME, (timezone, TzInfo)
            case "enum" if _has_plain_texts(node["cls"]):
                return _ENUM, node["cls"]
            case "definitions":
                self._definitions |= {inner["ref"]: inner for inner in node["definitions"]}
                return self.shape(node["schema"])
            case "definition-ref":
                return self._referred(node["schema_ref"])
            case "model":
                return self._model(node)
        raise _Shapeless

    def _referred(self, name: str) -> Shape:
        if name in self._inside or name not in self._definitions:
            raise _Shapeless  # a model that holds itself
        self._inside.add(name)
        found = self.shape(self._definitions[name])
        self._inside.discard(name)
        return found

    def _model(self, node: Schema) -> Shape:
        cls = node["cls"]
        if node.get("root_model") or not _has_plain_dict(cls):
            raise _Shapeless
        fields = node["schema"]
        while fields["type"] in _TRANSPARENT and "serialization" not in fields:
            fields = fields["schema"]
        config = node.get("config") or {}
        if config.get("ser_json_temporal", "iso8601") != "iso8601":
            raise _Shapeless
        extra = fields.get("extra_behavior") or config.get("extra_fields_behavior")
        if fields["type"] != "model-fields" or "serialization" in fields:
            raise _Shapeless
        if extra == "allow" or fields.get("computed_fields") or fields.get("extras_schema"):
            raise _Shapeless
        return _MODEL, cls, tuple(self._field(name, field) for name, field in fields["fields"].items())

    def _field(self, name: str, node: Schema) -> tuple[str, bytes, Shape]:
        if set(node) - _FIELD_KEYS:
            raise _Shapeless
        shown = node.get("serialization_alias", name) if self._by_alias else name
        key = json.dumps(shown, ensure_ascii=False)
        return name, key.encode(), self.shape(node["schema"])


# What a field may say without changing how its value is written.
_FIELD_KEYS = frozenset({"type", "schema", "metadata", "validation_alias", "serialization_alias", "frozen"})


def _has_plain_dict(cls: type[Any]) -> bool:
    """Say whether the fields of an object are found where pydantic keeps them."""
    plain = getattr_static(cls, "__getattribute__") is object.__getattribute__
    return plain and issubclass(cls, BaseModel)


def _has_plain_texts(cls: type[Enum]) -> bool:
    """Say whether the members of an enumeration are exact strings, found where Enum keeps them."""
    plain = getattr_static(cls, "value") is getattr_static(Enum, "value")
    return plain and all(type(member._value_) is str for member in cls)
