"""The list of a router's routes: a plain list whose every change makes compiled plans stale."""

from __future__ import annotations

from typing import TypeVar

from covet.watched import WatchedList

__all__ = ["RouteList"]

T = TypeVar("T")


class RouteList(WatchedList[T]):
    """A list that bumps the generation, and its own version, whenever it is changed."""
