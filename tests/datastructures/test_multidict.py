"""Multidicts: the last value answers, all are kept, in order."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covet.datastructures import ImmutableMultiDict, MultiDict, QueryParams

PAIRS = [("a", "1"), ("a", "2"), ("b", "3")]


def test_a_key_gives_its_last_value() -> None:
    values: ImmutableMultiDict[str, str] = ImmutableMultiDict(PAIRS)
    assert values["a"] == "2"
    assert values.get("z") is None
    assert "b" in values
    assert values.getlist("a") == ["1", "2"]
    assert list(values) == list(values.keys()) == ["a", "b"]
    assert list(values.values()) == ["2", "3"]
    assert list(values.items()) == [("a", "2"), ("b", "3")]
    assert values.multi_items() == PAIRS
    assert len(values) == 2
    assert repr(values) == f"ImmutableMultiDict({PAIRS!r})"


@pytest.mark.parametrize("source", [MultiDict(PAIRS), PAIRS, QueryParams("a=1&a=2&b=3")])
def test_a_multidict_is_made_of_many_things(source: Any) -> None:
    assert MultiDict(source).multi_items() == PAIRS


def test_a_multidict_takes_mappings_and_keywords() -> None:
    assert MultiDict({"a": 1}, b=2).multi_items() == [("a", 1), ("b", 2)]
    assert MultiDict().multi_items() == []


def test_only_one_source_is_taken() -> None:
    with pytest.raises(AssertionError):
        MultiDict([], [])
    with pytest.raises(AssertionError):
        QueryParams("", "")


def test_equality_minds_the_order_of_one_keys_values_only() -> None:
    assert MultiDict([("a", 1), ("b", 2)]) == MultiDict([("b", 2), ("a", 1)])
    assert MultiDict([("a", 1), ("a", 2)]) != MultiDict([("a", 2), ("a", 1)])
    assert MultiDict() != {}


def changed(change: Any) -> list[tuple[Any, Any]]:
    values = MultiDict(PAIRS)
    change(values)
    assert dict(values.multi_items()) == dict(values.items())
    return values.multi_items()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda v: v.__setitem__("a", "9"), [("b", "3"), ("a", "9")]),
        (lambda v: v.__delitem__("a"), [("b", "3")]),
        (lambda v: v.append("b", "4"), [*PAIRS, ("b", "4")]),
        (lambda v: v.setlist("a", []), [("b", "3")]),
        (lambda v: v.update({"b": "5"}), [("a", "1"), ("a", "2"), ("b", "5")]),
        (lambda v: v.update([("a", "7"), ("a", "8")]), [("b", "3"), ("a", "7"), ("a", "8")]),
        (lambda v: v.clear(), []),
        (lambda v: v.setdefault("c", "6"), [*PAIRS, ("c", "6")]),
        (lambda v: v.setdefault("a", "6"), PAIRS),
    ],
)
def test_a_multidict_is_changed(change: Any, expected: list[tuple[str, str]]) -> None:
    assert changed(change) == expected


def test_keys_are_taken_out() -> None:
    values = MultiDict(PAIRS)
    assert values.poplist("a") == ["1", "2"]
    assert values.pop("b") == "3"
    assert values.pop("b", "none") == "none"
    values["x"] = "y"
    assert values.popitem() == ("x", "y")
    with pytest.raises(KeyError):
        del values["x"]


def test_query_parameters_are_text() -> None:
    query = QueryParams({"a": 1}, b=2)
    assert query.multi_items() == [("a", "1"), ("b", "2")]
    assert str(query) == "a=1&b=2"
    assert repr(query) == "QueryParams('a=1&b=2')"
    assert QueryParams(b"a=%C3%A9")["a"] == "é"


@given(st.text(alphabet="ab=&+%20ü;#", max_size=20))
def test_a_query_is_read_as_the_standard_library_does(text: str) -> None:
    assert QueryParams(text).multi_items() == parse_qsl(text, keep_blank_values=True)
