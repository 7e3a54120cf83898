"""Handled exceptions. Re-exports only."""

from covet.middleware.exceptions import ExceptionMiddleware, wrap_app_handling_exceptions
from covet.starlette.mirror import mirror

__all__ = [
    "ExceptionMiddleware",
    "wrap_app_handling_exceptions",
]

mirror(__name__, "covet.middleware.exceptions")
