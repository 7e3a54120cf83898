"""What `importlib.metadata` says about `fastapi` and `starlette` while covet stands in for them.

Monitoring tools ask for the installed version before they do anything. Made by the finder; reads no file.
"""

import os
import re
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

from .names import VERSIONS

__all__ = ["StandInDistribution", "named"]

SUMMARY = "CovetPy, which stands in for {name}"
# What is needed to use the names, as whoever walks requirements expects to find it.
REQUIRES = {
    "fastapi": ("starlette>=1.6.0", "pydantic>=2.12", "typing-extensions>=4.12", "annotated-doc>=0.0.4"),
    "starlette": ("anyio>=4.9,<5",),
}
PACKAGES = Path(__file__).parents[2]


class StandInDistribution(Distribution):
    """The metadata of one distribution, by its name."""

    def __init__(self, name: str) -> None:
        self._files = {
            "METADATA": "\n".join(
                [
                    "Metadata-Version: 2.1",
                    f"Name: {name}",
                    f"Version: {VERSIONS[name]}",
                    f"Summary: {SUMMARY.format(name=name)}",
                    "Requires-Python: >=3.11",
                    *(f"Requires-Dist: {requirement}" for requirement in REQUIRES[name]),
                    "",
                ]
            ),
            "INSTALLER": "covet\n",
            "top_level.txt": f"{name}\n",
        }

    def read_text(self, filename: str) -> str | None:
        """Return a file of the metadata folder, None for one that is not there."""
        return self._files.get(str(filename))

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        """Return where a file of the distribution would be."""
        return PACKAGES.joinpath(path)


def named(name: str | None) -> Iterator[StandInDistribution]:
    """Make the distribution called `name`, both for None, none for another."""
    wanted = None if name is None else re.sub(r"[-_.]+", "-", name).lower()
    return (StandInDistribution(known) for known in VERSIONS if wanted in (None, known))
