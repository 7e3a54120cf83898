"""One parameter of a signature: is it a dependency, a part of the request, or something the framework gives?

Called by `signature` for each parameter. The rules are FastAPI's: an explicit declaration wins, in
`Annotated` or as default; else names in the path are path parameters, uploads are files, scalars come from
the query and everything else from the body.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, replace
from inspect import Signature
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from typing_inspection.typing_objects import is_typealiastype

from covet import params
from covet.background import BackgroundTasks
from covet.dependencies.forms import add_form_union_validators, form_union_models
from covet.dependencies.param_models import model_type
from covet.requests import HTTPConnection, Request
from covet.responses import Response
from covet.security.scopes import SecurityScopes
from covet.validation.annotations import (
    field_annotation_is_scalar,
    field_annotation_is_scalar_sequence,
    is_uploadfile_or_nonable_uploadfile_annotation,
    is_uploadfile_sequence_annotation,
    lenient_issubclass,
)
from covet.validation.fields import ModelField, RequiredParam, Undefined, copy_field_info, create_model_field
from covet.websockets import WebSocket

__all__ = ["ParamDetails", "PathNames", "analyze_param", "get_path_param_names", "is_scalar_field"]

_GIVEN = (Request, WebSocket, HTTPConnection, Response, BackgroundTasks, SecurityScopes)


class PathNames(frozenset[str]):
    """The names of a path's parameters, and which of them may be missing (`{name?}`)."""

    optional: frozenset[str] = frozenset()

    @classmethod
    def of(cls, path: str) -> PathNames:
        """Read the names of a path whose converters are already gone."""
        found = re.findall("{(.*?)}", path)
        names = cls(name.removesuffix("?") for name in found)
        names.optional = frozenset(name[:-1] for name in found if name.endswith("?"))
        return names


def get_path_param_names(path: str) -> set[str]:
    """Return the names of a path's parameters."""
    return set(PathNames.of(path))


@dataclass
class ParamDetails:
    """What a parameter turned out to be: a dependency, a field, or neither (given by the framework)."""

    type_annotation: Any
    depends: params.Depends | None
    field: ModelField | None


def is_scalar_field(field: ModelField) -> bool:
    """Say whether one string can carry the field and nobody asked for it to be in the body."""
    scalar = field_annotation_is_scalar(field.field_info.annotation)
    return scalar and not isinstance(field.field_info, params.Body)


@dataclass
class _Parameter:
    """A parameter on its way to its details."""

    name: str
    annotation: Any  # as written, `Annotated` included
    type_annotation: Any  # without `Annotated`
    value: Any  # the default in the signature
    in_path: bool
    may_be_missing: bool

    def _of_annotated(self) -> FieldInfo | params.Depends | None:
        if get_origin(self.annotation) is not Annotated:
            return None
        ours = (params.Param, params.Body, params.Depends)
        declared = [arg for arg in get_args(self.annotation)[1:] if isinstance(arg, ours)]
        return cast("FieldInfo | params.Depends", declared[-1]) if declared else None

    def _with_default(self, declared: FieldInfo) -> FieldInfo:
        """Return a field declared in `Annotated` with the default from the signature."""
        field_info = copy_field_info(field_info=declared, annotation=self.annotation)
        assert field_info.default == Undefined or field_info.default == RequiredParam, (
            f"`{type(field_info).__name__}` default value cannot be set in `Annotated` for {self.name!r}."
            " Set the default value with `=` instead."
        )
        if self.value is Signature.empty:
            field_info.default = RequiredParam
            return field_info
        assert not self.in_path or self.may_be_missing, "Path parameters cannot have default values"
        field_info.default = self.value
        return field_info

    def declaration(self) -> tuple[FieldInfo | None, params.Depends | None]:
        """Return what the user declared, in `Annotated` or as default; they may do so once."""
        declared = self._of_annotated()
        field_info = self._with_default(declared) if isinstance(declared, FieldInfo) else None
        depends = declared if isinstance(declared, params.Depends) else None
        if isinstance(self.value, params.Depends):
            assert depends is None, (
                f"Cannot specify `Depends` in `Annotated` and default value together for {self.name!r}"
            )
            assert field_info is None, (
                "Cannot specify a FastAPI annotation in `Annotated` and `Depends` as a"
                f" default value together for {self.name!r}"
            )
            depends = self.value
        elif isinstance(self.value, FieldInfo):
            assert field_info is None, (
                "Cannot specify FastAPI annotations in `Annotated` and default value"
                f" together for {self.name!r}"
            )
            field_info = self.value
            field_info.annotation = self.type_annotation
        if depends is not None and depends.dependency is None:
            depends = replace(depends, dependency=self.type_annotation)
        return field_info, depends

    def inferred(self) -> FieldInfo:
        """Return the field of a parameter about which nothing was declared."""
        default = RequiredParam if self.value is Signature.empty else self.value
        annotation: Any = self.annotation
        field_info: FieldInfo
        if self.in_path:
            field_info = params.Path(annotation=annotation)
            if self.may_be_missing:
                field_info.default = default
        elif is_uploadfile_or_nonable_uploadfile_annotation(
            self.type_annotation
        ) or is_uploadfile_sequence_annotation(self.type_annotation):
            field_info = params.File(annotation=annotation, default=default)
        elif not field_annotation_is_scalar(self.type_annotation):
            field_info = params.Body(annotation=annotation, default=default)
        else:
            field_info = params.Query(annotation=annotation, default=default)
        if get_origin(annotation) is Annotated:
            settled = field_info.default
            field_info = copy_field_info(field_info=field_info, annotation=annotation)
            field_info.default = settled
            if self.in_path:
                field_info.default_factory = None
        return field_info


