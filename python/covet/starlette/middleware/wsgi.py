"""WSGI applications. Re-exports only."""

from covet.middleware.wsgi import WSGIMiddleware, WSGIResponder, build_environ
from covet.starlette.mirror import mirror

__all__ = [
    "WSGIMiddleware",
    "WSGIResponder",
    "build_environ",
]

mirror(__name__, "covet.middleware.wsgi")
