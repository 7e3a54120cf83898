"""Sessions in a signed cookie. Re-exports only."""

from covet.middleware.sessions import Session, SessionMiddleware
from covet.starlette.mirror import mirror

__all__ = [
    "Session",
    "SessionMiddleware",
]

mirror(__name__, "covet.middleware.sessions")
