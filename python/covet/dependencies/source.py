"""Where a handler is written, for the errors that concern it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from covet.dependencies.kinds import unwrapped
from covet.dependencies.models import Dependant
from covet.exceptions import EndpointContext

__all__ = ["endpoint_context", "source_of"]


@lru_cache(maxsize=1024)
def _known_source(func: Callable[..., Any]) -> EndpointContext:
    found = EndpointContext()
    file = inspect.getsourcefile(func)
    if file is not None:
        found["file"] = file
    found["line"] = inspect.getsourcelines(func)[1]
    name = getattr(func, "__name__", None)
    if name is not None:
        found["function"] = name
    return found


def source_of(call: Callable[..., Any]) -> EndpointContext:
    """Return file, line and name of a callable, as far as they can be found."""
    try:
        return _known_source(unwrapped(call)).copy()
    except Exception:  # no source, as in a console; or a callable that cannot be hashed
        return EndpointContext()


def endpoint_context(dependant: Dependant, verb: str, root_path: str) -> EndpointContext:
    """Return what an error says about its handler: file, line, name, method and path."""
    context = EndpointContext() if dependant.call is None else source_of(dependant.call)
    if dependant.path:
        context["path"] = f"{verb} {root_path.rstrip('/')}{dependant.path}"
    return context
