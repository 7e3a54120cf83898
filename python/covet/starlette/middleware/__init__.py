"""Middleware, each in a module of its own. Re-exports only."""

from covet.middleware.declaration import Middleware
from covet.middleware.declaration import _MiddlewareFactory as _MiddlewareFactory
from covet.starlette.mirror import mirror

__all__ = [
    "Middleware",
]

mirror(__name__, "covet.middleware.declaration")
