"""Examples that are made from schemas, for `CovetPy(generate_examples=True)`.

The same document always gives the same examples. Each is valid; where none can be made, there is none. What
an author gave (`example`, `examples`, `default`) is taken as it is.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from covet.openapi.downgrade import METHODS
from covet.openapi.pattern_text import is_found, text_for
from covet.openapi.reading import DocumentError, flattened, resolve

__all__ = ["NoExample", "example_for", "with_examples"]

Part = dict[str, Any]
_DEPTH = 5  # optional properties further down are left out
_MANY = 20  # items or properties past this are not made up
_FORMATS = {
    "date": "2026-01-05",
    "date-time": "2026-01-05T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uuid": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "name-email": "Ada <ada@example.com>",
    "uri": "https://example.com/",
    "uri-reference": "/path",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "ipvanyaddress": "192.0.2.1",
    "ipv4network": "192.0.2.0/24",
    "ipv6network": "2001:db8::/32",
    "ipvanynetwork": "192.0.2.0/24",
    "ipv4interface": "192.0.2.1/24",
    "ipv6interface": "2001:db8::1/32",
    "ipvanyinterface": "192.0.2.1/24",
    "json-string": "{}",
    "byte": "c3RyaW5n",
    "regex": "^a+$",
    "color": "#0f766e",
}
_TEXTS = ("string", "1", "1.0", "a", "A", "+15555550100", "")


class NoExample(Exception):
    """No value could be made for a schema."""


def example_for(schema: Any, document: Part) -> Any:
    """Return a value that a schema of a document allows.

    Raises:
        NoExample: none could be made.
    """
    try:
        return _Maker(document).value(schema)
    except (DocumentError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        # Authors may write anything into a schema, and keywords of another type than theirs are no reason to
        # have no document.
        raise NoExample(f"{type(error).__name__}: {error}") from None


def with_examples(document: Part) -> Part:
    """Return a document with an example for each JSON body and each required parameter that has none."""
    made = dict(document)
    for key in ("paths", "webhooks"):
        if key in document:
            made[key] = {path: _path_item(item, document) for path, item in document[key].items()}
    return made


def _path_item(item: Part, document: Part) -> Part:
    return {key: _operation(part, document) if key in METHODS else part for key, part in item.items()}


def _operation(operation: Part, document: Part) -> Part:
    made = dict(operation)
    if "parameters" in operation:
        made["parameters"] = [_parameter(each, document) for each in operation["parameters"]]
    if "requestBody" in operation:
        made["requestBody"] = _with_content(operation["requestBody"], document)
    if "responses" in operation:
        responses = operation["responses"].items()
        made["responses"] = {code: _with_content(part, document) for code, part in responses}
    if "callbacks" in operation:
        made["callbacks"] = {
            name: {path: _path_item(item, document) for path, item in callback.items()}
            for name, callback in operation["callbacks"].items()
        }
    return made


def _parameter(parameter: Part, document: Part) -> Part:
    return _with_example(parameter, document) if parameter.get("required") else parameter


def _with_content(part: Part, document: Part) -> Part:
    if "content" not in part:
        return part
    content = {
        media: _with_example(each, document) if _is_structured(media) else each
        for media, each in part["content"].items()
    }
    return {**part, "content": content}


def _is_structured(media: str) -> bool:
    kind = media.partition(";")[0].strip().lower()
    return kind in ("application/json", "application/x-www-form-urlencoded") or kind.endswith("+json")


def _with_example(part: Part, document: Part) -> Part:
    """Return a parameter, or the content of a media type, with an example if its schema says something."""
    if "example" in part or "examples" in part or not part.get("schema"):
        return part
    try:
        return {**part, "example": example_for(part["schema"], document)}
    except NoExample:
        return part


class _Maker:
    """Makes one value; it knows which shared schemas it is inside of, for those that lead to themselves."""

    def __init__(self, document: Part) -> None:
        self._document = document
        self._inside: list[str] = []

    def value(self, schema: Any) -> Any:
        """Return a value for a schema."""
        found, pointer = resolve(self._document, schema)
        if pointer:
            if pointer in self._inside:
                raise NoExample(f"{pointer} leads to itself")
            self._inside.append(pointer)
        try:
            return self._of(flattened(self._document, found))
        finally:
            if pointer:
                self._inside.pop()

    def _of(self, schema: Part) -> Any:
        for key in ("example", "const", "default"):
            if key in schema:
                return schema[key]
        for key in ("examples", "enum"):
            if isinstance(schema.get(key), list):
                if not schema[key]:
                    raise NoExample(f"{key} is empty")
                return schema[key][0]
        if "not" in schema or "if" in schema:
            raise NoExample("not and if are not looked into")
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self._first_of(schema, key)
        return self._typed(schema)

    def _first_of(self, schema: Part, key: str) -> Any:
        """Return a value of the first alternative that has one; null comes last."""
        rest = {name: value for name, value in schema.items() if name not in (key, "title", "description")}
        for branch in sorted(schema[key], key=_is_null):
            try:
                return self.value({"allOf": [branch, rest]} if set(rest) - {"discriminator"} else branch)
            except NoExample:
                continue
        raise NoExample("no alternative has a value")

    def _typed(self, schema: Part) -> Any:
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        words = [kinds] if isinstance(kinds, str) else [*kinds]
        kind = next((word for word in words if word != "null"), "null")
        makers: dict[str, Callable[[Part], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": _Text(self).value,
            "integer": partial(_number, whole=True),
            "number": partial(_number, whole=False),
            "boolean": lambda schema: True,
            "null": lambda schema: None,
        }
        if kind not in makers:
            raise NoExample(f"{kind} is no type")
        return makers[kind](schema)

    def _object(self, schema: Part) -> Part:
        made: Part = {}
        required = set(schema.get("required", ()))
        for name, part in schema.get("properties", {}).items():
            try:
                if name in required or len(self._inside) < _DEPTH:
                    made[name] = self.value(part)
            except NoExample:
                if name in required:
                    raise
        for name in required - made.keys():
            made[name] = self.value(schema.get("additionalProperties", True))
        wanted = max(schema.get("minProperties", 0), 0 if schema.get("properties") else 1)
        additional = schema.get("additionalProperties", False)
        if additional is not False and len(made) < wanted:
            self._fill(made, schema, min(wanted, schema.get("maxProperties", wanted)))
        if len(made) < schema.get("minProperties", 0) or len(made) > schema.get("maxProperties", len(made)):
            raise NoExample("there are too few or too many properties")
        return made

    def _fill(self, made: Part, schema: Part, count: int) -> None:
        """Add properties of free names until there are `count`."""
        try:
            if "propertyNames" in schema:
                names = list(self._different({"type": "string", **schema["propertyNames"]}, count))
            else:
                names = ["key", *(f"key{index}" for index in range(2, min(count, _MANY) + 1))]
            for name in names[: count - len(made)]:
                made[name] = self.value(schema["additionalProperties"])
        except NoExample:
            if schema.get("minProperties"):
                raise

    def _array(self, schema: Part) -> list[Any]:
        made = [self.value(part) for part in schema.get("prefixItems", ())]
        made = made[: schema.get("maxItems", len(made))]
        fewest = schema.get("minItems", 0)
        wanted = max(fewest, len(made), 0 if schema.get("prefixItems") else 1)
        wanted = min(wanted, schema.get("maxItems", wanted))
        items = schema.get("items", True)
        if len(made) < wanted and items is not False:
            try:
                if schema.get("uniqueItems"):
                    made += self._different(items, wanted - len(made))
                else:
                    item = self.value(items)
                    made += [item] * min(wanted - len(made), _MANY)
            except NoExample:
                if fewest > len(made):
                    raise
        if len(made) < fewest:
            raise NoExample("there are too few items")
        return made

    def _different(self, schema: Any, count: int) -> Iterator[Any]:
        """Yield values of a schema that differ."""
        if count > _MANY:
            raise NoExample(f"more than {_MANY} different values are asked for")
        found = flattened(self._document, resolve(self._document, schema)[0])
        choices = found.get("enum")
        if isinstance(choices, list):
            if len(choices) < count:
                raise NoExample("there are too few choices")
            yield from choices[:count]
            return
        first = self.value(schema)
        yield first
        for index in range(1, count):
            yield self._varied(first, found, index)

    def _varied(self, first: Any, schema: Part, index: int) -> Any:
        if type(first) is int:
            return _number(
                {**schema, "exclusiveMinimum": first + index - 1},
                whole="number" not in schema.get("type", ()),
            )
        if type(first) is str and not {"format", "pattern"} & schema.keys():
            return _Text(self).value(schema, prefix=str(index))
        raise NoExample("no second value is known")


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


class _Text:
    """Makes strings."""

    def __init__(self, maker: _Maker) -> None:
        self._maker = maker

    def value(self, schema: Part, prefix: str = "") -> str:
        """Return a string that begins with `prefix`, as far as the schema allows."""
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        if shortest > 10_000:
            raise NoExample("the shortest text is too long")
        for text in self._candidates(schema, prefix, shortest, longest):
            fits = "pattern" not in schema or is_found(schema["pattern"], text)
            if fits and shortest <= len(text) <= longest:
                return text
        raise NoExample("no text fits")

    def _candidates(self, schema: Part, prefix: str, shortest: int, longest: float) -> Iterator[str]:
        form = schema.get("format")
        if form in _FORMATS:
            yield _FORMATS[form]
            return
        if "contentSchema" in schema:
            yield json.dumps(self._maker.value(schema["contentSchema"]))
            return
        if schema.get("contentEncoding") in ("base64", "base64url"):
            yield base64.b64encode(b"string").decode()
            return
        for text in (prefix + text for text in _TEXTS):
            yield text
            yield text[: int(min(longest, len(text)))].ljust(shortest, "g")
        made = text_for(schema["pattern"]) if "pattern" in schema else None
        if made is not None:
            yield made
            yield made.ljust(shortest, made[-1:] or "a")


def _number(schema: Part, *, whole: bool) -> Any:
    """Return a number within its limits, the one nearest to 1."""
    low, low_open = _limit(schema, "minimum", "exclusiveMinimum", max)
    high, high_open = _limit(schema, "maximum", "exclusiveMaximum", min)
    step = schema.get("multipleOf", 1 if whole else None)
    if step is None:
        found = min(max(1, low), high)
        if (found == low and low_open) or (found == high and high_open):
            ends = (low if math.isfinite(low) else high - 2, high if math.isfinite(high) else low + 2)
            found = (ends[0] + ends[1]) / 2
    else:
        upwards = math.isfinite(low) or high >= step
        found = step * (math.ceil(max(low, step) / step) if upwards else math.floor(high / step))
        if found == low and low_open:
            found += step
        if found == high and high_open:
            found -= step
    if whole:
        found = int(found)
    below = found < low or (found == low and low_open)
    above = found > high or (found == high and high_open)
    if below or above or (step is not None and found % step):
        raise NoExample("no number is within the limits")
    return found


def _limit(schema: Part, inclusive: str, exclusive: str, stricter: Any) -> tuple[float, bool]:
    """Return a limit and whether it is excluded itself."""
    none = -math.inf if stricter is max else math.inf
    closed, opened = schema.get(inclusive, none), schema.get(exclusive, none)
    if isinstance(opened, bool):
        opened = closed if opened else none
    limit = stricter(closed, opened)
    return limit, limit == opened and opened != none
