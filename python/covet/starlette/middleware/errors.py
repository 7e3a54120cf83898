"""Unhandled exceptions. Re-exports only."""

from covet.middleware.errors import ServerErrorMiddleware
from covet.starlette.mirror import mirror

__all__ = [
    "ServerErrorMiddleware",
]

mirror(__name__, "covet.middleware.errors")
