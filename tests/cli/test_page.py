"""docs/command-line.md against the parsers: no flag, default or variable is missing, and none is invented."""

import argparse
import importlib
import re
from pathlib import Path

import pytest

from covet.cli.main import COMMANDS
from covet.cli.options import IGNORED, IGNORED_SWITCHES, OPTIONS, REFUSED
from covet.cli.parser import describe
from covet.server import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "command-line.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
APPLICATION, SERVING = "Naming the application", "Options of dev and run"
SHARED = {"dev": (APPLICATION, SERVING), "run": (APPLICATION, SERVING), "routes": (APPLICATION,)}
SHARED |= {"openapi": (APPLICATION,)}
FLAG = re.compile(r"`(--?[a-z][a-z0-9-]*)(?: [A-Z]+)?`")
INTERNAL = {"COVET_WORKER_ORDERS"}  # between a parent and its own workers


def rows(section):
    """The cells of a section's tables, headings left out."""
    lines = re.findall(r"^\| (.*) \|$", SECTIONS[section], re.M)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines if not line.startswith("flag")]


def documented(command):
    names = (f"covet {command}", *SHARED.get(command, ()))
    return {flag for name in names for row in rows(name) for flag in FLAG.findall(row[0])}


def known(command):
    """The flags that --help shows; of a switch the positive form."""
    parser = describe(importlib.import_module(COMMANDS[command][0]).run)
    shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    flags = {flag for action in shown for flag in action.option_strings} - {"-h", "--help"}
    return {flag for flag in flags if not (flag.startswith("--no-") and f"--{flag[5:]}" in flags)}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_section_with_its_flags_and_no_others(command):
    assert f"covet {command}" in SECTIONS
    assert documented(command) == known(command)


def test_every_command_is_in_the_overview():
    overview = PAGE.split("\n## ")[0]
    assert all(f"\ncovet {command} " in overview for command in COMMANDS)


def test_a_plain_default_is_what_the_settings_say():
    defaults = Settings._field_defaults
    stated = {FLAG.findall(row[0])[0]: row[1].strip("`") for row in rows(SERVING) if row[1].startswith("`")}
    names = {flag: flag[2:].replace("-", "_") for flag in stated}
    checked = {
        flag: value for flag, value in stated.items() if isinstance(defaults[names[flag]], int | float | str)
    }
    assert len(checked) >= 12
    for flag, value in checked.items():
        default = defaults[names[flag]]
        assert value == (f"{default:g}" if isinstance(default, float) else str(default)), flag


def test_flags_of_other_servers_are_named_as_what_they_are():
    accepted, refused = SECTIONS["Flags of other servers"].split("These are refused")
    assert set(FLAG.findall(accepted)) == {*IGNORED, *IGNORED_SWITCHES}
    assert set(FLAG.findall(refused)) == set(REFUSED)


def test_every_variable_that_is_read_is_named():
    sources = [*(ROOT / "python/covet/cli").glob("*.py"), *(ROOT / "python/covet/server").glob("*.py")]
    text = "\n".join(path.read_text() for path in sources)
    read = set(re.findall(r"os\.environ(?:\.(?:get|pop|setdefault))?[\[(]\"([A-Z_]+)\"", text))
    read |= {name for option in OPTIONS for name in option.environment}
    assert len(read) > 10
    assert {name for name in read - INTERNAL if f"`{name}`" not in PAGE} == set()


def test_the_overview_of_help_names_every_command(covet):
    answer = covet("--help")
    assert all(re.search(rf"^  {command} ", answer.stdout, re.M) for command in COMMANDS)
