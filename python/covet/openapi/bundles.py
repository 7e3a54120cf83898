"""The files of Swagger UI and ReDoc that covet brings along, compressed, in the folder `ui` beside this file.

`scripts/fetch-ui.py` loads this module by its path before covet can be imported and fills the folder; so it
imports the standard library only. A tree without the folder is complete too: the pages then name a CDN.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["BUNDLES", "REDOC", "SWAGGER_UI", "UI_FOLDER", "Bundle"]

UI_FOLDER = Path(__file__).with_name("ui")
MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


class Bundle(NamedTuple):
    """Files of one npm package at one version, and what its archive must hash to."""

    package: str
    version: str
    sha512: str
    """Of the archive, in base 64, as npm writes it."""
    folder: str
    files: tuple[str, ...]
    licences: tuple[str, ...]
    replaced: tuple[tuple[str, str], ...] = ()
    """Texts of the files that are packaged otherwise; each must be there once."""

    @property
    def label(self) -> str:
        """Name and version in one word, as addresses have it: what it names never changes."""
        return f"{self.package}@{self.version}"

    def is_packaged(self) -> bool:
        """Say whether every file is there."""
        return all(self.path(name).is_file() for name in self.files)

    def path(self, name: str) -> Path:
        """Return where a file is kept, compressed with gzip."""
        return UI_FOLDER / self.label / f"{name}.gz"


SWAGGER_UI = Bundle(
    package="swagger-ui-dist",
    version="5.35.0",
    sha512="U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
    folder=".",
    files=("swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "swagger-ui.css"),
    licences=(
        "LICENSE",
        "NOTICE",
        "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui-standalone-preset.js.LICENSE.txt",
    ),
)
REDOC = Bundle(
    package="redoc",
    version="2.5.4",
    sha512="M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ==",
    folder="bundles",
    files=("redoc.standalone.js",),
    licences=(
        "../LICENSE",
        "redoc.standalone.js.LICENSE.txt",
        "d87bcbdbea8f8f5aa26f.worker.js.LICENSE.txt",
    ),
    # The picture beside its link to its makers would be the one request that leaves the user's network.
    replaced=(("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"),),
)
BUNDLES = (SWAGGER_UI, REDOC)
