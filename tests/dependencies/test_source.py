"""Where errors say a handler is written."""

import functools

from covet.callables import location_of
from covet.dependencies.models import Dependant
from covet.dependencies.source import endpoint_context, source_of


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
    assert endpoint_context(Dependant(call=functools.partial(len), path="/x"), "GET", "") == {
        "path": "GET /x"
    }
    assert endpoint_context(Dependant(call=None), "GET", "") == {}


def test_partials_and_wrappers_are_looked_through():
    @functools.wraps(handler)
    def wrapper(): ...

    line = handler.__code__.co_firstlineno
    for call in (functools.partial(handler), wrapper, functools.partial(wrapper)):
        assert source_of(call) == {"file": __file__, "line": line, "function": "handler"}
        assert location_of(call) == f"{__file__}:{line}"
