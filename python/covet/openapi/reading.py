"""Documents from outside as plain data: bounded, and refused with a reason.

`covet openapi --diff` reads what somebody saved or sent. Nothing here follows a reference to another file.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

__all__ = ["MAX_DEPTH", "MAX_SIZE", "DocumentError", "flattened", "read_document", "resolve"]

MAX_SIZE = 32 * 1024 * 1024  # bytes
MAX_DEPTH = 200  # objects and lists inside each other
MAX_HOPS = 50  # references that lead to references

_VERSION = re.compile(r"3\.[0-2](\.\d+)?")
_BRACKET_OR_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]')


class DocumentError(ValueError):
    """A text that is no OpenAPI document, or one past a limit."""


def read_document(content: bytes) -> dict[str, Any]:
    """Return the OpenAPI document in JSON that `content` is.

    Raises:
        DocumentError: it is too large (MAX_SIZE) or too deep (MAX_DEPTH), no JSON, or no OpenAPI 3 document.
    """
    if len(content) > MAX_SIZE:
        raise DocumentError(f"the document has {len(content)} bytes; more than {MAX_SIZE} are not read")
    _check_depth(content)
    try:
        document = json.loads(content, parse_constant=_refuse)
    except UnicodeDecodeError:
        raise DocumentError("the document is not UTF-8") from None
    except ValueError as error:
        raise DocumentError(f"the document is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise DocumentError("the document is not a JSON object")
    version = document.get("openapi")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise DocumentError(
            f"openapi is {json.dumps(version)[:40]}; documents of OpenAPI 3 have 3.0.3 or such"
        )
    return document


def _check_depth(content: bytes) -> None:
    """Refuse what is nested too deep before the parser recurses into it."""
    depth = 0
    for found in _BRACKET_OR_TEXT.finditer(content):
        mark = found[0][:1]
        if mark in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise DocumentError(f"the document is nested deeper than {MAX_DEPTH}")
        elif mark in b"]}":
            depth -= 1


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON's")


def resolve(document: dict[str, Any], part: Any) -> tuple[Any, str]:
    """Follow references inside a document; return what they lead to, and the last one's pointer.

    What is no reference is returned with no pointer.

    Raises:
        DocumentError: a reference leads outside, to nothing, or in a circle.
    """
    pointer = ""
    for _ in range(MAX_HOPS):
        if not isinstance(part, dict) or "$ref" not in part:
            return part, pointer
        reference = part["$ref"]
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise DocumentError(f"$ref {json.dumps(reference)[:80]} does not point into the document")
        pointer, part = reference, document
        for step in reference[2:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(part, dict) or step not in part:
                raise DocumentError(f"$ref {reference[:200]} points to nothing")
            part = part[step]
    raise DocumentError(f"$ref {pointer[:200]} leads to reference after reference, more than {MAX_HOPS}")


def flattened(document: dict[str, Any], schema: Any) -> dict[str, Any]:
    """Return a schema with its `allOf` written into it; `true` is an empty one, `false` one of no choice."""
    if not isinstance(schema, dict):
        return {"enum": []} if schema is False else {}
    flat = schema
    for _ in range(MAX_HOPS):
        parts = flat.get("allOf")
        if not isinstance(parts, list) or not parts:
            return flat
        merged: dict[str, Any] = {}
        for part in [*parts, {name: value for name, value in flat.items() if name != "allOf"}]:
            found, _ = resolve(document, part)
            _merge(merged, found if isinstance(found, dict) else {})
        flat = merged
    raise DocumentError(f"allOf is nested deeper than {MAX_HOPS}")


def _merge(merged: dict[str, Any], part: dict[str, Any]) -> None:
    for name, value in part.items():
        known = merged.get(name)
        if name == "properties" and isinstance(known, dict) and isinstance(value, dict):
            merged[name] = {**known, **value}
        elif name in ("required", "allOf") and isinstance(known, list) and isinstance(value, list):
            merged[name] = [*known, *value]
        else:
            merged[name] = value
