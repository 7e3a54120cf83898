"""Finds all modules below `fastapi` and `starlette`, and their distributions, while covet stands in for them.

An instance goes to the front of `sys.meta_path`. It owns both names: for a module that covet lacks the import
ends here, since a module of an installed FastAPI next to ours would break in ways nobody can explain.
"""

import importlib.util
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import DistributionFinder
from types import ModuleType

from .distribution import StandInDistribution, named
from .loader import AliasLoader
from .names import VERSIONS, target

__all__ = ["Finder"]


class Finder(DistributionFinder):
    """A meta-path finder for two names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target_module: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of FastAPI or Starlette.

        Raises:
            ModuleNotFoundError: covet has no such module.
        """
        if fullname.partition(".")[0] not in VERSIONS:
            return None
        meant = _find(fullname)
        loader = AliasLoader(fullname, meant)
        spec = ModuleSpec(fullname, loader, origin=meant.origin, is_package=loader.is_package(fullname))
        spec.submodule_search_locations = meant.submodule_search_locations
        spec.has_location = meant.has_location
        return spec

    def find_distributions(
        self, context: DistributionFinder.Context = DistributionFinder.Context()
    ) -> Iterable[StandInDistribution]:
        """Answer for the distributions of both names, whether or not the real ones are installed."""
        return named(context.name)

    def invalidate_caches(self) -> None:
        """Do nothing: there are no caches."""


def _find(fullname: str) -> ModuleSpec:
    name = target(fullname)
    # Only the last part can be missing: Python imports the packages above it first.
    spec = importlib.util.find_spec(name) if name is not None else None
    if spec is None:
        root = fullname.partition(".")[0]
        raise ModuleNotFoundError(
            f"No module named {fullname!r}: covet stands in for {root} (--compat, covet.compat.install) "
            f"and has no such module. An installed {root} is never mixed in",
            name=fullname,
        )
    return spec
