"""Declarations of parameters: their options, their signatures, and what is refused."""

import inspect
import re

import pytest
from pydantic import AliasChoices

from covet import Body, Cookie, Depends, File, Form, Header, Path, Query, Security, params
from covet.exceptions import FastAPIDeprecationWarning

FUNCTIONS = [Path, Query, Header, Cookie, Body, Form, File]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_declaration_function_makes_the_class_of_its_name(function):
    assert type(function()) is getattr(params, function.__name__)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_an_unknown_option_is_a_type_error(function):
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        function(nonsense=1)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_signatures_spell_every_option_out(function):
    names = list(inspect.signature(function).parameters)
    assert names[0] == "default"
    assert names[-1] == "json_schema_extra"
    assert "kwargs" not in names
    assert "options" not in names
    of_class = list(inspect.signature(getattr(params, function.__name__).__init__).parameters)
    assert of_class == ["self", names[0], names[1], "annotation", *names[2:]]


def test_form_and_file_have_their_own_media_types():
    assert Body().media_type == "application/json"
    assert Form().media_type == "application/x-www-form-urlencoded"
    assert File().media_type == "multipart/form-data"
    assert Body(media_type="application/x-yaml").media_type == "application/x-yaml"


def test_bounds_become_metadata():
    assert [str(item) for item in Query(ge=1, le=5).metadata] == ["Ge(ge=1)", "Le(le=5)"]


def test_an_alias_serves_both_directions():
    declared = Query(alias="item-query")
    assert declared.validation_alias == declared.serialization_alias == "item-query"


def test_a_validation_alias_of_its_own_is_kept():
    choices = AliasChoices("a", "b")
    assert Query(alias="x", validation_alias=choices).validation_alias is choices


def test_a_compiled_pattern_is_accepted():
    assert Query(pattern=re.compile("^a+$")).metadata


def test_regex_is_deprecated():
    with pytest.warns(FastAPIDeprecationWarning, match="`regex` has been deprecated"):
        Query(regex="^a$")


def test_example_is_deprecated_and_kept():
    with pytest.warns(FastAPIDeprecationWarning, match="`example` has been deprecated"):
        assert Body(example="x").example == "x"


def test_a_deprecation_warning_names_the_line_of_the_user():
    with pytest.warns(FastAPIDeprecationWarning) as caught:
        Query(regex="^a$")
    assert caught[0].filename == __file__


def test_path_parameters_have_no_default():
    with pytest.raises(AssertionError, match="cannot have a default"):
        Path(5)


def test_representations_show_class_and_default():
    assert repr(params.Query(3)) == "Query(3)"
    assert repr(params.Form("x")) == "Form(x)"


def test_header_keeps_whether_underscores_are_hyphens():
    assert Header().convert_underscores is True
    assert Header(convert_underscores=False).convert_underscores is False


def test_depends_is_hashable_and_comparable():
    def dependency() -> None: ...

    assert Depends(dependency) == Depends(dependency)
    assert len({Depends(dependency), Depends(dependency), Depends(dependency, use_cache=False)}) == 2


def test_security_is_a_dependency_with_scopes():
    declared = Security(len, scopes=["items"])
    assert isinstance(declared, params.Depends)
    assert declared.scopes == ["items"]


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "2"])
def test_max_concurrency_is_a_positive_integer(wrong):
    with pytest.raises(ValueError, match="max_concurrency must be a positive integer"):
        Depends(len, max_concurrency=wrong)


def test_every_declaration_has_a_limit_of_its_own():
    first, second = Depends(len, max_concurrency=2), Depends(len, max_concurrency=2)
    assert first._concurrency.max_concurrency == 2
    assert first._concurrency is not second._concurrency
