"""The lines of an env file."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covet.cli.env_file import EnvFile, parse
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
    EnvFile(str(tmp_path / ".env")).load()
    assert (os.environ["COVET_TEST_SET"], os.environ["COVET_TEST_NEW"]) == ("before", "new")


def test_a_line_that_is_no_assignment_is_named(tmp_path):
    (tmp_path / ".env").write_text("A=1\nnot an assignment\n")
    with pytest.raises(SettingsError, match=r"\.env:2"):
        EnvFile(str(tmp_path / ".env")).load()


def test_the_last_assignment_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("COVET_TEST_TWICE", "")
    monkeypatch.delenv("COVET_TEST_TWICE")
    (tmp_path / ".env").write_text("COVET_TEST_TWICE=1\nCOVET_TEST_TWICE=2\n")
    EnvFile(str(tmp_path / ".env")).load()
    assert os.environ["COVET_TEST_TWICE"] == "2"


def test_what_it_has_set_follows_the_file(tmp_path, monkeypatch):
    for name in ("COVET_TEST_SET", "COVET_TEST_NEW", "COVET_TEST_GONE"):
        monkeypatch.setenv(name, "before")
    monkeypatch.delenv("COVET_TEST_NEW")
    monkeypatch.delenv("COVET_TEST_GONE")
    path = tmp_path / ".env"
    path.write_text("COVET_TEST_SET=1\nCOVET_TEST_NEW=1\nCOVET_TEST_GONE=1\n")
    first = EnvFile(str(path)).load()
    path.write_text("COVET_TEST_SET=2\nCOVET_TEST_NEW=2\n")
    first.load()
    assert os.environ["COVET_TEST_SET"] == "before"
    assert os.environ["COVET_TEST_NEW"] == "2"
    assert "COVET_TEST_GONE" not in os.environ


@given(st.text())
def test_no_text_breaks_the_reading(text):
    for number, name, value in parse(text):
        assert number >= 1
        assert isinstance(value, str)
        assert name is None or name
