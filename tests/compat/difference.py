"""What differs between two descriptions of a public name (see reference.py), in words; ours may have more.

`differences` gives `(key, words)`: the key is what `exceptions.toml` lists. `extras` gives what only we have.
"""

from collections.abc import Iterator
from typing import Any

Description = dict[str, Any]
Parameters = list[list[str]] | None


def differences(key: str, theirs: Description, ours: Description) -> Iterator[tuple[str, str]]:
    """Compare one name, and the members of a class one by one."""
    if theirs["kind"] != ours["kind"]:
        yield key, f"is a {theirs['kind']} there and a {ours['kind']} here"
        return
    if theirs["kind"] == "value" and theirs["is"] != ours["is"]:
        yield key, f"is {theirs['is']} there and {ours['is']} here"
    words = compare_parameters(theirs.get("parameters"), ours.get("parameters"))
    if words:
        yield key, words
    for name, member in theirs.get("members", {}).items():
        mine = ours["members"].get(name)
        if mine is None:
            yield f"{key}.{name}", "is missing"
        else:
            yield from differences(f"{key}.{name}", member, mine)


def compare_parameters(theirs: Parameters, ours: Parameters) -> str:
    """Hold their parameters against ours; keyword-only ones in any order, and without those only we have."""
    if theirs is None or theirs == ours:
        return ""
    if ours is None:
        return "has no signature"
    more = {entry[0] for entry in additional(theirs, ours)}
    shared = [entry for entry in ours if entry[0] not in more]
    if in_order(shared) == in_order(theirs):
        return ""
    missing = [entry[0] for entry in theirs if entry[0] not in {name for name, _, _ in ours}]
    if missing:
        return f"lacks {', '.join(missing)}"
    changed = [
        f"{mine} for {entry}"
        for entry, mine in zip(in_order(theirs), in_order(shared), strict=False)
        if entry != mine
    ]
    return f"has {'; '.join(changed[:2] or [str(entry) for entry in shared[len(theirs) :]])}"


def in_order(parameters: list[list[str]]) -> list[list[str]]:
    """Positional parameters as they stand, keyword-only ones sorted: nobody can tell their order."""
    keywords = [entry for entry in parameters if entry[1] == "KEYWORD_ONLY"]
    return [entry for entry in parameters if entry[1] != "KEYWORD_ONLY"] + sorted(keywords)


def additional(theirs: list[list[str]], ours: list[list[str]]) -> list[list[str]]:
    """Parameters that only ours has, where a call written for theirs still means the same."""
    named = {entry[0] for entry in theirs}
    last = max((index for index, entry in enumerate(ours) if entry[0] in named), default=-1)
    return [
        entry
        for index, entry in enumerate(ours)
        if entry[0] not in named and entry[2] and (entry[1] == "KEYWORD_ONLY" or index > last)
    ]


def extras(theirs: Description, ours: Description) -> set[str]:
    """Names of parameters that only ours takes."""
    found: set[str] = set()
    if theirs.get("parameters") is not None and ours.get("parameters") is not None:
        found = {entry[0] for entry in additional(theirs["parameters"], ours["parameters"])}
    for name, member in theirs.get("members", {}).items():
        if name in ours.get("members", {}):
            found |= extras(member, ours["members"][name])
    return found
