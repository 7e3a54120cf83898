"""One route as the operations of a path item: parameters, body, responses, callbacks.

Called by `document` for each route. It only reads routes, and answers with plain dicts.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from covet.callables import described
from covet.datastructures.default import DefaultPlaceholder, _Unset
from covet.dependencies.models import Dependant
from covet.dependencies.param_models import flat_fields, param_aliases, param_model, walk_dependants
from covet.encoders import jsonable_encoder
from covet.openapi.constants import METHODS_WITH_BODY, REF_PREFIX
from covet.openapi.merging import deep_dict_update
from covet.openapi.schemas import FieldMapping, get_schema_from_model_field
from covet.openapi.security import describe_security
from covet.params import ParamTypes
from covet.responses import JSONResponse, Response
from covet.responses.bodyless import is_body_allowed_for_status_code
from covet.routing import APIRoute
from covet.sse import _SSE_EVENT_SCHEMA
from covet.types import ModelNameMap
from covet.validation.annotations import lenient_issubclass
from covet.validation.fields import ModelField

__all__ = ["Described", "Operations", "validation_error_definition", "validation_error_response_definition"]

validation_error_definition: dict[str, Any] = {
    "title": "ValidationError",
    "type": "object",
    "properties": {
        "loc": {
            "title": "Location",
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        },
        "msg": {"title": "Message", "type": "string"},
        "type": {"title": "Error Type", "type": "string"},
        "input": {"title": "Input"},
        "ctx": {"title": "Context", "type": "object"},
    },
    "required": ["loc", "msg", "type"],
}
validation_error_response_definition: dict[str, Any] = {
    "title": "HTTPValidationError",
    "type": "object",
    "properties": {
        "detail": {"title": "Detail", "type": "array", "items": {"$ref": f"{REF_PREFIX}ValidationError"}}
    },
}
status_code_ranges: dict[str, str] = {
    "1XX": "Information",
    "2XX": "Success",
    "3XX": "Redirection",
    "4XX": "Client Error",
    "5XX": "Server Error",
    "DEFAULT": "Default Response",
}
# What http.client.responses has too; but its module brings the parser of e-mail along.
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_GROUPS = (
    (ParamTypes.path, "path_params"),
    (ParamTypes.query, "query_params"),
    (ParamTypes.header, "header_params"),
    (ParamTypes.cookie, "cookie_params"),
)


@dataclass
class Described:
    """A route's path items by path, and what it adds to the document's components."""

    paths: dict[str, dict[str, Any]] = field(default_factory=dict)
    security_schemes: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)


@dataclass
class Operations:
    """What the operations of one document share."""

    model_name_map: ModelNameMap
    field_mapping: FieldMapping
    separate_input_output_schemas: bool = True
    operation_ids: dict[str, Any] = field(default_factory=dict)  # with the endpoint that has it

    def describe(self, route: Any) -> Described:
        """Return a route's path items: one, and one more for each optional parameter of its path."""
        described = Described()
        if not route.include_in_schema:
            return described
        assert route.methods is not None, "Methods must be a list"
        item = {method.lower(): self._operation(route, method, described) for method in route.methods}
        described.paths[route.path_format] = item
        for shorter in getattr(route, "shorter_formats", ()):
            described.paths[shorter] = {verb: _without_params(each, shorter) for verb, each in item.items()}
        return described

    def schema(self, model_field: ModelField, alias: str | None = None) -> dict[str, Any]:
        """Return the schema of a field."""
        return get_schema_from_model_field(
            field=model_field,
            model_name_map=self.model_name_map,
            field_mapping=self.field_mapping,
            separate_input_output_schemas=self.separate_input_output_schemas,
            field_alias=alias,
        )

    def _operation(self, route: Any, method: str, described: Described) -> dict[str, Any]:
        operation = self._metadata(route)
        schemes, security = describe_security(route.dependant)
        if security:
            operation["security"] = security
        described.security_schemes.update(schemes)
        parameters = self._parameters(route.dependant)
        if parameters:
            operation["parameters"] = parameters
        if method in METHODS_WITH_BODY and route.body_field:
            operation["requestBody"] = self.request_body(route.body_field)
        if route.callbacks:
            operation["callbacks"] = self._callbacks(route, described)
        operation["responses"] = self._responses(route)
        self._add_validation_error(route, operation["responses"], described)
        if route.openapi_extra:
            deep_dict_update(operation, route.openapi_extra)
        return operation

    def _metadata(self, route: Any) -> dict[str, Any]:
        operation: dict[str, Any] = {}
        if route.tags:
            operation["tags"] = route.tags
        operation["summary"] = route.summary or route.name.replace("_", " ").title()
        if route.description:
            operation["description"] = route.description
        operation_id = route.operation_id or route.unique_id
        if operation_id in self.operation_ids:
            _warn_of_duplicate(operation_id, route.endpoint, self.operation_ids[operation_id])
        self.operation_ids.setdefault(operation_id, route.endpoint)
        operation["operationId"] = operation_id
        if route.deprecated:
            operation["deprecated"] = route.deprecated
        return operation

    def _parameters(self, dependant: Dependant) -> list[dict[str, Any]]:
        """Return the parameters, those that several dependencies ask for once: required if one of them needs
        it.
        """
        everything = list(walk_dependants(dependant))
        parameters = [
            parameter
            for location, group in _GROUPS
            for each in everything
            for parent in getattr(each, group)
            for parameter in self._parameters_of(parent, location)
        ]
        unique = {(parameter["in"], parameter["name"]): parameter for parameter in parameters}
        for parameter in parameters:
            if parameter.get("required"):
                unique[parameter["in"], parameter["name"]] = parameter
        return list(unique.values())

    def _parameters_of(self, parent: ModelField, location: ParamTypes) -> Iterator[dict[str, Any]]:
        """Yield the parameter that a field is, or those of the model that it is spread from."""
        if not getattr(parent.field_info, "include_in_schema", True):
            return
        model = param_model(parent)
        optional = model is not None and parent.field_info.annotation is not model
        optional = optional and not parent.field_info.is_required()
        hyphens = getattr(parent.field_info, "convert_underscores", True)
        for each in flat_fields([parent]):
            info = each.field_info
            convert = location is ParamTypes.header and getattr(info, "convert_underscores", hyphens)
            alias, name = param_aliases(each, convert_underscores=convert)[0]
            parameter: dict[str, Any] = {
                "name": name,
                "in": location.value,
                "required": info.is_required() and not optional,
                "schema": self.schema(each, alias),
            }
            if info.description:
                parameter["description"] = info.description
            _add_examples(parameter, info)
            if getattr(info, "deprecated", None):
                parameter["deprecated"] = True
            yield parameter

    def request_body(self, body_field: ModelField) -> dict[str, Any]:
        """Return the description of a body."""
        assert isinstance(body_field, ModelField)
        info: Any = body_field.field_info
        content: dict[str, Any] = {"schema": self.schema(body_field)}
        _add_examples(content, info)
        body: dict[str, Any] = {"required": True} if info.is_required() else {}
        body["content"] = {info.media_type: content}
        return body

    def _callbacks(self, route: Any, described: Described) -> dict[str, Any]:
        callbacks = {}
        for callback in route.callbacks:
            if isinstance(callback, APIRoute):
                # Its schemes and errors belong to whoever is called, not to this document.
                item = self.describe(callback).paths.get(callback.path_format, {})
                callbacks[callback.name] = {callback.path: item}
        return callbacks

    def _responses(self, route: Any) -> dict[str, Any]:
        response_class = route.response_class
        if isinstance(response_class, DefaultPlaceholder):
            response_class = response_class.value
        assert response_class, "A response class is needed to generate OpenAPI"
        status_code = _status_code(route, response_class)
        main: dict[str, Any] = {"description": route.response_description}
        responses = {status_code: main}
        if is_body_allowed_for_status_code(route.status_code):
            content = self._content(route, response_class)
            if content:
                main["content"] = content
        for code, additional in route.responses.items():
            self._add_response(route, responses, code, additional, response_class.media_type)
        return responses

    def _content(self, route: Any, response_class: type[Response]) -> dict[str, Any]:
        """Return the content of the answer that the handler itself gives."""
        item = route.stream_item_field
        if route.is_json_stream:
            return {"application/jsonl": {"itemSchema": self.schema(item) if item else {}}}
        if route.is_sse_stream:
            event = deepcopy(_SSE_EVENT_SCHEMA)
            if item:
                event["required"] = ["data"]
                event["properties"]["data"] = {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": self.schema(item),
                }
            return {"text/event-stream": {"itemSchema": event}}
        if not response_class.media_type:
            return {}
        schema: dict[str, Any] = {"type": "string"}
        if lenient_issubclass(response_class, JSONResponse):
            schema = self.schema(route.response_field) if route.response_field else {}
        return {response_class.media_type: {"schema": schema}}

    def _add_response(
        self,
        route: Any,
        responses: dict[str, Any],
        code: int | str,
        additional: dict[str, Any],
        media_type: str | None,
    ) -> None:
        """Add an entry of `responses=` to what is known of its status."""
        assert isinstance(additional, dict), "An additional response must be a dict"
        added = deepcopy({key: value for key, value in additional.items() if key != "model"})
        key = str(code).upper()
        known = responses.setdefault("default" if key == "DEFAULT" else key, {})
        model = route.response_fields.get(code)
        if model:
            content = added.setdefault("content", {}).setdefault(media_type or "application/json", {})
            deep_dict_update(content.setdefault("schema", {}), self.schema(model))
        phrase = status_code_ranges.get(key) or _PHRASES.get(int(code))
        description = added.get("description") or known.get("description") or phrase or "Additional Response"
        deep_dict_update(known, added)
        known["description"] = description

    def _add_validation_error(self, route: Any, responses: dict[str, Any], described: Described) -> None:
        """Add the 422 that parameters and bodies can cause, unless the user described one."""
        takes_input = route.body_field or any(
            flat_fields(getattr(each, group))
            for each in walk_dependants(route.dependant)
            for _, group in _GROUPS
        )
        if not takes_input or any(code in responses for code in ("422", "4XX", "default")):
            return
        schema = {"$ref": f"{REF_PREFIX}HTTPValidationError"}
        responses["422"] = {
            "description": "Validation Error",
            "content": {"application/json": {"schema": schema}},
        }
        described.definitions["ValidationError"] = validation_error_definition
        described.definitions["HTTPValidationError"] = validation_error_response_definition


