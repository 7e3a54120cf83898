"""Tracebacks cut to what the user wrote."""

import json
import logging

import pytest

from covet.server.lifespan import LifespanError
from covet.server.tracebacks import format_user, report


@pytest.fixture
def failure(tmp_path):
    source = "import json\ndef outer():\n    return json.loads('{')\n"
    names = {}
    exec(compile(source, str(tmp_path / "shop.py"), "exec"), names)
    (tmp_path / "shop.py").write_text(source)
    with pytest.raises(json.JSONDecodeError) as error:
        names["outer"]()
    return error.value


def test_the_users_frames_and_the_raising_one_stay(failure):
    text = format_user(failure)
    assert 'shop.py", line 3, in outer' in text
    assert "json/decoder.py" in text
    assert "json/__init__.py" not in text


def test_causes_are_cut_too(failure):
    try:
        raise RuntimeError("cannot start") from failure
    except RuntimeError as error:
        text = format_user(error)
    assert "json/__init__.py" not in text
    assert "direct cause" in text


def test_a_start_up_error_without_exception_says_what_it_said(caplog):
    with caplog.at_level(logging.ERROR, logger="covet"):
        report("it did not start", LifespanError("no database\n"))
    assert caplog.messages == ["it did not start\nno database"]


def test_members_of_a_group_are_cut_too(failure):
    assert "json/__init__.py" not in format_user(ExceptionGroup("several", [failure]))
