"""Private keys of ASGI scopes, for layers that must agree on them without knowing each other."""

from __future__ import annotations

__all__ = ["DOOR", "FROM_ROUTE", "GIVEN_BODY_LIMIT", "HANDLERS", "HELD_BODY", "IN_TASK", "REQUEST"]

# True while what runs may be left half-way by a function middleware (`covet.middleware.isolation`).
IN_TASK = "covet.in_task"
# An extension of scopes from our own server: a last piece needs no empty message behind it.
DOOR = "covet.door"
# The largest body, in bytes, that may be kept whole in memory: our server's own limit.
HELD_BODY = "covet.held_body"
# The `max_body_size` in force, under Starlette's name; it replaces the server's limit.
GIVEN_BODY_LIMIT = "starlette.max_body_size"
# The request object of a plan that failed, for exception handlers: it holds a body that was read.
REQUEST = "covet.request"
# Exception handlers by class and by status, under Starlette's name.
HANDLERS = "starlette.exception_handlers"
# True while an error of a route's plan passes through the router.
FROM_ROUTE = "covet.from_route"
