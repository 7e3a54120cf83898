"""The part of a request's path that is left below the mounts it has passed."""

from __future__ import annotations

from covet.types import Scope

__all__ = ["get_route_path"]


def get_route_path(scope: Scope) -> str:
    """Return the path without `root_path`, if that is a prefix of whole segments."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    if not root_path or not path.startswith(root_path):
        return path
    rest = path[len(root_path) :]
    return rest if not rest or rest[0] == "/" else path
