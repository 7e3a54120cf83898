"""Settings. Re-exports only."""

from covet.config import Config, Environ, EnvironError, environ, undefined
from covet.starlette.mirror import mirror

__all__ = [
    "Config",
    "Environ",
    "EnvironError",
    "environ",
    "undefined",
]

mirror(__name__, "covet.config")
