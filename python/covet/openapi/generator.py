"""Pydantic's JSON schema generator with OpenAPI 3.1's words for binary strings, less its repeated work.

Pydantic describes every input twice and settles the names of definitions by comparing all of them with each
other. Here each input is described once, and only definitions that want the same name are compared. The names
are those that pydantic gives: a model's own name where that is unambiguous, else one with its mode
(`Item-Input`) or its module.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pydantic.json_schema import GenerateJsonSchema as PydanticGenerateJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

__all__ = ["GenerateJsonSchema"]

_PLAIN_DEFAULTS = frozenset({bool, int, str, type(None)})
# What of pydantic's own the shorter way stands on; without it the long one is taken.
_NEEDED = ("_prioritized_defsref_choices", "_mode", "_used", "definitions", "ref_template")


class GenerateJsonSchema(PydanticGenerateJsonSchema):
    """Describes fields for one document; to be used once."""

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """Describe bytes by their content type; base64 is an encoding of it."""
        described: JsonSchemaValue = {"type": "string", "contentMediaType": "application/octet-stream"}
        serialises = self.mode == "serialization"
        written = self._config.ser_json_bytes if serialises else self._config.val_json_bytes
        if written == "base64":
            described["contentEncoding"] = "base64"
        self.update_with_validations(described, schema, self.ValidationsMapping.bytes)
        return described

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        """Describe a node. Most have no name, metadata or serializer: the method of their kind is enough."""
        method = None
        if not schema.get("metadata") and "ref" not in schema and "serialization" not in schema:
            method = self._schema_type_to_method.get(schema["type"])
        return super().generate_inner(schema) if method is None else method(schema)

    def encode_default(self, dft: Any) -> Any:
        """Return a default as JSON has it; most are plain already."""
        return dft if type(dft) in _PLAIN_DEFAULTS else super().encode_default(dft)

    def generate_definitions(self, inputs: Sequence[tuple[Any, Any, Any]]) -> tuple[Any, Any]:
        """Return the schema of each input by key and mode, and the definitions they refer to."""
        if self._used or not all(hasattr(self, name) for name in _NEEDED):
            return super().generate_definitions(inputs)
        described = {}
        made: dict[tuple[Any, int], Any] = {}  # fields that are declared alike have the same core schema
        for key, mode, schema in inputs:
            self._mode = mode
            same = mode, id(schema)
            if same not in made:
                made[same] = self.generate_inner(schema)
            described[key, mode] = made[same]
        self._used = True
        names = _settle_names(self._prioritized_defsref_choices, self.definitions, self.ref_template)
        references = _references(self._prioritized_defsref_choices, names, self.ref_template)
        definitions = {names[ref]: _renamed(schema, references) for ref, schema in self.definitions.items()}
        return {key: _renamed(schema, references) for key, schema in described.items()}, definitions


def _settle_names(choices: Any, definitions: Any, template: str) -> dict[str, str]:
    """Return the name of each definition: the first of its choices that only equal definitions want too.

    Equal definitions become one, which can make those that refer to them equal; so this is repeated until
    nothing changes.
    """
    names: dict[str, str] = {ref: choices[ref][-1] for ref in definitions}
    while True:
        references = _references(choices, names, template)
        texts: dict[str, str] = {}

        def text_of(ref: str, texts: dict[str, str] = texts, references: Any = references) -> str:
            if ref not in texts:
                texts[ref] = json.dumps(_renamed(definitions[ref], references), sort_keys=True, default=repr)
            return texts[ref]

        wanting: dict[str, list[str]] = defaultdict(list)
        for ref in definitions:
            for choice in choices[ref]:
                wanting[choice].append(ref)
        settled = {ref: _first_unambiguous(choices[ref], wanting, text_of) for ref in definitions}
        if settled == names:
            return names
        names = settled


def _first_unambiguous(choices: list[str], wanting: dict[str, list[str]], text_of: Any) -> str:
    for choice in choices:
        refs = wanting[choice]
        if len(refs) == 1 or len({text_of(ref) for ref in refs}) == 1:
            return choice
    return choices[-1]


def _references(choices: Any, names: dict[str, str], template: str) -> dict[str, str]:
    """Return what each reference that pydantic wrote is to become."""
    changed = {}
    for ref, name in names.items():
        old, new = template.format(model=choices[ref][-1]), template.format(model=name)
        if old != new:
            changed[old] = new
    return changed


def _renamed(schema: Any, references: dict[str, str]) -> Any:
    """Return a copy of a schema with its references changed."""
    kind = type(schema)
    if kind is str:
        return references.get(schema, schema) if schema[:1] == "#" else schema
    if kind is dict:
        return {key: _renamed(value, references) for key, value in schema.items()}
    if kind is list:
        return [_renamed(value, references) for value in schema]
    return schema
