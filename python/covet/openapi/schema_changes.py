"""What differs between two schemas, and whether it breaks those who send or those who receive such values.

A sender is broken by what narrows a schema, a receiver by what widens it; so each finding is one of both, and
the direction decides. Called by `changes` for each pair of schemas of two documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from covet.openapi.reading import DocumentError, flattened, resolve

__all__ = ["Direction", "SchemaComparison"]

Schema = dict[str, Any]
Document = dict[str, Any]
Direction = Literal["request", "response"]
Report = Callable[[str, str, str, bool], None]
"""Takes kind, place and message of a change, and whether it breaks."""

MAX_COMPARISONS = 100_000
MAX_DEPTH = 100
LARGEST = 1e300

# Keyword, and whether a larger value allows more.
_LIMITS = {
    "minLength": False,
    "maxLength": True,
    "minItems": False,
    "maxItems": True,
    "minProperties": False,
    "maxProperties": True,
}
# Either there or not, and different values cannot be compared.
_OPAQUE = ("pattern", "format", "contentMediaType", "contentEncoding")
# What is said nowhere else: a difference may be anything.
_UNJUDGED = (
    *("not", "if", "then", "else", "contains", "propertyNames", "patternProperties", "dependentRequired"),
    *("dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "minContains", "maxContains"),
)
_ABSENT: Any = object()


@dataclass
class SchemaComparison:
    """The schemas of two documents; each pair of shared ones is compared once for each direction."""

    old: Document
    new: Document
    report: Report
    _seen: set[tuple[int, int, Direction]] = field(default_factory=set)
    _count: int = 0
    _depth: int = 0

    def compare(self, old: Any, new: Any, place: str, direction: Direction) -> None:
        """Report how the new schema differs from the old one.

        Raises:
            DocumentError: a reference is broken, or there is more to compare than the limits allow.
        """
        old, old_pointer = resolve(self.old, old)
        new, pointer = resolve(self.new, new)
        if pointer:
            # A shared schema is reported where it stands and not wherever it is used.
            place = pointer.removeprefix("#/components/schemas/")
        shared = bool(pointer and old_pointer)
        key = (id(old), id(new), direction)
        if shared and key in self._seen:
            return
        self._count += 1
        if self._count > MAX_COMPARISONS or self._depth > MAX_DEPTH:
            raise DocumentError(f"the schemas at {place} are too many or too deep to be compared")
        if shared:
            self._seen.add(key)
        self._depth += 1
        try:
            self._compare_unions(self._members(self.old, old), self._members(self.new, new), place, direction)
        finally:
            self._depth -= 1

    def _members(self, document: Document, schema: Any, depth: int = 0) -> list[Schema]:
        """Return the alternatives of a schema, each with one type; their own references stay."""
        if depth > MAX_DEPTH:
            raise DocumentError(f"alternatives are nested deeper than {MAX_DEPTH}")
        flat = flattened(document, schema)
        for key in ("anyOf", "oneOf"):
            branches = [branch for branch in _list(flat.get(key)) if isinstance(branch, (dict, bool))]
            if branches:
                rest = {name: value for name, value in flat.items() if name not in (key, *_ANNOTATIONS)}
                # Beside a union stands nothing as a rule; what does, goes for each alternative.
                found = [self._branch(document, branch, rest, depth) for branch in branches]
                return [member for members in found for member in members]
        return list(_by_type(flat))

    def _branch(self, document: Document, branch: Any, rest: Schema, depth: int) -> list[Schema]:
        if isinstance(branch, dict) and "$ref" in branch and not rest:
            return [branch]
        self._count += 1
        if self._count > MAX_COMPARISONS:
            raise DocumentError("there are too many alternatives to be compared")
        branch, _ = resolve(document, branch)
        return self._members(document, {**rest, **flattened(document, branch)}, depth + 1)

    def _compare_unions(self, old: list[Schema], new: list[Schema], place: str, direction: Direction) -> None:
        """Pair the alternatives by what they are; what is left over was removed or added."""
        if len(old) == len(new) == 1:
            self._compare_members(old[0], new[0], place, direction)
            return
        left = list(new)
        removed = []
        for member in old:
            match = next((each for each in left if each == member), None)
            match = match or next((each for each in left if _label(each) == _label(member)), None)
            if match is None:
                removed.append(member)
            else:
                left.remove(match)
                self._compare_members(member, match, place, direction)
        for member in removed:
            if not any(self._accepts(each, member, place) for each in new):
                self._say(
                    place, "alternative-removed", f"{_label(member)} is no longer allowed", True, direction
                )
        for member in left:
            if not any(self._accepts(each, member, place, of_old=True) for each in old):
                self._say(place, "alternative-added", f"{_label(member)} is allowed now", False, direction)

    def _accepts(self, wide: Schema, narrow: Schema, place: str, *, of_old: bool = False) -> bool:
        """Say whether one alternative allows all that another does."""
        if _label(wide) != _label(narrow) and (_label(narrow), _label(wide)) != ("integer", "number"):
            return False
        breaks: list[bool] = []
        documents = (self.new, self.old) if of_old else (self.old, self.new)
        trial = SchemaComparison(*documents, lambda kind, at, message, breaking: breaks.append(breaking))
        trial._depth, trial._count, trial._seen = self._depth + 1, self._count, set(self._seen)
        trial.compare(narrow, wide, place, "request")
        self._count = trial._count
        return not any(breaks)

    def _compare_members(self, old: Schema, new: Schema, place: str, direction: Direction) -> None:
        if "$ref" in old or "$ref" in new:
            self.compare(old, new, place, direction)
            return
        if old == new and not _mentions_references(old):
            return
        if _kind(old) != _kind(new):
            self._compare_kinds(_kind(old), _kind(new), place, direction)
            return
        self._compare_choices(old, new, place, direction)
        self._compare_limits(old, new, place, direction)
        self._compare_opaque(old, new, place, direction)
        self._compare_object(old, new, place, direction)
        self._compare_array(old, new, place, direction)
        if old.get("default", _ABSENT) != new.get("default", _ABSENT):
            self.report("default-changed", place, "the default has changed", False)

    def _say(self, place: str, kind: str, message: str, narrows: bool, direction: Direction) -> None:
        """Report what narrows or widens: one breaks senders, the other receivers."""
        self.report(kind, place, message, narrows if direction == "request" else not narrows)

    def _compare_kinds(self, old: str, new: str, place: str, direction: Direction) -> None:
        message = f"the type has changed from {old} to {new}"
        if (old, new) in (("integer", "number"), (old, "any value")):
            self._say(place, "type-widened", message, False, direction)
        elif (old, new) in (("number", "integer"), ("any value", new)):
            self._say(place, "type-narrowed", message, True, direction)
        else:
            self.report("type-changed", place, message, True)

    def _compare_choices(self, old: Schema, new: Schema, place: str, direction: Direction) -> None:
        before, after = _choices(old), _choices(new)
        if before is None or after is None:
            if before is not None:
                self._say(place, "enum-widened", "any value is allowed now", False, direction)
            if after is not None:
                self._say(place, "enum-narrowed", f"only {_listed(after)} are allowed now", True, direction)
            return
        gone, come = before - after, after - before
        if gone:
            self._say(place, "enum-narrowed", f"{_listed(gone)} are no longer allowed", True, direction)
        if come:
            self._say(place, "enum-widened", f"{_listed(come)} are allowed too", False, direction)

    def _compare_limits(self, old: Schema, new: Schema, place: str, direction: Direction) -> None:
        for keyword, larger_is_wider in _LIMITS.items():
            before, after = _number(old.get(keyword)), _number(new.get(keyword))
            if not larger_is_wider:
                before, after = before or None, after or None  # at least none is no limit
            self._compare_limit(keyword, before, after, larger_is_wider, place, direction)
        for keyword, larger_is_wider in (("minimum", False), ("maximum", True)):
            lower, upper = _bound(old, keyword), _bound(new, keyword)
            self._compare_limit(keyword, lower, upper, larger_is_wider, place, direction)
        before, after = _divisor(old.get("multipleOf")), _divisor(new.get("multipleOf"))
        if before != after:
            narrows = before is None or (after is not None and after % before == 0)
            widens = after is None or (before is not None and before % after == 0)
            self._say_either("multipleOf", (before, after), narrows, widens, place, direction)
        if bool(old.get("uniqueItems")) != bool(new.get("uniqueItems")):
            narrows = bool(new.get("uniqueItems"))
            self._say(
                place, "uniqueItems-changed", "whether items may repeat has changed", narrows, direction
            )

    def _compare_limit(
        self, keyword: str, before: Any, after: Any, larger_is_wider: bool, place: str, direction: Direction
    ) -> None:
        if before == after:
            return
        narrows = before is None or (after is not None and (after < before) == larger_is_wider)
        message = f"{keyword} has changed from {_shown(before)} to {_shown(after)}"
        self._say(place, f"{keyword}-changed", message, narrows, direction)

    def _say_either(
        self,
        keyword: str,
        values: tuple[Any, Any],
        narrows: bool,
        widens: bool,
        place: str,
        direction: Direction,
    ) -> None:
        """Report a change that may narrow, widen, or do both and thereby break everybody."""
        message = f"{keyword} has changed from {_shown(values[0])} to {_shown(values[1])}"
        if narrows != widens:
            self._say(place, f"{keyword}-changed", message, narrows, direction)
        else:
            self.report(f"{keyword}-changed", place, message, True)

    def _compare_opaque(self, old: Schema, new: Schema, place: str, direction: Direction) -> None:
        for keyword in _OPAQUE:
            before, after = old.get(keyword), new.get(keyword)
            if before != after:
                self._say_either(keyword, (before, after), before is None, after is None, place, direction)
        for keyword in _UNJUDGED:
            if old.get(keyword) != new.get(keyword):
                message = f"{keyword} has changed, which cannot be judged"
                self.report(f"{keyword}-changed", place, message, True)

    def _compare_object(self, old: Schema, new: Schema, place: str, direction: Direction) -> None:
        before, after = _dict(old.get("properties")), _dict(new.get("properties"))
        required, now_required = _names(old.get("required")), _names(new.get("required"))
        for name in before:
            if name not in after:
                self.report("property-removed", place, f"property {name!r} was removed", True)
            else:
                self.compare(before[name], after[name], f"{place}.{name}", direction)
        for name in after:
            if name not in before:
                self.report("property-added", place, f"property {name!r} was added", False)
        for name in sorted(now_required - required):
            self._say(place, "property-required", f"property {name!r} is required now", True, direction)
        for name in sorted(required - now_required):
            if name in after or name not in before:
                self._say(place, "property-optional", f"property {name!r} is optional now", False, direction)
        self._compare_additional(old, new, place, direction)

    def _compare_additional(self, old: Schema, new: Schema, place: str, direction: Direction) -> None:
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(before, dict) and isinstance(after, dict):
            self.compare(before, after, f"{place}.*", direction)
        elif before != after:
            narrows = after is False or before is True
            # A receiver meets new properties whenever one is added, which breaks nobody.
            breaking = narrows and direction == "request"
            message = "which additional properties are allowed has changed"
            self.report("additionalProperties-changed", place, message, breaking)

    def _compare_array(self, old: Schema, new: Schema, place: str, direction: Direction) -> None:
        before, after = _list(old.get("prefixItems")), _list(new.get("prefixItems"))
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            self.compare(one, other, f"{place}[{index}]", direction)
        if len(before) != len(after):
            self.report("prefixItems-changed", place, "the number of described items has changed", True)
        if "items" in old or "items" in new:
            self.compare(old.get("items", {}), new.get("items", {}), f"{place}[]", direction)


_ANNOTATIONS = ("title", "description", "examples", "example", "discriminator", "deprecated")


def _by_type(flat: Schema) -> Iterator[Schema]:
    """Yield a schema once for each of its types; `nullable` is one of them."""
    types = flat.get("type")
    words = [types] if isinstance(types, str) else [each for each in _list(types) if isinstance(each, str)]
    if flat.get("nullable") is True and words and "null" not in words:
        words.append("null")
    rest = {name: value for name, value in flat.items() if name not in ("type", "nullable", *_ANNOTATIONS)}
    for word in words:
        if word == "null":
            yield {"type": "null"}
        else:
            choices = rest.get("enum")
            kept = [each for each in choices if each is not None] if isinstance(choices, list) else None
            yield {**rest, "type": word} | ({} if kept is None or len(words) == 1 else {"enum": kept})
    if not words:
        yield rest


def _mentions_references(schema: Any) -> bool:
    if isinstance(schema, dict):
        return "$ref" in schema or any(_mentions_references(value) for value in schema.values())
    return isinstance(schema, list) and any(_mentions_references(item) for item in schema)


def _kind(schema: Schema) -> str:
    """Return the type of an alternative, inferred from its words where it has none."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "any value"


