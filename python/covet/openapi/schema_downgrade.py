"""One schema of OpenAPI 3.1 (JSON Schema 2020-12) in the words of OpenAPI 3.0.3.

What 3.0 cannot say is left out, so that a schema may come to allow more and never less. One thing is written
as generators read it and not as the letter has it: a reference that may be null is `allOf` with `nullable`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

__all__ = ["downgrade_schema"]

Schema = dict[str, Any]
# Completes the second schema by what the first one says.
Step = Callable[[Schema, Schema], None]

# Keywords that mean the same in both, and what stands under them is no schema.
_KEPT = frozenset(
    {
        *("title", "description", "deprecated", "default", "example", "readOnly", "writeOnly", "nullable"),
        *("enum", "format", "pattern", "minLength", "maxLength", "multipleOf", "minimum", "maximum"),
        *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
        *("discriminator", "xml", "externalDocs"),
    }
)
_LISTS = ("allOf", "anyOf", "oneOf")
# A schema that only null fits. `nullable` counts only beside a type.
_ONLY_NULL: Schema = {"type": "object", "nullable": True, "enum": [None]}


def downgrade_schema(schema: Any) -> Schema:
    """Return a schema, or `true` or `false`, as OpenAPI 3.0.3 has it; the one given stays as it is."""
    if not isinstance(schema, dict):
        return {} if schema else {"not": {}}
    kept: Schema = {
        key: value for key, value in schema.items() if key in _KEPT or key.startswith("x-") or key == "$ref"
    }
    if schema.get("required"):
        kept["required"] = schema["required"]
    _take_parts(schema, kept)
    for step in _STEPS:
        step(schema, kept)
    if "$ref" in kept and len(kept) > 1:
        # Whatever stands beside a reference is ignored in 3.0.
        kept["allOf"] = [{"$ref": kept.pop("$ref")}, *kept.get("allOf", [])]
    return kept


def _take_parts(schema: Schema, kept: Schema) -> None:
    """Take over the schemas inside a schema."""
    for key in _LISTS:
        if key in schema:
            kept[key] = [downgrade_schema(part) for part in schema[key]]
    if "properties" in schema:
        kept["properties"] = {name: downgrade_schema(part) for name, part in schema["properties"].items()}
    if "not" in schema:
        kept["not"] = downgrade_schema(schema["not"])
    additional = schema.get("additionalProperties")
    if schema.get("patternProperties"):
        # A key may fit a pattern or none; which, 3.0 cannot say.
        parts = [*schema["patternProperties"].values(), *([additional] if additional else [])]
        if additional is not None and all(isinstance(part, dict) for part in parts):
            kept["additionalProperties"] = _any_of(parts)
    elif isinstance(additional, bool):
        kept["additionalProperties"] = additional
    elif additional is not None:
        kept["additionalProperties"] = downgrade_schema(additional)


def _any_of(parts: list[Any]) -> Schema:
    downgraded = [downgrade_schema(part) for part in parts]
    return downgraded[0] if len(downgraded) == 1 else {"anyOf": downgraded}


def _write_choices(schema: Schema, kept: Schema) -> None:
    if "const" in schema:
        kept["enum"] = [schema["const"]]
    elif "enum" in schema:
        # 3.0 insists that they differ.
        differing = {
            json.dumps(_canonical(value), sort_keys=True): value for value in reversed(schema["enum"])
        }
        kept["enum"] = [*reversed(differing.values())]


def _canonical(value: Any) -> Any:
    """Return a value with 1.0 as 1, which JSON Schema does not tell apart."""
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _write_types(schema: Schema, kept: Schema) -> None:
    """Write the types: one is a word, null is a flag, several are alternatives."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else list(types)
    others = [each for each in types if each != "null"]
    if len(others) < len(types):
        if not others:
            kept.update(_ONLY_NULL)
            return
        kept["nullable"] = True
    if len(others) == 1:
        kept["type"] = others[0]
    elif others:
        nullable = {"nullable": True} if kept.pop("nullable", False) else {}
        alternatives = [{"type": each, **nullable} | _items_of(each, schema) for each in others]
        if "anyOf" in kept:
            kept["allOf"] = [*kept.get("allOf", []), {"anyOf": alternatives}]
        else:
            kept["anyOf"] = alternatives


