"""Bounds on forms: checked when they are declared, inherited along the tree of routers, given to the
parser.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from covet.types import Scope

__all__ = ["FormLimits", "apply_router_form_limits", "resolve_form_limits", "validate_form_limits"]

SCOPE_KEY = "form_limits"


class FormLimits(TypedDict, total=False):
    """At most so many fields, so many files, and so many bytes in a part that is no file."""

    max_fields: int
    max_files: int
    max_part_size: int


def validate_form_limits(limits: FormLimits | None) -> FormLimits:
    """Return limits that are non-negative integers under known names; raise ValueError for others."""
    if limits is None:
        return {}
    for name, value in limits.items():
        if name not in FormLimits.__annotations__:
            raise ValueError(f"form_limits has no setting {name!r}: {', '.join(FormLimits.__annotations__)}")
        if type(value) is not int or value < 0:
            raise ValueError(f"form_limits[{name!r}] must be a non-negative integer")
    return limits.copy()


def resolve_form_limits(fastapi_scope: dict[str, Any], overrides: FormLimits | None) -> FormLimits:
    """Return the limits of the routers passed so far with a route's own on top."""
    inherited: FormLimits = fastapi_scope.get(SCOPE_KEY, {})
    return {**inherited, **overrides} if overrides else inherited


def apply_router_form_limits(scope: Scope, limits: FormLimits) -> None:
    """Note a router's limits for the routes below it."""
    if limits and scope["type"] == "http":
        inner: dict[str, Any] = scope.setdefault("fastapi", {})
        inner[SCOPE_KEY] = resolve_form_limits(inner, limits)
