"""Where an object contains itself: for the error of an encoder that ran out of depth.

Looks at what encoders look at (items, members of models, attributes) and calls none of the user's code but
what reading an attribute dictionary calls. The search is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["cycle_in"]

_LOOKED_AT = 100_000
_SHOWN = 12
_PLAIN = (str, bytes, int, float, bool, type(None))


def cycle_in(value: Any) -> str | None:
    """Return how an object leads back to itself, such as `value.children[0].parent`; None if it does not."""
    # The objects on the way down, each with its children that are still to be looked at.
    way: list[tuple[str, Any, Iterator[tuple[str, Any]]]] = [("value", value, _children(value))]
    above, done = {id(value)}, set[int]()
    for _ in range(_LOOKED_AT):
        step, current, children = way[-1]
        found = next(children, None)
        if found is None:
            way.pop()
            above.discard(id(current))
            done.add(id(current))
            if not way:
                return None
            continue
        step, child = found
        if id(child) in above:
            start = next(index for index, (_, each, _) in enumerate(way) if each is child)
            steps = [each for each, _, _ in way]
            return f"{_path([*steps, step])} is {_path(steps[: start + 1])}"
        if id(child) not in done:
            way.append((step, child, _children(child)))
            above.add(id(child))
    return None


def _path(steps: list[str]) -> str:
    if len(steps) > _SHOWN:
        steps = [*steps[: _SHOWN // 2], " … ", *steps[-_SHOWN // 2 :]]
    return "".join(steps)


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, _PLAIN):
        return
    if isinstance(value, Mapping):
        for key in list(value):
            if not isinstance(key, _PLAIN) or not isinstance(value[key], _PLAIN):
                yield f"[{key!r:.40}]", value[key]
    elif isinstance(value, (list, tuple, set, frozenset)):
        for index, item in enumerate(value):
            if not isinstance(item, _PLAIN):
                yield f"[{index}]", item
    elif not isinstance(value, type):
        for name, member in getattr(value, "__dict__", {}).items():
            if not name.startswith("_") and not isinstance(member, _PLAIN):
                yield f".{name}", member
