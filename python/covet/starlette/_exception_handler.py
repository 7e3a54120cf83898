"""Handled exceptions, by their former home. Re-exports only."""

from covet.callables import is_async_callable
from covet.concurrency import run_in_threadpool
from covet.middleware.exceptions import ExceptionHandlers, StatusHandlers, wrap_app_handling_exceptions
from covet.middleware.exceptions import _lookup_exception_handler as _lookup_exception_handler
from covet.starlette.mirror import mirror

__all__ = [
    "ExceptionHandlers",
    "StatusHandlers",
    "is_async_callable",
    "run_in_threadpool",
    "wrap_app_handling_exceptions",
]

mirror(__name__, "covet.middleware.exceptions")
