"""The default operation id of a route: its name, path and method in one word."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["generate_unique_id"]


def generate_unique_id(route: Any) -> str:
    """Return an id such as `read_item_items__item_id__get`."""
    assert route.methods
    word = re.sub(r"\W", "_", f"{route.name}{route.path_format}")
    return f"{word}_{next(iter(route.methods)).lower()}"
