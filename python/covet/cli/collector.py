"""Python's garbage collector while a program is imported: it waits, because nearly all that comes, stays.

Used around the imports of a command and of an application. What somebody else has set, stays set.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["collection_postponed"]

# More objects than the imports of a large application leave behind, and few enough that a program which
# makes cycles while it is imported does not grow for ever.
OBJECTS = 200_000


@contextmanager
def collection_postponed() -> Generator[None]:
    """Collect nothing for the next 200 000 objects; then go on as before, the objects counted as old ones."""
    before = gc.get_threshold()
    if before[0] == 0:  # collection is switched off
        yield
        return
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        if gc.get_threshold() == (OBJECTS, *before[1:]):
            gc.set_threshold(*before)
        if gc.get_freeze_count() == 0:
            # Both together move all objects to the oldest generation, without a look at any of them.
            gc.freeze()
            gc.unfreeze()
