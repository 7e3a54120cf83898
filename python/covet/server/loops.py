"""Which event loop a worker runs: uvloop where it is installed, asyncio's own otherwise.

uvloop is the one optional import here; nothing is imported until a worker asks for its loop.
"""

import asyncio
import importlib
from collections.abc import Callable

from .settings import SettingsError

__all__ = ["choose_loop"]


def choose_loop(name: str) -> tuple[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the loop's name and a function that makes it. `name` is auto, asyncio or uvloop."""
    if name in ("auto", "uvloop"):
        try:
            factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
                "uvloop"
            ).new_event_loop
        except ImportError:
            if name == "uvloop":
                raise SettingsError(
                    "--loop uvloop: uvloop is not installed. Install it: pip install uvloop"
                ) from None
        else:
            return "uvloop", factory
    return "asyncio", asyncio.new_event_loop
