"""The application class. Re-exports only."""

from covet.asgi_application import Starlette
from covet.starlette.mirror import mirror

__all__ = [
    "Starlette",
]

mirror(__name__, "covet.asgi_application")
