"""Redirects to HTTPS. Re-exports only."""

from covet.middleware.httpsredirect import HTTPSRedirectMiddleware
from covet.starlette.mirror import mirror

__all__ = [
    "HTTPSRedirectMiddleware",
]

mirror(__name__, "covet.middleware.httpsredirect")
