"""The command line as people use it: `python -m covet …` in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Covet = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def covet(tmp_path: Path) -> Covet:
    """Run a command to its end: `covet("routes", "main:app")`."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "covet", *arguments],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=20,
        )

    return run
