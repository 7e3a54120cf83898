"""Which bodies are JSON by their content type: what the standard library's parser of headers would say."""

import email.message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from covet.routing.request_body import _is_json

PIECES = st.sampled_from(
    ["application", "Application", "text", "json", "JSON", "+json", "geo+json", "/", ";", " ", "\t", "x", "="]
)


def is_json_to_the_standard_library(content_type: str) -> bool:
    message = email.message.Message()
    message["content-type"] = content_type
    if message.get_content_maintype() != "application":
        return False
    subtype = message.get_content_subtype()
    return subtype == "json" or subtype.endswith("+json")


@given(st.lists(PIECES, min_size=1, max_size=8).map("".join))
@example("application/json")
@example("application/geo+json; charset=utf-8")
@example("application/a/b+json")
@example(" application/json ;x")
def test_a_content_type_is_json_when_the_standard_library_says_so(content_type: str) -> None:
    assert _is_json(content_type) == is_json_to_the_standard_library(content_type)


@pytest.mark.parametrize("content_type", ["application/json", "APPLICATION/VND.API+JSON; charset=utf-8"])
def test_json_and_its_relatives_are_json(content_type: str) -> None:
    assert _is_json(content_type)
