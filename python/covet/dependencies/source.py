"""Where a handler is written, for the errors that concern it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from covet.dependencies.models import Dependant
from covet.exceptions import EndpointContext

__all__ = ["endpoint_context"]


@lru_cache(maxsize=1024)
def _source_of(func: Callable[..., Any]) -> EndpointContext:
    found = EndpointContext()
    file = inspect.getsourcefile(func)
    if file is not None:
        found["file"] = file
    found["line"] = inspect.getsourcelines(func)[1]
    name = getattr(func, "__name__", None)
    if name is not None:
        found["function"] = name
    return found


def endpoint_context(dependant: Dependant, verb: str, root_path: str) -> EndpointContext:
    """Return what an error says about its handler: file, line, name, method and path."""
    context = EndpointContext()
    if dependant.call is not None:
        try:
            context = _source_of(dependant.call).copy()
        except Exception:  # no source, as in a console; or a callable that cannot be hashed
            context = EndpointContext()
    if dependant.path:
        context["path"] = f"{verb} {root_path.rstrip('/')}{dependant.path}"
    return context
