"""API schemas written as YAML in the docstrings of endpoints, gathered into one document.

Needs the optional package `pyyaml`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from covet.requests import Request
from covet.responses.base import Response
from covet.routing.route import BaseRoute, Route
from covet.routing.router import Host, Mount

try:
    import yaml
except ModuleNotFoundError:
    yaml = None  # type: ignore[assignment]

__all__ = ["BaseSchemaGenerator", "EndpointInfo", "OpenAPIResponse", "SchemaGenerator"]

_METHODS = ("get", "post", "put", "patch", "delete", "options", "query")
_CONVERTOR = re.compile(r":\w+}")


class OpenAPIResponse(Response):
    """A response with a document in YAML."""

    media_type = "application/vnd.oai.openapi"

    def render(self, content: Any) -> bytes:
        """Return the document in YAML."""
        assert yaml is not None, "`pyyaml` must be installed to use OpenAPIResponse."
        assert isinstance(content, dict), "The schema passed to OpenAPIResponse should be a dictionary."
        return yaml.dump(content, default_flow_style=False).encode("utf-8")


class EndpointInfo(NamedTuple):
    """One operation: its path without convertors, its method in lower case, and the function."""

    path: str
    http_method: str
    func: Callable[..., Any]


class BaseSchemaGenerator:
    """Find the operations of routes and read their docstrings; derive and write `get_schema`."""

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        """Return the document of these routes."""
        raise NotImplementedError()

    def get_endpoints(self, routes: list[BaseRoute]) -> list[EndpointInfo]:
        """Return every operation of the routes and of those mounted below."""
        return [info for route in routes for info in self._operations(route)]

    def _operations(self, route: BaseRoute) -> Iterator[EndpointInfo]:
        if isinstance(route, Mount | Host):
            prefix = self._remove_converter(route.path) if isinstance(route, Mount) else ""
            for info in self.get_endpoints(route.routes or []):
                yield info._replace(path=prefix + info.path)
        elif isinstance(route, Route) and route.include_in_schema:
            path = self._remove_converter(route.path)
            endpoint = route.endpoint
            if inspect.isfunction(endpoint) or inspect.ismethod(endpoint):
                for method in route.methods or ["GET"]:
                    if method != "HEAD":
                        yield EndpointInfo(path, method.lower(), endpoint)
            else:
                for name in _METHODS:
                    if hasattr(endpoint, name):
                        yield EndpointInfo(path, name, getattr(endpoint, name))

    def _remove_converter(self, path: str) -> str:
        return _CONVERTOR.sub("}", path)

    def parse_docstring(self, func_or_method: Callable[..., Any]) -> dict[str, Any]:
        """Return the YAML of a docstring, what follows `---` if there is such a line."""
        docstring = func_or_method.__doc__
        if not docstring:
            return {}
        assert yaml is not None, "`pyyaml` must be installed to use parse_docstring."
        parsed = yaml.safe_load(docstring.rpartition("---")[2])
        # Plain prose is read as one text.
        return parsed if isinstance(parsed, dict) else {}

    def OpenAPIResponse(self, request: Request) -> Response:
        """Return the document of the application that a request belongs to."""
        return OpenAPIResponse(self.get_schema(routes=request.app.routes))


class SchemaGenerator(BaseSchemaGenerator):
    """Complete a base document with the operations of routes."""

    def __init__(self, base_schema: dict[str, Any]) -> None:
        self.base_schema = base_schema

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        """Return the base document with `paths`; QUERY needs OpenAPI 3.2."""
        schema = dict(self.base_schema)
        paths = schema.setdefault("paths", {})
        version = re.match(r"(\d+)\.(\d+)", str(schema.get("openapi", "")))
        has_query = version is not None and (int(version[1]), int(version[2])) >= (3, 2)
        for info in self.get_endpoints(routes):
            if info.http_method == "query" and not has_query:
                continue
            operation = self.parse_docstring(info.func)
            if operation:
                paths.setdefault(info.path, {})[info.http_method] = operation
        return schema
