"""Private keys of ASGI scopes, for layers that must agree on them without knowing each other."""

from __future__ import annotations

__all__ = ["DOOR", "IN_TASK"]

# True while what runs may be left half-way by a function middleware (`covet.middleware.isolation`).
IN_TASK = "covet.in_task"
# An extension of scopes from our own server: a last piece needs no empty message behind it.
DOOR = "covet.door"
