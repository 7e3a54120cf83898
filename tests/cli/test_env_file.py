"""The lines of an env file."""

import os

import pytest

from covet.cli.env_file import load_env_file, parse
from covet.server import SettingsError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("A = spaced ", "spaced"),
        ('A="two words"', "two words"),
        ("A='single $HOME'", "single $HOME"),
        (r'A="line\nbreak \"x\""', 'line\nbreak "x"'),
        ("A=value # comment", "value"),
        ("A=with#hash", "with#hash"),
        ("A='#not a comment'", "#not a comment"),
        ("A=", ""),
        ("A=a=b", "a=b"),
    ],
)
def test_an_assignment(line, value):
    assert list(parse(line)) == [(1, "A", value)]


@pytest.mark.parametrize("line", ["", "   ", "# comment"])
def test_nothing(line):
    assert list(parse(line)) == []


def test_what_is_set_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("COVET_TEST_SET", "before")
    monkeypatch.setenv("COVET_TEST_NEW", "x")
    monkeypatch.delenv("COVET_TEST_NEW")
    (tmp_path / ".env").write_text("COVET_TEST_SET=after\nCOVET_TEST_NEW=new\n")
    load_env_file(str(tmp_path / ".env"))
    assert (os.environ["COVET_TEST_SET"], os.environ["COVET_TEST_NEW"]) == ("before", "new")


def test_a_line_that_is_no_assignment_is_named(tmp_path):
    (tmp_path / ".env").write_text("A=1\nnot an assignment\n")
    with pytest.raises(SettingsError, match=r"\.env:2"):
        load_env_file(str(tmp_path / ".env"))