def _items_of(kind: str, schema: Schema) -> Schema:
    # 3.0 asks for the items of an array beside its type.
    return {"items": _items(schema)} if kind == "array" else {}


def _items(schema: Schema) -> Schema:
    """Return one schema for all items, whatever their places."""
    rest = schema.get("items", True)
    if "prefixItems" not in schema:
        return downgrade_schema(rest)
    parts = list(schema["prefixItems"])
    closed = rest is False or schema.get("maxItems", len(parts) + 1) <= len(parts)
    return _any_of(parts if closed else [*parts, rest])


def _write_items(schema: Schema, kept: Schema) -> None:
    if kept.get("type") == "array" or (
        "type" not in schema and ("items" in schema or "prefixItems" in schema)
    ):
        kept["items"] = _items(schema)
    if schema.get("items") is False:
        known = len(schema.get("prefixItems", ()))
        kept["maxItems"] = min(known, schema.get("maxItems", known))


def _write_null_branches(schema: Schema, kept: Schema) -> None:
    """Write an alternative that is null as a flag: on an alternative with a type where there is one."""
    for key in ("anyOf", "oneOf"):
        branches = schema.get(key, [])
        nulls = [branch for branch in branches if _is_null(branch)]
        if not nulls or len(nulls) == len(branches):
            continue
        others = [downgrade_schema(branch) for branch in branches if not _is_null(branch)]
        if not any(_allows_null(branch) for branch in others):
            typed = next((branch for branch in others if "type" in branch), None)
            target = kept if typed is None else typed
            target["nullable"] = True
            if typed is not None and "enum" in typed:
                typed["enum"] = [*typed["enum"], None]
        del kept[key]
        _put_branches(kept, key, others)


def _put_branches(kept: Schema, key: str, branches: list[Schema]) -> None:
    """Put alternatives into a schema; a single one needs no alternative."""
    if len(branches) > 1:
        kept[key] = branches
    elif not set(branches[0]) & set(kept) - {"title", "description", "nullable"}:
        # What was said of the whole counts, not what was said of its one alternative.
        nullable = kept.get("nullable") or branches[0].get("nullable")
        kept.update({name: value for name, value in branches[0].items() if name not in kept})
        if nullable:
            kept["nullable"] = True
    else:
        kept["allOf"] = [*kept.get("allOf", []), branches[0]]


def _is_null(branch: Any) -> bool:
    return isinstance(branch, dict) and branch.get("type") in ("null", ["null"])


def _allows_null(branch: Schema) -> bool:
    return bool(branch.get("nullable")) or not set(branch) - {"title", "description"}


def _bound(exclusive: str, inclusive: str, stricter: Callable[[Any, Any], Any]) -> Step:
    """Return the step that writes a limit which is not allowed itself as a limit with a flag."""

    def write(schema: Schema, kept: Schema) -> None:
        limit, other = schema.get(exclusive), schema.get(inclusive)
        if limit is None or isinstance(limit, bool):
            return
        if other is None or stricter(limit, other) == limit:
            kept[inclusive], kept[exclusive] = limit, True

    return write


def _write_examples(schema: Schema, kept: Schema) -> None:
    examples = schema.get("examples")
    if isinstance(examples, list) and examples and "example" not in kept:
        kept["example"] = examples[0]


def _write_content(schema: Schema, kept: Schema) -> None:
    """Write what a string contains as a format."""
    if "format" in kept:
        return
    if schema.get("contentEncoding") in ("base64", "base64url"):
        kept["format"] = "byte"
    elif schema.get("contentMediaType") == "application/octet-stream":
        kept["format"] = "binary"


_STEPS: tuple[Step, ...] = (
    _write_choices,
    _write_types,
    _write_items,
    _write_null_branches,
    _bound("exclusiveMinimum", "minimum", max),
    _bound("exclusiveMaximum", "maximum", min),
    _write_examples,
    _write_content,
)