def _without_params(operation: dict[str, Any], path_format: str) -> dict[str, Any]:
    """Return an operation at a shorter form of its path, which some parameters are not in."""
    shorter = dict(operation)
    shorter["parameters"] = [
        parameter
        for parameter in operation.get("parameters", [])
        if parameter["in"] != "path" or f"{{{parameter['name']}}}" in path_format
    ]
    missing = len(operation.get("parameters", [])) - len(shorter["parameters"])
    shorter["operationId"] = f"{operation['operationId']}_without_{missing}"
    if not shorter["parameters"]:
        del shorter["parameters"]
    return shorter


def _add_examples(described: dict[str, Any], info: Any) -> None:
    examples, example = getattr(info, "openapi_examples", None), getattr(info, "example", _Unset)
    if examples:
        described["examples"] = jsonable_encoder(examples)
    elif example is not _Unset:
        described["example"] = jsonable_encoder(example)


def _status_code(route: Any, response_class: type[Response]) -> str:
    """Return the status of the handler's own answer: as declared, else the response class's default."""
    if route.status_code is not None:
        return str(route.status_code)
    return _default_status(response_class.__init__)


@lru_cache
def _default_status(constructor: Callable[..., None]) -> str:
    parameter = inspect.signature(constructor).parameters.get("status_code")
    default = None if parameter is None else parameter.default
    return str(default) if isinstance(default, int) else "200"


def _warn_of_duplicate(operation_id: str, endpoint: Any, first: Any) -> None:
    warnings.warn(
        f"Duplicate Operation ID {operation_id} for function {described(endpoint)}; "
        f"{described(first)} has it already. Give one of them an operation_id of its own",
        stacklevel=1,
    )
