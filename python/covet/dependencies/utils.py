"""FastAPI's names for what `covet.dependencies` defines elsewhere; re-exports only."""

from covet.dependencies.body import flat_body_params as _get_flat_body_params
from covet.dependencies.body import get_body_field as _get_body_field
from covet.dependencies.body import should_embed_body_fields as _should_embed_body_fields
from covet.dependencies.extract import request_body_to_args, request_params_to_args
from covet.dependencies.forms import file_bytes as _read_file_bytes
from covet.dependencies.param_models import get_flat_params, get_validation_alias
from covet.dependencies.param_models import param_aliases as _get_param_aliases
from covet.dependencies.param_models import param_model as _get_param_model
from covet.dependencies.parameter import ParamDetails, analyze_param, get_path_param_names
from covet.dependencies.resolve import SolvedDependency, solve_dependencies
from covet.dependencies.signature import (
    add_non_field_param_to_dependency,
    add_param_to_fields,
    get_dependant,
    get_parameterless_sub_dependant,
    get_stream_item_type,
    get_typed_annotation,
    get_typed_return_annotation,
    get_typed_signature,
)

__all__ = [
    "ParamDetails",
    "SolvedDependency",
    "_get_body_field",
    "_get_flat_body_params",
    "_get_param_aliases",
    "_get_param_model",
    "_read_file_bytes",
    "_should_embed_body_fields",
    "add_non_field_param_to_dependency",
    "add_param_to_fields",
    "analyze_param",
    "get_dependant",
    "get_flat_params",
    "get_parameterless_sub_dependant",
    "get_path_param_names",
    "get_stream_item_type",
    "get_typed_annotation",
    "get_typed_return_annotation",
    "get_typed_signature",
    "get_validation_alias",
    "request_body_to_args",
    "request_params_to_args",
    "solve_dependencies",
]
