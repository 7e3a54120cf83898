"""Threads for blocking code. Re-exports only.

A function replaced here carries every hop of the package: each module that has bound it is told.
"""

from covet.concurrency import iterate_in_threadpool, run_in_threadpool, run_until_first_complete
from covet.starlette.mirror import EVERYWHERE, mirror

__all__ = [
    "iterate_in_threadpool",
    "run_in_threadpool",
    "run_until_first_complete",
]

mirror(__name__, EVERYWHERE)
