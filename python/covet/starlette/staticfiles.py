"""Files of a directory. Re-exports only."""

from covet.starlette.mirror import mirror
from covet.staticfiles import NotModifiedResponse, PathLike, StaticFiles

__all__ = [
    "NotModifiedResponse",
    "PathLike",
    "StaticFiles",
]

mirror(__name__, "covet.staticfiles")
