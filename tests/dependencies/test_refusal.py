"""The explanation of a refused value: bounded, and never in the way of the error."""

from covet.dependencies.refusal import explain
from covet.exceptions import ResponseValidationError


def note(errors, **context):
    error = ResponseValidationError(errors, endpoint_ctx=context)
    explain(error)
    return error.__notes__[0]


def wrong(index, value="x"):
    return {
        "type": "int_type",
        "loc": ("response", index),
        "msg": "Input should be an integer",
        "input": value,
    }


def test_many_errors_are_counted_not_listed():
    lines = note([wrong(index) for index in range(12)]).splitlines()
    assert len(lines) == 13
    assert lines[11] == "  and 2 more"


def test_a_long_value_is_cut():
    line = note([wrong(0, "x" * 1000)]).splitlines()[1]
    assert len(line) < 200
    assert "…" in line


def test_a_broken_repr_does_not_hide_the_error():
    class Broken:
        def __repr__(self):
            raise ValueError

    assert "a value came (Broken)" in note([wrong(0, Broken())])


def test_a_function_without_source_is_still_explained():
    assert note([wrong(0)]).startswith("the function returned what")
