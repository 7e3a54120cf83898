"""Names of status and close codes. Re-exports only."""

from covet import status as _status
from covet.status import *  # noqa: F403
from covet.status import __all__ as __all__
from covet.status import __deprecated__ as __deprecated__


def __getattr__(name: str) -> int:
    if name in __deprecated__:
        return _status.__getattr__(name)
    raise AttributeError(f"module 'starlette.status' has no attribute '{name}'")
