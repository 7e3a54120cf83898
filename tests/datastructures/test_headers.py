"""Header fields: names without case, values in order, changes in the very list."""

from typing import Any

import pytest

from covet.datastructures import Headers, MutableHeaders

RAW = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]


def test_names_have_no_case() -> None:
    headers = Headers({"Accept": "x"})
    assert headers["ACCEPT"] == headers.get("accept") == "x"
    assert "aCCept" in headers
    assert headers.get("other") is None
    assert headers.get("other", "d") == "d"
    with pytest.raises(KeyError):
        headers["other"]


def test_the_first_of_several_answers() -> None:
    headers = Headers(raw=list(RAW))
    assert headers["a"] == "1"
    assert headers.getlist("A") == ["1", "3"]
    assert headers.keys() == list(headers) == ["a", "b", "a"]
    assert headers.values() == ["1", "2", "3"]
    assert headers.items() == [("a", "1"), ("b", "2"), ("a", "3")]
    assert len(headers) == 3
    assert repr(headers) == f"Headers(raw={RAW!r})"
    assert repr(Headers({"a": "1"})) == "Headers({'a': '1'})"


def test_read_only_fields_give_a_copy() -> None:
    headers = Headers(raw=list(RAW))
    headers.raw.clear()
    assert len(headers) == 3
    copy = headers.mutablecopy()
    copy["a"] = "9"
    assert headers["a"] == "1"


def test_equality_minds_no_order() -> None:
    assert Headers(raw=list(RAW)) == Headers(raw=RAW[::-1])
    assert Headers() != {}


def test_a_scope_gets_a_list() -> None:
    scope: dict[str, Any] = {"headers": tuple(RAW)}
    headers = MutableHeaders(scope=scope)
    headers.append("c", "4")
    assert scope["headers"][-1] == (b"c", b"4")


@pytest.mark.parametrize(
    "arguments",
    [{"headers": {}, "raw": []}, {"headers": {}, "scope": {}}, {"raw": [], "scope": {}}],
)
def test_fields_have_one_source(arguments: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        Headers(**arguments)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda h: h.__setitem__("A", "9"), [(b"a", b"9"), (b"b", b"2")]),
        (lambda h: h.__setitem__("c", "9"), [*RAW, (b"c", b"9")]),
        (lambda h: h.__delitem__("a"), [(b"b", b"2")]),
        (lambda h: h.__delitem__("none"), RAW),
        (lambda h: h.setdefault("a", "9"), RAW),
        (lambda h: h.setdefault("c", "9"), [*RAW, (b"c", b"9")]),
        (lambda h: h.update({"b": "9"}), [(b"a", b"1"), (b"b", b"9"), (b"a", b"3")]),
        (lambda h: h.add_vary_header("X"), [*RAW, (b"vary", b"X")]),
    ],
)
def test_fields_are_changed_in_place(change: Any, expected: list[tuple[bytes, bytes]]) -> None:
    raw = list(RAW)
    change(MutableHeaders(raw=raw))
    assert raw == expected


def test_vary_is_one_field() -> None:
    headers = MutableHeaders(raw=[(b"vary", b"A"), (b"vary", b"B")])
    headers.add_vary_header("C")
    assert headers.raw == [(b"vary", b"A, B, C")]


def test_fields_are_joined() -> None:
    headers = MutableHeaders({"a": "1"})
    joined = headers | {"b": "2"}
    headers |= {"c": "3"}
    assert joined == MutableHeaders({"a": "1", "b": "2"})
    assert headers == MutableHeaders({"a": "1", "c": "3"})
    with pytest.raises(TypeError, match="Expected a mapping but got list"):
        headers | []  # type: ignore[operator]
