"""Loads a module of covet under the name it has in FastAPI or Starlette.

Used by the finder only. The module that ends up in `sys.modules` is covet's own, so both names are one
module; only `fastapi` itself stays a stand-in, because its version is not covet's.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

from .names import LOADED_WITH_FASTAPI, VERSIONS

__all__ = ["AliasLoader", "StandIn"]


class StandIn(ModuleType):
    """A module that has a name of its own and every attribute of another module.

    Import hooks get it: they look up their callbacks by `__name__`, and what they assign arrives in the
    module it stands for.
    """

    _target: ModuleType

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self.__dict__["_target"], name)
        except (AttributeError, KeyError):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if _is_own(name):
            super().__setattr__(name, value)
        else:
            setattr(self._target, name, value)

    def __delattr__(self, name: str) -> None:
        if _is_own(name):
            super().__delattr__(name)
        else:
            delattr(self._target, name)

    def __dir__(self) -> Iterable[str]:
        return dir(self._target)


class AliasLoader(InspectLoader):
    """The loader of one name: imports the module it means and puts that in its place."""

    def __init__(self, name: str, meant: ModuleSpec) -> None:
        self.name = name
        self._meant = meant

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a stand-in; the import system gives it its name and its place in `sys.modules`."""
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Import what the name means and let it take over; a reload of `fastapi` itself changes nothing."""
        module.__dict__["_target"] = importlib.import_module(self._meant.name)
        if self.name != "fastapi":
            sys.modules[self.name] = module.__dict__["_target"]
            return
        module.__dict__["__version__"] = VERSIONS["fastapi"]
        for name in LOADED_WITH_FASTAPI:
            importlib.import_module(name)

    def is_package(self, fullname: str) -> bool:
        """Say whether the module has submodules."""
        return self._meant.submodule_search_locations is not None

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code, which `python -m` runs."""
        loader: Any = self._meant.loader
        code: CodeType | None = loader.get_code(self._meant.name)
        return code

    def get_source(self, fullname: str) -> str | None:
        """Return the module's source."""
        loader: Any = self._meant.loader
        source: str | None = loader.get_source(self._meant.name)
        return source

    def get_resource_reader(self, fullname: str) -> Any:
        """Return what `importlib.resources` reads the package's files with."""
        loader: Any = self._meant.loader
        return loader.get_resource_reader(self._meant.name)


def _is_own(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
