"""Holds covet's public names, their signatures and defaults against the real FastAPI and Starlette.

The real packages live in an environment of their own (scripts/reference.sh) and are described by a program
that runs there. `exceptions.toml` lists what is missing or differs on purpose; docs/compatibility.md tells.
"""

import importlib
import json
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .difference import Description, differences, extras
from .reference import describe, load

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXCEPTIONS = tomllib.loads((HERE / "exceptions.toml").read_text())
LISTED = EXCEPTIONS["missing"] | EXCEPTIONS["different"]

# Its first run installs packages.
pytestmark = pytest.mark.timeout(300)

Reference = dict[str, dict[str, Description]]


@pytest.fixture(scope="module")
def python() -> str:
    """The interpreter that has FastAPI and Starlette."""
    made = subprocess.run([ROOT / "scripts/reference.sh"], capture_output=True, text=True)
    assert made.returncode == 0, f"the reference environment could not be made:\n{made.stderr}"
    return made.stdout.strip()


@pytest.fixture(scope="module")
def described(python: str) -> dict[str, Any]:
    """Versions and descriptions of the real packages."""
    command = [python, "-I", str(HERE / "reference.py"), "fastapi", "starlette"]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


@pytest.fixture(scope="module")
def reference(described: dict[str, Any]) -> Reference:
    modules: Reference = described["modules"]
    return modules


def ours(name: str) -> ModuleType:
    """The module of ours that stands for one of theirs."""
    if name.startswith("starlette"):
        return load(f"covet.{name}")
    return load("covet" + name.removeprefix("fastapi"))


def found_differences(reference: Reference) -> dict[str, str]:
    found: dict[str, str] = {}
    for module, names in reference.items():
        try:
            mine = ours(module)
        except ImportError:
            found[module] = "cannot be imported"
            continue
        for name, description in names.items():
            key = f"{module}.{name}"
            if hasattr(mine, name):
                found.update(differences(key, description, describe(getattr(mine, name))))
            else:
                found[key] = "is missing"
    return found


def test_no_unlisted_difference(reference: Reference) -> None:
    found = found_differences(reference)
    unlisted = [f"{key} {words}" for key, words in sorted(found.items()) if key not in LISTED]
    assert not unlisted, "\n".join(unlisted)


def test_no_listed_difference_that_is_none(reference: Reference) -> None:
    assert set(LISTED) - set(found_differences(reference)) == set()


def test_every_exception_has_a_reason() -> None:
    reasons = [*LISTED.values(), *EXCEPTIONS["extra"].values()]
    assert all(len(reason) > 10 for reason in reasons)


def test_extra_parameters_are_listed(reference: Reference) -> None:
    found: set[str] = set()
    for module, names in reference.items():
        if module in EXCEPTIONS["missing"]:
            continue
        for name, description in names.items():
            if hasattr(ours(module), name):
                found |= extras(description, describe(getattr(ours(module), name)))
    assert found == set(EXCEPTIONS["extra"])


def test_extra_parameters_are_documented() -> None:
    page = (ROOT / "docs/compatibility.md").read_text()
    assert [name for name in EXCEPTIONS["extra"] if f"`{name}`" not in page] == []


def test_missing_names_are_documented() -> None:
    page = (ROOT / "docs/compatibility.md").read_text()
    assert [
        name for name in EXCEPTIONS["missing"] if f"`{name}`" not in page and group(name) not in page
    ] == []


def group(name: str) -> str:
    """The module or the class that a name is described together with others of."""
    parts = name.split(".")
    return "`" + ".".join(parts[: 3 if parts[1] == "middleware" else 2])


def test_the_versions_we_claim_are_the_ones_we_are_held_against(described: dict[str, Any]) -> None:
    assert described["versions"]["starlette"] == importlib.import_module("covet.starlette").__version__
