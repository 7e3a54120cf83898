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

sys.path.insert(0, str(Path(__file__).parents[1] / "compat"))
from tutorial_folder import lay_out


def main(folder: Path, modules: list[str]) -> None:
    """Import the applications and print their documents."""
    compat.install()
    warnings.simplefilter("ignore")
    documents = {}
    with tempfile.TemporaryDirectory() as place:
        lay_out(folder, Path(place))
        os.chdir(place)
        sys.path.insert(0, place)
        for module in modules:
            # Some need packages that are not installed, some are fragments; another test counts what starts.
            found: list[object] = []
            with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):
                found += vars(importlib.import_module(module)).values()
            for app in found:
                if isinstance(app, CovetPy):
                    documents[module] = app.openapi()
    json.dump(documents, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
