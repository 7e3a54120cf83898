"""Who sends a request. Re-exports only."""

from covet.middleware.authentication import AuthenticationMiddleware
from covet.starlette.mirror import mirror

__all__ = [
    "AuthenticationMiddleware",
]

mirror(__name__, "covet.middleware.authentication")
