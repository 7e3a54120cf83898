"""Compiled forms of source files that Python would take for current although they are not.

Python compares only size and modification second, so of two edits within one second it may keep the first.
Used by the parent before it starts workers that have to import what was edited.
"""

import importlib.util
import os
from collections.abc import Iterable, Iterator

__all__ = ["doubtful", "forget"]

# An edit, and the compiler that was at work meanwhile, may share a second up to this distance.
CLOSE = 2_000_000_000  # nanoseconds


def forget(sources: Iterable[str]) -> None:
    """Remove the compiled forms of these files; those that cannot be removed stay."""
    for source in sources:
        try:
            os.unlink(importlib.util.cache_from_source(source))
        except (OSError, NotImplementedError):
            pass


def doubtful(sources: Iterable[str]) -> Iterator[str]:
    """Find the files that were changed after, or shortly before, they were compiled."""
    for source in sources:
        try:
            compiled = os.stat(importlib.util.cache_from_source(source)).st_mtime_ns
            if os.stat(source).st_mtime_ns > compiled - CLOSE:
                yield source
        except (OSError, NotImplementedError):
            continue
