"""Middleware: one file for each; `Middleware` declares one for an application, router, mount or route."""

from covet.middleware.declaration import Middleware
from covet.middleware.declaration import _MiddlewareFactory as _MiddlewareFactory

__all__ = ["Middleware"]
