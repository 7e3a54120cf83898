"""A finished document as plain data: no None, no objects, numbers and addresses as OpenAPI's models write
them.

FastAPI sends its document through pydantic models for this; walking it once gives the same and costs a tenth.
"""

from __future__ import annotations

import importlib
from typing import Any

from covet.encoders import jsonable_encoder

__all__ = ["plain_document"]

_AS_THEY_ARE = frozenset({str, int, float, bool})
# Keywords of JSON schema whose value is any number. FastAPI's models hold them as floats; what it says of
# parameters and of the items of streams never passes through the models.
_NUMBERS = frozenset({"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"})
# What stands under these is somebody's data, not part of the document's language.
_DATA = frozenset({"example", "examples", "default", "enum", "const", "value"})
_WITH_ADDRESS = frozenset({"contact", "license", "externalDocs"})


def plain_document(value: Any, *, floats: bool = True) -> Any:
    """Return a document, or a part of one, as plain data; bounds become floats where FastAPI's do."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is list:
        return [plain_document(item, floats=floats) for item in value]
    if kind is not dict:
        return jsonable_encoder(value, by_alias=True, exclude_none=True)
    result = {}
    for key, item in value.items():
        if item is None:
            continue
        if key in _NUMBERS and type(item) is int:
            item = float(item) if floats else item
        elif key in _DATA:
            item = _plain_data(item)
        else:
            past_models = key == "itemSchema" or (key == "parameters" and type(item) is list)
            item = plain_document(item, floats=floats and not past_models)
            if key in _WITH_ADDRESS and type(item) is dict and type(item.get("url")) is str:
                # pydantic.networks is large, and most documents name no address.
                item["url"] = str(importlib.import_module("pydantic.networks").AnyUrl(item["url"]))
        result[key] = item
    return result


def _plain_data(value: Any) -> Any:
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is list:
        return [_plain_data(item) for item in value]
    if kind is dict:
        return {key: _plain_data(item) for key, item in value.items() if item is not None}
    return jsonable_encoder(value, by_alias=True, exclude_none=True)
