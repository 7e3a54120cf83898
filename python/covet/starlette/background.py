"""Work after the response. Re-exports only."""

from covet.background import BackgroundTask, BackgroundTasks
from covet.starlette.mirror import mirror

__all__ = [
    "BackgroundTask",
    "BackgroundTasks",
]

mirror(__name__, "covet.background")