def analyze_param(
    *, param_name: str, annotation: Any, value: Any, path_param_names: set[str] | frozenset[str]
) -> ParamDetails:
    """Decide what one parameter is; raise AssertionError for contradictions."""
    if is_typealiastype(annotation):
        annotation = annotation.__value__
    if annotation is Signature.empty:
        annotation = Any
    optional: frozenset[str] = getattr(path_param_names, "optional", frozenset())
    parameter = _Parameter(
        name=param_name,
        annotation=annotation,
        type_annotation=get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation,
        value=value,
        in_path=param_name in path_param_names,
        may_be_missing=param_name in optional,
    )
    field_info, depends = parameter.declaration()
    if depends is None and lenient_issubclass(parameter.type_annotation, _GIVEN):
        assert field_info is None, f"Cannot specify FastAPI annotation for type {parameter.type_annotation!r}"
    elif field_info is None and depends is None:
        field_info = parameter.inferred()
    field = None if field_info is None else _make_field(parameter, field_info, path_param_names)
    return ParamDetails(type_annotation=parameter.type_annotation, depends=depends, field=field)


def _alias(parameter: _Parameter, field_info: FieldInfo) -> str:
    if not field_info.alias and getattr(field_info, "convert_underscores", None):
        return parameter.name.replace("_", "-")
    return field_info.alias or parameter.name


def _path_choice(field_info: FieldInfo, path_names: set[str] | frozenset[str]) -> FieldInfo:
    """Return a path field whose alias is the one of its choices that stands in the path."""
    alias = field_info.validation_alias
    if not isinstance(field_info, params.Path) or not isinstance(alias, AliasChoices):
        return field_info
    if not all(isinstance(choice, str) for choice in alias.choices):
        return field_info
    for choice in alias.choices:
        if choice in path_names:
            field_info = copy(field_info)
            field_info.validation_alias = cast(str, choice)
            break
    return field_info


def _make_field(
    parameter: _Parameter, field_info: FieldInfo, path_names: set[str] | frozenset[str]
) -> ModelField:
    name = parameter.name
    if parameter.in_path:
        wrong = f"Cannot use `{type(field_info).__name__}` for path param {name!r}"
        assert isinstance(field_info, params.Path), wrong
    elif isinstance(field_info, params.Param) and getattr(field_info, "in_", None) is None:
        field_info.in_ = params.ParamTypes.query
    if isinstance(field_info, params.Form) and form_union_models(field_info.annotation):
        field_info.annotation = add_form_union_validators(field_info.annotation)
    field_info = _path_choice(field_info, path_names)
    field_info.alias = alias = _alias(parameter, field_info)
    field = create_model_field(
        name=name, type_=parameter.annotation, default=field_info.default, alias=alias, field_info=field_info
    )
    if parameter.in_path:
        assert is_scalar_field(field), "Path params must be of one of the supported types"
    elif isinstance(field_info, params.Query):
        annotation = field.field_info.annotation
        supported = (
            is_scalar_field(field)
            or field_annotation_is_scalar_sequence(annotation)
            or model_type(annotation) is not None
        )
        assert supported, f"Query parameter {name!r} must be one of the supported types"
    return field
