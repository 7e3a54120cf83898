"""The build backend of the distributions: maturin, once the files of Swagger UI and ReDoc are there.

pip and build call it, see `[build-system]` in pyproject.toml. A wheel without the files is built only when
COVET_UI=cdn asks for one.
"""

import importlib.util
import os
import sys
from pathlib import Path

import maturin
from maturin import (
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build a wheel."""
    _need_ui()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    """Build a source distribution, which has the files too: its wheels are built without npm."""
    _need_ui()
    return maturin.build_sdist(sdist_directory, config_settings)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """Build a wheel that points here; the pages work without the files."""
    _fetch()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def _need_ui():
    if os.environ.get("COVET_UI") != "cdn" and _fetch():
        print("  to build without them on purpose set COVET_UI=cdn", file=sys.stderr)
        sys.exit(1)


def _fetch():
    spec = importlib.util.spec_from_file_location("fetch_ui", Path(__file__).with_name("fetch-ui.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main()
