"""The security schemes that an operation's dependencies are, and the scopes they ask for."""

from __future__ import annotations

from typing import Any

from covet.dependencies.models import (
    Dependant,
    UsesScopesCache,
    cache_key,
    is_security_scheme,
    oauth_scopes,
    security_scheme,
)
from covet.encoders import jsonable_encoder
from covet.types import DependencyCacheKey

__all__ = ["describe_security"]


def _schemes(dependant: Dependant) -> list[tuple[Dependant, list[str]]]:
    """Return each dependency that is a scheme, with the scopes asked for on the way to it."""
    found = []
    visited: list[DependencyCacheKey] = []
    scopes_cache: UsesScopesCache = {}
    waiting: list[tuple[Dependant, list[str], bool]] = [(dependant, [], True)]
    while waiting:
        current, above, is_root = waiting.pop()
        key = cache_key(current, scopes_cache)
        if key in visited:
            continue
        visited.append(key)
        scopes = [*above, *(scope for scope in oauth_scopes(current) if scope not in above)]
        if not is_root and is_security_scheme(current):
            found.append((current, scopes))
        waiting.extend((below, scopes, False) for below in reversed(current.dependencies))
    return found


def describe_security(dependant: Dependant) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the schemes by name as the document's components have them, and the operation's `security`."""
    definitions: dict[str, Any] = {}
    scopes: dict[str, list[str]] = {}
    for found, asked in _schemes(dependant):
        scheme = security_scheme(found)
        definitions[scheme.scheme_name] = jsonable_encoder(scheme.model, by_alias=True, exclude_none=True)
        known = scopes.setdefault(scheme.scheme_name, [])
        known += [scope for scope in dict.fromkeys(asked) if scope not in known]
    return definitions, [{name: asked} for name, asked in scopes.items()]
