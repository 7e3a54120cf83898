"""Modules that only name what others define, and yet can be patched.

A plain re-export would swallow `mock.patch` and what monitoring agents assign: the defining module would
go on with its own. A mirror passes assignments on to the modules it was made from.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from covet._engine import bump_generation

__all__ = ["EVERYWHERE", "MirrorModule", "mirror"]

# Instead of a home: every module of the package that has bound the name.
EVERYWHERE = "*"


class MirrorModule(ModuleType):
    """A module whose attributes, when assigned, are assigned in their home modules too."""

    _homes: tuple[str, ...]

    def __setattr__(self, name: str, value: Any) -> None:
        present = self.__dict__.get(name)
        super().__setattr__(name, value)
        for home in self._home_modules():
            # The same name may mean something else in a module that has more of them.
            if name in vars(home) and vars(home)[name] is present:
                setattr(home, name, value)
        bump_generation()

    def _home_modules(self) -> list[ModuleType]:
        if EVERYWHERE in self._homes:
            return [module for key, module in list(sys.modules.items()) if key.startswith("covet.")]
        return [sys.modules[home] for home in self._homes]


def mirror(name: str, *homes: str) -> None:
    """Turn the module `name` into a mirror of the modules `homes`, which must be imported."""
    module = sys.modules[name]
    module.__dict__["_homes"] = homes
    module.__class__ = MirrorModule
