"""Where errors say a handler is written."""

import functools

from covet.dependencies.models import Dependant
from covet.dependencies.source import endpoint_context


def handler(): ...


def test_file_line_function_and_path():
    context = endpoint_context(Dependant(call=handler, path="/x"), "GET", "/api/")
    assert context == {
        "file": __file__,
        "line": handler.__code__.co_firstlineno,
        "function": "handler",
        "path": "GET /api/x",
    }


def test_what_has_no_source_says_what_it_can():
    assert endpoint_context(Dependant(call=functools.partial(handler), path="/x"), "GET", "") == {
        "path": "GET /x"
    }
    assert endpoint_context(Dependant(call=None), "GET", "") == {}
