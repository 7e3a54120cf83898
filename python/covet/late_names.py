"""Names of a module that are made when somebody first asks for them (PEP 562), so that starting does not pay.

Called at the top level of modules whose rarely used names stand on expensive imports.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["late_names"]


def late_names(
    module: dict[str, Any], homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of a module some of whose names live in other modules.

        __getattr__, __dir__ = late_names(globals(), {"Example": "covet.param_example"})

    A name is looked up once: what was found, or what somebody set before, stays in the module.

    Args:
        module: the module's globals.
        homes: each name with the module that defines it, or `module:name` where it is called otherwise there.
    """

    def find(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
        source, _, other_name = home.partition(":")
        return module.setdefault(name, getattr(importlib.import_module(source), other_name or name))

    def names() -> list[str]:
        return sorted({*module, *homes})

    return find, names
