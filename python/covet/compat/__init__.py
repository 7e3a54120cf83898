"""Compatibility: `import fastapi` and `import starlette` mean covet, in this process, from `install()` on.

Called by `covet run --compat` in the process that imports the application, and by whoever runs covet without
its command line, before anything imports either name. It must never import the real packages.
"""

import sys

from .finder import Finder
from .names import VERSIONS

__all__ = ["CompatError", "install", "installed"]


class CompatError(ImportError):
    """The real FastAPI or Starlette is in use already."""


def install() -> None:
    """Make `fastapi` and `starlette`, with all their submodules, names of covet. Harmless to repeat.

    Raises:
        CompatError: the real FastAPI or Starlette has been imported; objects of both would not fit together.
    """
    if installed():
        return
    real = sorted(name for name in VERSIONS if name in sys.modules)
    if real:
        names = " and ".join(real)
        raise CompatError(
            f"the real {names} got imported before covet could stand in, so objects of two frameworks "
            "would meet. Serve with `covet run --compat`, or call covet.compat.install() before the first "
            f"import of {names}: at the top of the program, or of conftest.py. An agent that is "
            "started around the program may be what imported it: set it up inside the application instead"
        )
    sys.meta_path.insert(0, Finder())


def installed() -> bool:
    """Say whether covet stands in for FastAPI and Starlette in this process."""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)
