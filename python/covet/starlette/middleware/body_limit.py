"""A bound on bodies. Re-exports only."""

from covet.middleware.body_limit import (
    MAX_BODY_SIZE_SCOPE_KEY,
    RequestBodyLimitMiddleware,
    RequestBodyLimitResponder,
)
from covet.starlette.mirror import mirror

__all__ = [
    "MAX_BODY_SIZE_SCOPE_KEY",
    "RequestBodyLimitMiddleware",
    "RequestBodyLimitResponder",
]

mirror(__name__, "covet.middleware.body_limit")
