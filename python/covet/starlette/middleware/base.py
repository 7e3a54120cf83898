"""Middleware as a function of request and `call_next`. Re-exports only."""

from covet.middleware.base import (
    AsyncContentStream,
    BaseHTTPMiddleware,
    BodyStreamGenerator,
    DispatchFunction,
    RequestResponseEndpoint,
)
from covet.middleware.base import _CachedRequest as _CachedRequest
from covet.middleware.base import _StreamingResponse as _StreamingResponse
from covet.starlette.mirror import mirror

__all__ = [
    "AsyncContentStream",
    "BaseHTTPMiddleware",
    "BodyStreamGenerator",
    "DispatchFunction",
    "RequestResponseEndpoint",
]

mirror(__name__, "covet.middleware.base")
