"""Path patterns: from `/users/{id:int}` to a regular expression and a format, and back from values.

Also the vocabulary of matching: `Match`, and the error of a name that no route answers to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from re import Pattern
from typing import Any

from covet.routing.convertors import CONVERTOR_TYPES, Convertor

__all__ = ["Match", "NoMatchFound", "compile_path", "get_name", "replace_params"]

# A parameter of a path, `{name}` or `{name:type}`, and of a format, `{name}`.
PARAM_REGEX = re.compile("{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}")
PARAM_FORMAT_REGEX = re.compile("{([a-zA-Z_][a-zA-Z0-9_]*)}")


class NoMatchFound(Exception):
    """Say that no route has this name and exactly these parameters."""

    def __init__(self, name: str, path_params: Mapping[str, Any]) -> None:
        super().__init__(f'No route exists for name "{name}" and params "{", ".join(path_params)}".')


class Match(Enum):
    """How a route fits a scope; PARTIAL fits all but the method."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


def get_name(endpoint: Callable[..., Any]) -> str:
    """Return the name a route gets from its endpoint."""
    name: str = getattr(endpoint, "__name__", type(endpoint).__name__)
    return name


def compile_path(path: str) -> tuple[Pattern[str], str, dict[str, Convertor[Any]]]:
    """Return the regular expression, the format and the convertors of a path or of a host.

    `/users/{id:int}` gives `^/users/(?P<id>[0-9]+)$`, `/users/{id}` and `{"id": IntegerConvertor()}`.
    What does not begin with a slash is a host: its port is left out and its case is ignored.
    """
    is_host = not path.startswith("/")
    regex, path_format, end = "^", "", 0
    convertors: dict[str, Convertor[Any]] = {}
    repeated: set[str] = set()
    for match in PARAM_REGEX.finditer(path):
        name, kind = match[1], (match[2] or ":str")[1:]
        assert kind in CONVERTOR_TYPES, f"Unknown path convertor '{kind}'"
        convertor = CONVERTOR_TYPES[kind]
        literal = path[end : match.start()]
        regex += f"{re.escape(literal)}(?P<{name}>{convertor.regex})" if name not in convertors else ""
        path_format += f"{literal}{{{name}}}"
        if name in convertors:
            repeated.add(name)
        convertors[name] = convertor
        end = match.end()
    if repeated:
        plural = "s" if len(repeated) > 1 else ""
        raise ValueError(f"Duplicated param name{plural} {', '.join(sorted(repeated))} at path {path}")
    tail = path[end:]
    path_format += tail
    if is_host and not tail.endswith("]"):
        tail = tail.rsplit(":", 1)[0]
    # RFC 9110, section 4.2.3: hosts are compared without regard to case.
    flags = re.IGNORECASE if is_host else re.NOFLAG
    return re.compile(f"{regex}{re.escape(tail)}$", flags), path_format, convertors


def replace_params(
    path: str, param_convertors: Mapping[str, Convertor[Any]], path_params: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Fill values into a path's format; return it and the values it had no place for.

    The used values are removed from `path_params` itself; a parameter without a value stays as it is.
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name not in path_params:
            return match[0]
        return param_convertors[name].to_string(path_params.pop(name))

    return (PARAM_FORMAT_REGEX.sub(fill, path) if path_params else path), path_params


def match_params(
    pattern: Pattern[str], param_convertors: Mapping[str, Convertor[Any]], text: str
) -> dict[str, Any] | None:
    """Return the converted parameters of a path or host, or None if it does not fit."""
    match = pattern.match(text)
    if match is None:
        return None
    params: dict[str, Any] = match.groupdict()
    for name, value in params.items():
        params[name] = param_convertors[name].convert(value)
    return params