def _label(member: Schema) -> str:
    """Return what an alternative is, by which those of two documents are paired."""
    if "$ref" in member:
        return str(member["$ref"]).removeprefix("#/components/schemas/")
    form = member.get("format")
    return f"{_kind(member)} ({form})" if isinstance(form, str) else _kind(member)


def _choices(schema: Schema) -> set[str] | None:
    """Return the values that are allowed, as JSON, or None for any."""
    if "const" in schema:
        return {json.dumps(schema["const"], sort_keys=True)}
    values = schema.get("enum")
    return {json.dumps(value, sort_keys=True) for value in values} if isinstance(values, list) else None


def _bound(schema: Schema, keyword: str) -> tuple[float, int] | None:
    """Return a limit of a number so that stricter ones are further in, in both ways of writing them."""
    inward = 1 if keyword == "minimum" else -1
    exclusive = schema.get("exclusive" + keyword.capitalize())
    limit = _number(schema.get(keyword))
    if exclusive is True:
        return None if limit is None else (limit, inward)
    found = [(limit, 0)] if limit is not None else []
    if (other := _number(exclusive)) is not None:
        found.append((other, inward))
    strictest = max if keyword == "minimum" else min
    return strictest(found) if found else None


def _number(value: Any) -> Any:
    """Return a number that can be calculated with, else None."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
    return value if usable else None


def _divisor(value: Any) -> Any:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(value: Any) -> set[str]:
    return {name for name in _list(value) if isinstance(name, str)}


def _listed(values: set[str]) -> str:
    shown = sorted(values)[:5]
    return ", ".join(shown) + (" …" if len(values) > len(shown) else "")


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{value[0]}{', excluded' if value[1] else ''}"
    return "none" if value is None else str(value)[:80]
