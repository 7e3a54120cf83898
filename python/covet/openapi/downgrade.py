"""An OpenAPI 3.1 document as OpenAPI 3.0.3, for tools that read nothing newer.

Called for applications with `openapi_version="3.0.3"` and by `covet openapi --spec 3.0`. What 3.0 has no word
for is kept under `x-` where somebody may want it, else left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from covet.openapi.schema_downgrade import downgrade_schema

__all__ = ["downgrade"]

Part = dict[str, Any]
VERSION = "3.0.3"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_KEPT = ("externalDocs", "servers", "tags")
_WITH_SCOPES = ("oauth2", "openIdConnect")
_PATH_ITEM_REF = "#/components/pathItems/"


def downgrade(document: Part, *, version: str = VERSION) -> Part:
    """Return an OpenAPI 3.1 document as OpenAPI 3.0; the one given stays as it is.

        from covet import CovetPy
        from covet.openapi.downgrade import downgrade

        assert downgrade(CovetPy().openapi())["openapi"] == "3.0.3"

    Schemas may come to allow more, never less: `null` becomes `nullable`, `const` an enumeration of one, a
    tuple an array of any of its items; `if`, `propertyNames` and their like are left out.
    Webhooks are kept as `x-webhooks`, the items of streams as `x-itemSchema`.

    Args:
        document: a valid document of version 3.1; one of version 3.0 is returned as it is.
        version: what the result says it is, 3.0.x.
    """
    if str(document.get("openapi", "")).startswith("3.0."):
        return document
    return _Downgrade(document).document(version)


class _Downgrade:
    """One run: what is looked up in the document while its parts are rewritten."""

    def __init__(self, document: Part) -> None:
        self._source = document
        self._components: Part = document.get("components", {})
        self._schemes: Part = self._components.get("securitySchemes", {})

    def document(self, version: str) -> Part:
        """Return the whole."""
        made: Part = {"openapi": version, "info": _info(self._source.get("info", {}))}
        made |= {key: self._source[key] for key in _KEPT if key in self._source}
        security = self._security(self._source.get("security"))
        if security is not None:
            made["security"] = security
        made["paths"] = _each(self._source.get("paths", {}), self._path_item)
        if self._source.get("webhooks"):
            made["x-webhooks"] = _each(self._source["webhooks"], self._path_item)
        components = self._made_components()
        if components:
            made["components"] = components
        return made | _extensions(self._source)

    def _made_components(self) -> Part:
        kinds: dict[str, Callable[[Any], Any]] = {
            "schemas": downgrade_schema,
            "responses": self._response,
            "parameters": self._parameter,
            "examples": _reference_or_same,
            "requestBodies": self._body,
            "headers": self._parameter,
            "securitySchemes": _reference_or_same,
            "links": _reference_or_same,
            "callbacks": self._callback,
        }
        made = {
            kind: _each(parts, kinds[kind])
            for kind, parts in self._components.items()
            if kind in kinds and parts
        }
        if self._schemes:
            made["securitySchemes"] = {name: made["securitySchemes"][name] for name in self._known_schemes()}
        return made | _extensions(self._components)

    def _path_item(self, item: Part) -> Part:
        reference = item.get("$ref", "")
        if reference.startswith(_PATH_ITEM_REF):
            # Only paths have path items in 3.0.
            item = self._components.get("pathItems", {}).get(reference.removeprefix(_PATH_ITEM_REF), {})
        made: Part = {}
        for key, value in item.items():
            if key in METHODS:
                made[key] = self._operation(value)
            elif key == "parameters":
                made[key] = [self._parameter(each) for each in value]
            elif key in ("summary", "description", "servers", "$ref") or key.startswith("x-"):
                made[key] = value
            elif isinstance(value, dict):
                made[f"x-{key}"] = self._operation(value)  # a method that 3.0 does not know
        return made

    def _operation(self, operation: Part) -> Part:
        made = dict(operation)
        if "parameters" in operation:
            made["parameters"] = [self._parameter(each) for each in operation["parameters"]]
        if "requestBody" in operation:
            made["requestBody"] = self._body(operation["requestBody"])
        responses = operation.get("responses") or {"default": {"description": ""}}
        made["responses"] = _each(responses, self._response)
        if "callbacks" in operation:
            made["callbacks"] = _each(operation["callbacks"], self._callback)
        security = self._security(made.pop("security", None))
        if security is not None:
            made["security"] = security
        return made

    def _callback(self, callback: Part) -> Part:
        return _reference_or(callback, lambda each: _each(each, self._path_item))

    def _parameter(self, parameter: Part) -> Part:
        """Rewrite a parameter, or a header, which is one without name and place."""
        return _reference_or(parameter, self._with_schemas)

    def _body(self, body: Part) -> Part:
        return _reference_or(body, self._with_schemas)

    def _response(self, response: Part) -> Part:
        def rewritten(each: Part) -> Part:
            made = self._with_schemas(each)
            if "headers" in each:
                made["headers"] = _each(each["headers"], self._parameter)
            if "links" in each:
                made["links"] = _each(each["links"], _reference_or_same)
            return made

        return _reference_or(response, rewritten)

    def _with_schemas(self, part: Part) -> Part:
        """Rewrite the schemas and examples right below a part, and those of its content."""
        made = dict(part)
        if "schema" in part:
            made["schema"] = downgrade_schema(part["schema"])
        if isinstance(part.get("examples"), dict):
            made["examples"] = _each(part["examples"], _reference_or_same)
        if "content" in part:
            made["content"] = _each(part["content"], self._media)
        return made

    def _media(self, media: Part) -> Part:
        made = self._with_schemas(media)
        if "itemSchema" in made:
            # A stream's text as a whole is no JSON value, so its items cannot be a schema's.
            made["x-itemSchema"] = downgrade_schema(made.pop("itemSchema"))
            made.setdefault("schema", {"type": "string"})
        if "encoding" in made:
            made["encoding"] = _each(made["encoding"], self._encoding)
        return made

    def _encoding(self, encoding: Part) -> Part:
        headers = encoding.get("headers")
        return encoding if headers is None else encoding | {"headers": _each(headers, self._parameter)}

    def _known_schemes(self) -> list[str]:
        return [name for name, scheme in self._schemes.items() if scheme.get("type") != "mutualTLS"]

    def _security(self, requirements: list[Part] | None) -> list[Part] | None:
        """Return requirements without what 3.0 has no word for: certificates, and roles of plain schemes."""
        if requirements is None:
            return None
        made: list[Part] = []
        for requirement in requirements:
            known = {
                name: scopes if self._schemes.get(name, {}).get("type") in _WITH_SCOPES else []
                for name, scopes in requirement.items()
                if self._schemes.get(name, {}).get("type") != "mutualTLS"
            }
            if known or not requirement:
                made.append(known)
        return made if made or not requirements else None


def _info(info: Part) -> Part:
    made = dict(info)
    summary = made.pop("summary", None)
    if summary is not None:
        made["x-summary"] = summary
    licence = made.get("license", {})
    if "identifier" in licence:
        kept = {key: value for key, value in licence.items() if key != "identifier"}
        made["license"] = {"url": f"https://spdx.org/licenses/{licence['identifier']}.html"} | kept
    return made


def _extensions(part: Part) -> Part:
    return {key: value for key, value in part.items() if key.startswith("x-")}


def _each(parts: Part, rewrite: Callable[[Any], Any]) -> Part:
    return {name: part if name.startswith("x-") else rewrite(part) for name, part in parts.items()}


def _reference_or(part: Part, rewrite: Callable[[Part], Part]) -> Part:
    """Return a reference alone, without the words that 3.1 allows beside it, or the part rewritten."""
    return {"$ref": part["$ref"]} if "$ref" in part else rewrite(part)


def _reference_or_same(part: Part) -> Part:
    return _reference_or(part, lambda each: each)
