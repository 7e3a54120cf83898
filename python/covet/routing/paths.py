"""Paths of API routes: Starlette's patterns plus optional trailing parameters, `/items/{id?}` or
`/items/{id:int?}`.

A path with optional parameters is one route with one regular expression; the document lists each of its
forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from covet.datastructures.url import URLPath
from covet.routing.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    PathConvertor,
    StringConvertor,
    UUIDConvertor,
    user_convertors,
)
from covet.routing.matching import NoMatchFound, compile_path, replace_params

__all__ = ["ApiPath", "convertor_clash", "match_path", "url_path"]

_OPTIONAL = re.compile(r"/\{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?\?\}$")
_WITH_CONVERTOR = re.compile(r"\{(\w+):(\w+)\??\}")
# Kinds of plan parameters that are the same from the text as from the convertor's object.
_SAME_OBJECT: dict[type[Any], frozenset[int]] = {
    IntegerConvertor: frozenset({1, 2}),
    FloatConvertor: frozenset({2}),
    UUIDConvertor: frozenset({4}),
}


@dataclass
class ApiPath:
    """A compiled path."""

    regex: re.Pattern[str]
    format: str
    convertors: dict[str, Convertor[Any]]
    # The formats of the shorter forms, longest first; empty for a path without optional parameters.
    shorter: list[str] = field(default_factory=list)

    @classmethod
    def compile(cls, path: str) -> ApiPath:
        """Compile a path; raise ValueError where an optional parameter is not at the end."""
        required, optional = path, []
        while found := _OPTIONAL.search(required):
            optional.append(found)
            required = required[: found.start()]
        if not optional:
            if "?}" in path:
                raise ValueError(
                    f"Optional parameters must be whole segments at the end of the path {path!r}"
                )
            return cls(*compile_path(path))
        optional.reverse()
        names = [found[1] for found in optional]
        whole = required + "".join(f"/{{{found[1]}{found[2] or ''}}}" for found in optional)
        _, path_format, convertors = compile_path(whole)
        start = compile_path(required or "/")[0].pattern.removesuffix("$") if required else "^"
        tail = ""
        for position in range(len(names) - 1, -1, -1):
            name = names[position]
            segment = f"(?P<{name}>{convertors[name].regex}){tail}"
            # The root itself ends in the slash that elsewhere comes with the parameter.
            tail = f"/(?:{segment})?" if not required and position == 0 else f"(?:/{segment})?"
        forms = [compile_path(required or "/")[1]]
        forms += [
            f"{forms[0].rstrip('/')}/{'/'.join(f'{{{name}}}' for name in names[:count])}"
            for count in range(1, len(names))
        ]
        return cls(re.compile(f"{start}{tail}$"), path_format, convertors, forms[::-1])

    @property
    def with_marks(self) -> str:
        """The format with its optional parameters marked, as the analysis of signatures reads it."""
        marked = self.format
        for _ in self.shorter:
            cut = marked.rfind("}", 0, marked.find("?}") if "?}" in marked else len(marked))
            marked = f"{marked[:cut]}?{marked[cut:]}"
        return marked


def match_path(
    regex: re.Pattern[str], convertors: dict[str, Convertor[Any]], route_path: str
) -> dict[str, Any] | None:
    """Return the converted parameters that a path has, None if it does not fit."""
    found = regex.match(route_path)
    if found is None:
        return None
    return {
        name: convertors[name].convert(text) for name, text in found.groupdict().items() if text is not None
    }


def url_path(route: Any, name: str, path_params: dict[str, Any]) -> URLPath:
    """Return the path of a route with exactly these parameters; optional ones may be left out from the
    end.
    """
    if name != route.name:
        raise NoMatchFound(name, path_params)
    for path_format in (route.path_format, *route.shorter_formats):
        wanted = set(re.findall(r"{(\w+)}", path_format))
        if path_params.keys() == wanted:
            path, _ = replace_params(path_format, route.param_convertors, dict(path_params))
            return URLPath(path=path, protocol="http")
    raise NoMatchFound(name, path_params)


def convertor_clash(route: Any, plan: tuple[Any, ...]) -> str | None:
    """Return why the text of a path parameter will not do: its convertor makes something else of it, or is a
    user's, whose regular expression only Python can run, whether the plan takes the parameter or not.
    """
    users = user_convertors()
    for name, kind_name in _WITH_CONVERTOR.findall(route.path):
        if kind_name in users:
            convertor = route.param_convertors[name]
            return f"the path convertor of {name!r} gives {type(convertor).__name__} objects"
    for source, name, kind, *_ in plan[0]:
        convertor = route.param_convertors.get(name) if source == 0 else None
        if convertor is None or type(convertor) in (StringConvertor, PathConvertor):
            continue
        if kind not in _SAME_OBJECT.get(type(convertor), ()):
            return f"the path convertor of {name!r} gives {type(convertor).__name__} objects"
    return None
