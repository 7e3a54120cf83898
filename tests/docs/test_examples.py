"""Every Python example of the README and of docs/ runs: the blocks of a page, in order, as one program."""

import re
from pathlib import Path
from unittest import mock

import pytest

from covet.routing.convertors import CONVERTOR_TYPES

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if BLOCK.search(page.read_text())
]


def program(page: Path) -> str:
    """Join the page's blocks, each at its own line, so that a traceback points into the page."""
    text = page.read_text()
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for number, line in enumerate(block[1].splitlines()):
            lines[first + number] = line
    return "\n".join(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with mock.patch.dict(CONVERTOR_TYPES):  # a page registers one, for itself
        exec(compile(program(page), str(page), "exec"), {"__name__": f"docs_{page.stem}"})
