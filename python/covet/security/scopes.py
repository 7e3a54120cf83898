"""The OAuth2 scopes that a dependency and its dependents ask for together."""

from __future__ import annotations

__all__ = ["SecurityScopes"]


class SecurityScopes:
    """A parameter of this type receives the scopes that `Security(…, scopes=[…])` collected on the way."""

    def __init__(self, scopes: list[str] | None = None) -> None:
        self.scopes: list[str] = scopes or []
        self.scope_str: str = " ".join(self.scopes)
