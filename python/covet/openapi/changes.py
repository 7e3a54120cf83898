"""What has changed between two OpenAPI documents, and which of it breaks clients that go by the old one.

Behind `covet openapi --diff`. The documents may come from anywhere: parts of the wrong kind count as absent,
and `DocumentError` says what cannot be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from covet.openapi.reading import DocumentError, read_document, resolve
from covet.openapi.schema_changes import Direction, SchemaComparison

__all__ = ["Change", "DocumentError", "find_changes", "read_document"]

Part = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
OPPOSITE: dict[Direction, Direction] = {"request": "response", "response": "request"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `kind` for programs, `place` and `message` for people."""

    kind: str
    place: str
    message: str
    breaking: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def find_changes(old: Part, new: Part) -> list[Change]:
    """Return what has changed from one document to another, the breaking changes first.

        from covet.openapi.changes import find_changes

        old = {"openapi": "3.1.0", "paths": {"/books": {"get": {}}}}
        assert [change.kind for change in find_changes(old, {**old, "paths": {}})] == ["path-removed"]

    Breaking is what a client that goes by the old document may stumble over: something that it uses is gone,
    it must send more than before, or it may receive what it never did. Descriptions do not count.

    Raises:
        DocumentError: a reference is broken, or there is more to compare than the limits allow.
    """
    comparison = _Comparison(old, new)
    comparison.run()
    return sorted(comparison.found.values(), key=lambda change: not change.breaking)


