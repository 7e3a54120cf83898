"""The OpenAPI document of a list of routes; `app.openapi()` calls it and keeps the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from covet.dependencies.param_models import get_flat_params
from covet.openapi.flat_models import get_flat_models_from_fields, get_model_name_map
from covet.openapi.operations import Operations
from covet.openapi.plain import plain_document
from covet.openapi.schemas import get_definitions
from covet.routing import APIRoute, BaseRoute, RouteContext, iter_route_contexts
from covet.validation.fields import ModelField

__all__ = ["get_fields_from_routes", "get_openapi"]

Routes = Sequence[BaseRoute | RouteContext]


def _api_routes(routes: Routes) -> Iterator[Any]:
    return (
        context for context in iter_route_contexts(routes) if isinstance(context.original_route, APIRoute)
    )


def get_fields_from_routes(routes: Routes) -> list[ModelField]:
    """Return every field that the document describes: bodies, responses, parameters, those of callbacks
    too.
    """
    callbacks: list[ModelField] = []
    bodies: list[ModelField] = []
    responses: list[ModelField] = []
    parameters: list[ModelField] = []
    for route in _api_routes(routes):
        if not route.include_in_schema:
            continue
        if route.body_field:
            assert isinstance(route.body_field, ModelField), "A request body must be a Pydantic Field"
            bodies.append(route.body_field)
        responses += [each for each in (route.response_field, route.stream_item_field) if each]
        responses += route.response_fields.values()
        if route.callbacks:
            callbacks += get_fields_from_routes(route.callbacks)
        parameters += get_flat_params(route.dependant)
    return callbacks + bodies + responses + parameters


def _info(**given: Any) -> dict[str, Any]:
    names = {"terms_of_service": "termsOfService", "license_info": "license"}
    required = ("title", "version")
    return {names.get(key, key): value for key, value in given.items() if value or key in required}


def get_openapi(
    *,
    title: str,
    version: str,
    openapi_version: str = "3.1.0",
    summary: str | None = None,
    description: str | None = None,
    routes: Routes,
    webhooks: Routes | None = None,
    tags: list[dict[str, Any]] | None = None,
    servers: list[dict[str, str | Any]] | None = None,
    terms_of_service: str | None = None,
    contact: dict[str, str | Any] | None = None,
    license_info: dict[str, str | Any] | None = None,
    separate_input_output_schemas: bool = True,
    external_docs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of routes and webhooks as plain data."""
    output: dict[str, Any] = {
        "openapi": openapi_version,
        "info": _info(
            title=title,
            version=version,
            summary=summary,
            description=description,
            terms_of_service=terms_of_service,
            contact=contact,
            license_info=license_info,
        ),
    }
    if servers:
        output["servers"] = servers
    fields = get_fields_from_routes([*routes, *(webhooks or [])])
    name_map = get_model_name_map(get_flat_models_from_fields(fields, set()))
    mapping, definitions = get_definitions(
        fields=fields, model_name_map=name_map, separate_input_output_schemas=separate_input_output_schemas
    )
    operations = Operations(name_map, mapping, separate_input_output_schemas)
    components: dict[str, dict[str, Any]] = {}
    paths = _path_items(operations, routes, components, definitions)
    hooks = _path_items(operations, webhooks or [], components, definitions)
    if definitions:
        components["schemas"] = dict(sorted(definitions.items()))
    output["paths"] = paths
    optional = {"webhooks": hooks, "components": components, "tags": tags, "externalDocs": external_docs}
    output.update({key: value for key, value in optional.items() if value})
    finished: dict[str, Any] = plain_document(output)
    return finished


def _path_items(
    operations: Operations, routes: Routes, components: dict[str, Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    """Return the path items of routes, and add what they need to the components."""
    items: dict[str, Any] = {}
    for route in _api_routes(routes):
        described = operations.describe(route)
        for path, item in described.paths.items():
            if item:
                items.setdefault(path, {}).update(item)
        if described.security_schemes:
            components.setdefault("securitySchemes", {}).update(described.security_schemes)
        definitions.update(described.definitions)
    return items
