"""Cross-origin resource sharing. Re-exports only."""

from covet.middleware.cors import ALL_METHODS, SAFELISTED_HEADERS, CORSMiddleware
from covet.starlette.mirror import mirror

__all__ = [
    "ALL_METHODS",
    "SAFELISTED_HEADERS",
    "CORSMiddleware",
]

mirror(__name__, "covet.middleware.cors")
