"""The HTTP client library that the test client is built upon: httpx2, or its predecessor with a warning."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from covet.http_exceptions import StarletteDeprecationWarning

if TYPE_CHECKING:
    import httpx2 as httpx
else:
    try:
        import httpx2 as httpx
    except ModuleNotFoundError:
        try:
            import httpx
        except ModuleNotFoundError:
            raise RuntimeError(
                "The covet.testclient module requires the httpx2 package to be installed.\n"
                "You can install this with:\n"
                "    $ pip install httpx2\n"
            ) from None
        warnings.warn(
            "Using `httpx` with `covet.testclient` is deprecated; install `httpx2` instead.",
            StarletteDeprecationWarning,
            stacklevel=2,
        )

__all__ = ["httpx"]
