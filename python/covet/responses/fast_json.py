"""Two deprecated responses that write JSON with optional libraries.

Both are imported when the first response is rendered, so they cost nothing when they are not used.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from covet.exceptions import FastAPIDeprecationWarning
from covet.responses.base import JSONResponse

if sys.version_info >= (3, 13):
    from warnings import deprecated
else:
    from typing_extensions import deprecated

__all__ = ["ORJSONResponse", "UJSONResponse"]

_ADVICE = (
    "is deprecated, FastAPI now serializes data directly to JSON bytes via Pydantic when a return type or "
    "response model is set, which is faster and doesn't need a custom response class. Read more in the "
    "FastAPI docs: https://fastapi.tiangolo.com/advanced/custom-response/#orjson-or-response-model "
    "and https://fastapi.tiangolo.com/tutorial/response-model/"
)


@deprecated(f"UJSONResponse {_ADVICE}", category=FastAPIDeprecationWarning, stacklevel=2)
class UJSONResponse(JSONResponse):
    """A JSON response written by `ujson`, which must be installed."""

    def render(self, content: Any) -> bytes:
        """Return `content` as JSON in UTF-8."""
        ujson = _library("ujson")
        assert ujson is not None, "ujson must be installed to use UJSONResponse"
        return bytes(ujson.dumps(content, ensure_ascii=False).encode("utf-8"))


@deprecated(f"ORJSONResponse {_ADVICE}", category=FastAPIDeprecationWarning, stacklevel=2)
class ORJSONResponse(JSONResponse):
    """A JSON response written by `orjson`, which must be installed."""

    def render(self, content: Any) -> bytes:
        """Return `content` as JSON in UTF-8."""
        orjson = _library("orjson")
        assert orjson is not None, "orjson must be installed to use ORJSONResponse"
        return bytes(orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY))


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None
