"""Allowed hosts. Re-exports only."""

from covet.middleware.trustedhost import ENFORCE_DOMAIN_WILDCARD, TrustedHostMiddleware
from covet.starlette.mirror import mirror

__all__ = [
    "ENFORCE_DOMAIN_WILDCARD",
    "TrustedHostMiddleware",
]

mirror(__name__, "covet.middleware.trustedhost")
