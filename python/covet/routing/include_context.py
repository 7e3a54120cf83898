"""What including a router adds to its routes: prefix, tags, dependencies, defaults, bounds.

Made by `include_router`, combined along the tree, and used to work out the place of each route.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from covet import params
from covet.datastructures.default import Default, DefaultPlaceholder, get_value_or_default
from covet.responses import JSONResponse, Response
from covet.routing.api_route import APIRoute
from covet.routing.body_limit import first_limit, validate_max_body_size
from covet.routing.form_limits import FormLimits, validate_form_limits
from covet.routing.operation_id import generate_unique_id
from covet.routing.route import BaseRoute

__all__ = ["IncludeContext"]


@dataclass
class IncludeContext:
    """What including a router adds to its routes."""

    included_router: Any
    prefix: str = ""
    tags: list[str | Enum] = field(default_factory=list)
    dependencies: list[params.Depends] = field(default_factory=list)
    default_response_class: type[Response] | DefaultPlaceholder = field(
        default_factory=lambda: Default(JSONResponse)
    )
    responses: dict[int | str, dict[str, Any]] = field(default_factory=dict)
    callbacks: list[BaseRoute] = field(default_factory=list)
    deprecated: bool | None = None
    include_in_schema: bool = True
    generate_unique_id_function: Callable[[Any], str] | DefaultPlaceholder = field(
        default_factory=lambda: Default(generate_unique_id)
    )
    strict_content_type: bool | DefaultPlaceholder = field(default_factory=lambda: Default(True))
    dependency_overrides_provider: Any | None = None
    max_body_size: int | None = None
    form_limits: FormLimits = field(default_factory=FormLimits)
    auto_head: bool = False
    auto_options: bool = False

    @classmethod
    def for_include(cls, *, parent_router: Any, included_router: Any, **options: Any) -> IncludeContext:
        """Return what one call of `include_router` adds, the parent's own settings included."""
        validate_max_body_size(options["max_body_size"])
        return cls(
            included_router=included_router,
            prefix=parent_router.prefix + options["prefix"],
            tags=[*parent_router.tags, *(options["tags"] or [])],
            dependencies=[*parent_router.dependencies, *(options["dependencies"] or [])],
            default_response_class=get_value_or_default(
                options["default_response_class"], parent_router.default_response_class
            ),
            responses={**parent_router.responses, **(options["responses"] or {})},
            callbacks=[*parent_router.callbacks, *(options["callbacks"] or [])],
            deprecated=options["deprecated"] or parent_router.deprecated,
            include_in_schema=parent_router.include_in_schema and options["include_in_schema"],
            generate_unique_id_function=get_value_or_default(
                options["generate_unique_id_function"], parent_router.generate_unique_id_function
            ),
            strict_content_type=parent_router.strict_content_type,
            dependency_overrides_provider=parent_router.dependency_overrides_provider,
            max_body_size=first_limit(
                included_router.max_body_size, options["max_body_size"], parent_router.max_body_size
            ),
            form_limits={**validate_form_limits(options["form_limits"]), **included_router.form_limits},
            auto_head=parent_router.auto_head,
            auto_options=parent_router.auto_options,
        )

    def combine(self, child: IncludeContext) -> IncludeContext:
        """Return what an inclusion below this one adds, seen from above this one."""
        return IncludeContext(
            included_router=child.included_router,
            prefix=self.prefix + child.prefix,
            tags=[*self.tags, *child.tags],
            dependencies=[*self.dependencies, *child.dependencies],
            default_response_class=get_value_or_default(
                child.default_response_class, self.default_response_class
            ),
            responses={**self.responses, **child.responses},
            callbacks=[*self.callbacks, *child.callbacks],
            deprecated=self.deprecated or child.deprecated,
            include_in_schema=self.include_in_schema and child.include_in_schema,
            generate_unique_id_function=get_value_or_default(
                child.generate_unique_id_function, self.generate_unique_id_function
            ),
            strict_content_type=get_value_or_default(child.strict_content_type, self.strict_content_type),
            dependency_overrides_provider=self.dependency_overrides_provider,
            max_body_size=first_limit(child.max_body_size, self.max_body_size),
            form_limits=child.form_limits,
            auto_head=self.auto_head or child.auto_head,
            auto_options=self.auto_options or child.auto_options,
        )

    def options_of(self, route: APIRoute) -> dict[str, Any]:
        """Return the options of a route with everything that its inclusion adds."""
        router = self.included_router
        options = {name: getattr(route, name) for name in _UNCHANGED}
        options.update(
            tags=[*self.tags, *route.tags],
            dependencies=[*self.dependencies, *route.dependencies],
            responses={**self.responses, **route.responses},
            deprecated=route.deprecated or self.deprecated,
            include_in_schema=route.include_in_schema and self.include_in_schema,
            response_class=get_value_or_default(
                route.response_class, router.default_response_class, self.default_response_class
            ),
            dependency_overrides_provider=self.dependency_overrides_provider,
            callbacks=[*self.callbacks, *(route.callbacks or [])],
            generate_unique_id_function=get_value_or_default(
                route.generate_unique_id_function,
                router.generate_unique_id_function,
                self.generate_unique_id_function,
            ),
            strict_content_type=get_value_or_default(
                route.strict_content_type, router.strict_content_type, self.strict_content_type
            ),
            max_body_size=first_limit(route.max_body_size, self.max_body_size),
            auto_head=route.auto_head or self.auto_head,
            auto_options=route.auto_options or self.auto_options,
        )
        return options


_UNCHANGED = (
    "response_model",
    "status_code",
    "summary",
    "description",
    "response_description",
    "methods",
    "operation_id",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "name",
    "openapi_extra",
    "stream_item_type",
    "inline",
    "cancel_on_disconnect",
)
