"""The functions that monitoring tools replace, and how a replacement reaches the code that calls it.

`covet.routing` is a module of class `HookModule`: setting an attribute there (assignment, `mock.patch`,
wrapt) sets it in every submodule that took it from there, and makes plans stale. Plans look here for
replacements.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from covet._engine import bump_generation

__all__ = ["HookModule", "foreign_hook", "remember_originals"]

# Replacing any of these takes every route off the native path.
_HOOKS = (
    "get_request_handler",
    "request_response",
    "run_endpoint_function",
    "run_in_threadpool",
    "serialize_response",
    "solve_dependencies",
)
_ABSENT = object()
_originals: dict[str, Any] = {}


class HookModule(ModuleType):
    """A package whose attributes, when they are replaced, are replaced in its submodules too."""

    def __setattr__(self, name: str, value: Any) -> None:
        old = self.__dict__.get(name, _ABSENT)
        super().__setattr__(name, value)
        if old is _ABSENT or isinstance(value, ModuleType):
            return
        for submodule in _submodules(self.__name__):
            if submodule.__dict__.get(name, _ABSENT) is old:
                submodule.__dict__[name] = value
        bump_generation()


def _submodules(package: str) -> list[ModuleType]:
    return [
        module
        for name, module in sys.modules.items()
        if name.startswith(f"{package}.") and module is not None
    ]


def remember_originals(module: ModuleType) -> None:
    """Note what the hooks are before anybody could replace them."""
    _originals.update({name: getattr(module, name) for name in _HOOKS})


def foreign_hook() -> str | None:
    """Return the name of a hook that was replaced, None if all are ours."""
    package = sys.modules["covet.routing"]
    for name, original in _originals.items():
        if getattr(package, name, None) is not original:
            return f"covet.routing.{name} is replaced"
    return None