class _Comparison:
    """One run over both documents; a difference that is met again is kept once."""

    def __init__(self, old: Part, new: Part) -> None:
        self.old, self.new = old, new
        self.found: dict[tuple[str, str, str], Change] = {}
        self._schemas = SchemaComparison(old, new, self._report)
        self._callback_pairs: set[tuple[int, int]] = set()

    def _report(self, kind: str, place: str, message: str, breaking: bool) -> None:
        known = self.found.get((kind, place, message))
        breaking = breaking or (known is not None and known.breaking)
        self.found[kind, place, message] = Change(kind, place, message, breaking)

    def run(self) -> None:
        """Compare everything."""
        for name in ("version", "title"):
            before, after = (_dict(each.get("info")).get(name) for each in (self.old, self.new))
            if before != after:
                self._report(f"{name}-changed", "info", f"{name} has changed to {_short(after)}", False)
        if self.old.get("servers") != self.new.get("servers"):
            self._report("servers-changed", "servers", "the servers have changed", False)
        self._paths(_dict(self.old.get("paths")), _dict(self.new.get("paths")), "path", "request")
        self._paths(_webhooks(self.old), _webhooks(self.new), "webhook", "response")
        self._schemes()

    def _paths(self, before: Part, after: Part, what: str, direction: Direction) -> None:
        """Compare path items. `direction` is that of their request bodies: webhooks are called by us."""
        matches = {path: path for path in before if path in after}
        left = {_template(path): path for path in after if path not in matches}
        for path in before:
            if path not in matches and _template(path) in left:
                matches[path] = left.pop(_template(path))
        for path, item in before.items():
            if path not in matches:
                self._report(f"{what}-removed", path, f"the {what} was removed", True)
            else:
                self._path_items((path, item), (matches[path], after[matches[path]]), direction)
        matched = set(matches.values())
        for path in after:
            if path not in matched:
                self._report(f"{what}-added", path, f"the {what} was added", False)

    def _path_items(self, before: tuple[str, Any], after: tuple[str, Any], direction: Direction) -> None:
        old, new = self._both(before[1], after[1])
        for method in METHODS:
            place = f"{method.upper()} {after[0]}"
            one, other = (_dict(item.get(method)) for item in (old, new))
            if method in old and method not in new:
                self._report("operation-removed", place, "the operation was removed", True)
            elif method in new and method not in old:
                self._report("operation-added", place, "the operation was added", False)
            elif method in old:
                self._compare_parameters(
                    dict(self._parameters(self.old, before[0], old, one)),
                    dict(self._parameters(self.new, after[0], new, other)),
                    place,
                    direction,
                )
                self._operation(one, other, place, direction)

    def _operation(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        self._bodies(old, new, place, direction)
        self._responses(_dict(old.get("responses")), _dict(new.get("responses")), place, OPPOSITE[direction])
        self._security(old, new, place)
        if old.get("operationId") != new.get("operationId"):
            name = _short(new.get("operationId"))
            self._report("operationId-changed", place, f"operationId has changed to {name}", False)
        if bool(old.get("deprecated")) != bool(new.get("deprecated")):
            word = "is" if new.get("deprecated") else "is no longer"
            self._report("deprecated-changed", place, f"the operation {word} deprecated", False)
        self._callbacks(_dict(old.get("callbacks")), _dict(new.get("callbacks")), place, direction)

    def _callbacks(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        for name, callback in old.items():
            if name not in new:
                self._report("callback-removed", place, f"callback {name!r} was removed", True)
                continue
            before, after = self._both(callback, new[name])
            pair = (id(before), id(after))
            if pair not in self._callback_pairs:  # a callback may lead to itself
                self._callback_pairs.add(pair)
                self._paths(before, after, "callback", OPPOSITE[direction])
        for name in sorted(new.keys() - old.keys()):
            self._report("callback-added", place, f"callback {name!r} was added", False)

    def _parameters(
        self, document: Part, path: str, item: Part, operation: Part
    ) -> Iterator[tuple[Any, Part]]:
        """Yield an operation's parameters, those of the path by their position in it."""
        names = re.findall(r"\{([^{}]*)\}", path)
        for each in [*_list(item.get("parameters")), *_list(operation.get("parameters"))]:
            parameter = _dict(resolve(document, each)[0])
            kind, name = str(parameter.get("in")), str(parameter.get("name"))
            if kind == "path" and name in names:
                yield (kind, names.index(name)), parameter
            else:
                yield (kind, name.lower() if kind == "header" else name), parameter

    def _compare_parameters(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        for key, parameter in old.items():
            label = f"{parameter.get('in')} parameter {_short(parameter.get('name'))}"
            if key not in new:
                self._report("parameter-removed", place, f"{label} was removed", True)
                continue
            other, at = new[key], f"{place} {label}"
            self._required(parameter, other, "parameter", at, direction)
            for word in ("style", "explode", "allowReserved"):
                if parameter.get(word) != other.get(word):
                    self._report("parameter-serialised-otherwise", at, f"{word} has changed", True)
            self._schema_of(parameter, other, at, direction)
            self._contents(parameter, other, at, direction)
        for key, parameter in new.items():
            if key not in old:
                label = f"{parameter.get('in')} parameter {_short(parameter.get('name'))}"
                required = bool(parameter.get("required"))
                words = f"{'required ' * required}{label} was added"
                self._report("parameter-added", place, words, required and direction == "request")

    def _required(self, old: Part, new: Part, what: str, place: str, direction: Direction) -> None:
        before, after = bool(old.get("required")), bool(new.get("required"))
        if before != after:
            word = "required" if after else "optional"
            breaking = after if direction == "request" else before
            self._report(f"{what}-{word}", place, f"the {what} is {word} now", breaking)

    def _bodies(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        before, after = self._both(old.get("requestBody"), new.get("requestBody"))
        at = f"{place} request body"
        if before and not after:
            self._report("body-removed", at, "the request body was removed", True)
        elif after and not before:
            required = bool(after.get("required"))
            message = f"{'a required' if required else 'an optional'} request body was added"
            self._report("body-added", at, message, required and direction == "request")
        elif before:
            self._required(before, after, "body", at, direction)
            self._contents(before, after, at, direction)

    def _responses(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        old, new = ({str(code).upper(): part for code, part in each.items()} for each in (old, new))
        for code, response in old.items():
            at = f"{place} {code}"
            if code not in new:
                self._report("response-removed", at, "the response was removed", True)
                continue
            before, after = self._both(response, new[code])
            self._contents(before, after, at, direction)
            self._headers(_dict(before.get("headers")), _dict(after.get("headers")), at, direction)
        for code in sorted(new.keys() - old.keys()):
            self._report("response-added", f"{place} {code}", "the response was added", False)

    def _headers(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        known = {name.lower(): header for name, header in new.items()}
        for name, header in old.items():
            at = f"{place} header {name}"
            if name.lower() not in known:
                self._report("header-removed", at, "the header was removed", True)
            else:
                before, after = self._both(header, known[name.lower()])
                self._required(before, after, "header", at, direction)
                self._schema_of(before, after, at, direction)
        for name in sorted(known.keys() - {name.lower() for name in old}):
            self._report("header-added", f"{place} header {name}", "the header was added", False)

    def _contents(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        """Compare the schemas of each media type."""
        before, after = _dict(old.get("content")), _dict(new.get("content"))
        for media, part in before.items():
            if media not in after:
                self._report("media-type-removed", place, f"{media} was removed", True)
            else:
                self._schema_of(_dict(part), _dict(after[media]), f"{place} {media}", direction)
        for media in sorted(after.keys() - before.keys()):
            self._report("media-type-added", place, f"{media} was added", False)

    def _schema_of(self, old: Part, new: Part, place: str, direction: Direction) -> None:
        for key in ("schema", "itemSchema"):
            if key in old or key in new:
                self._schemas.compare(old.get(key, {}), new.get(key, {}), place, direction)

    def _security(self, old: Part, new: Part, place: str) -> None:
        """Report when what was enough to be let in is enough no longer."""
        before = _requirements(old, self.old)
        after = _requirements(new, self.new)
        if before == after:
            return
        shut_out = [each for each in before if not any(_is_enough(each, other) for other in after)]
        words = "the security requirements have changed"
        if shut_out:
            given = " and ".join(sorted(shut_out[0])) or "nothing"
            words = f"{given} is no longer enough to be let in"
        self._report("security-changed", place, words, bool(shut_out))

    def _schemes(self) -> None:
        """Compare the schemes that requirements name."""
        before, after = (
            _dict(_dict(each.get("components")).get("securitySchemes")) for each in (self.old, self.new)
        )
        for name, scheme in before.items():
            place = f"security scheme {name}"
            if name not in after:
                # Whoever needs it is told by the operations.
                self._report("security-scheme-removed", place, "the scheme was removed", False)
                continue
            one, other = self._both(scheme, after[name])
            for word in ("type", "in", "name", "scheme", "openIdConnectUrl"):
                if one.get(word) != other.get(word):
                    text = f"{word} has changed to {_short(other.get(word))}"
                    self._report("security-scheme-changed", place, text, True)
            self._flows(_dict(one.get("flows")), _dict(other.get("flows")), place)
        for name in sorted(after.keys() - before.keys()):
            self._report("security-scheme-added", f"security scheme {name}", "the scheme was added", False)

    def _flows(self, old: Part, new: Part, place: str) -> None:
        for name, flow in old.items():
            if name not in new:
                self._report("flow-removed", place, f"flow {name} was removed", True)
                continue
            one, other = _dict(flow), _dict(new[name])
            gone = _dict(one.get("scopes")).keys() - _dict(other.get("scopes")).keys()
            for scope in sorted(gone):
                self._report("scope-removed", place, f"scope {scope!r} was removed", True)
            for word in ("tokenUrl", "authorizationUrl", "refreshUrl"):
                if one.get(word) != other.get(word):
                    text = f"{word} of {name} has changed to {_short(other.get(word))}"
                    self._report("flow-changed", place, text, False)

    def _both(self, old: Any, new: Any) -> tuple[Part, Part]:
        return _dict(resolve(self.old, old)[0]), _dict(resolve(self.new, new)[0])


def _template(path: str) -> str:
    """Return a path without the names of its parameters, which clients never see."""
    return re.sub(r"\{[^{}]*\}", "{}", path)


def _webhooks(document: Part) -> Part:
    return _dict(document.get("webhooks") or document.get("x-webhooks"))


def _requirements(operation: Part, document: Part) -> list[dict[str, set[str]]]:
    """Return the alternatives of what is enough; one that asks for nothing where there is no requirement."""
    given = operation.get("security", document.get("security"))
    alternatives = [
        {name: {str(scope) for scope in _list(scopes)} for name, scopes in _dict(each).items()}
        for each in _list(given)
    ]
    return alternatives or [{}]


def _is_enough(given: dict[str, set[str]], wanted: dict[str, set[str]]) -> bool:
    return all(name in given and scopes <= given[name] for name, scopes in wanted.items())


def _dict(value: Any) -> Part:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(value: Any) -> str:
    return json.dumps(value)[:80]
