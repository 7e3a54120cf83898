"""Prints the documents of FastAPI's tutorial applications as covet makes them: {module: document} as JSON.

`python tutorial_documents.py FOLDER MODULE...` imports each application in a scratch folder, in one process.
Run by test_versions.py, because the compatibility finder is for a whole process.
"""

import contextlib
import importlib
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

from covet import CovetPy, compat


def main(folder: Path, modules: list[str]) -> None:
    """Import the applications and print their documents."""
    compat.install()
    warnings.simplefilter("ignore")
    documents = {}
    for module in modules:
        with contextlib.suppress(ModuleNotFoundError, StopIteration), tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            Path(place, "docs_src").symlink_to(folder / "docs_src")
            for name in ("static", "templates", "dist"):
                Path(place, name).mkdir()
            sys.path.insert(0, place)
            found = vars(importlib.import_module(module)).values()
            documents[module] = next(value for value in found if isinstance(value, CovetPy)).openapi()
    json.dump(documents, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
