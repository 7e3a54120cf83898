"""FastAPI's names for questions about annotations: those of `covet.validation.annotations`, all of them."""

from covet.validation import annotations
from covet.validation.annotations import *  # noqa: F403

__all__: list[str] = []
__all__ += annotations.__all__
