"""The working folder and the environment that FastAPI's tutorial applications expect, for both sides alike.

Used by tutorial_answers.py in an interpreter without covet, and by the test. Standard library only.
"""

from pathlib import Path

__all__ = ["ENVIRONMENT", "lay_out"]

ENVIRONMENT = {"ADMIN_EMAIL": "ada@example.com"}  # what the chapter on settings asks for


def lay_out(sources: Path, place: Path) -> None:
    """Put into the empty folder `place` what the applications below `sources` open by relative paths."""
    (place / "docs_src").symlink_to(sources / "docs_src")
    for name in ("static", "templates"):
        (place / name).symlink_to(sources / "docs_src/templates" / name)
    (place / "dist/assets").mkdir(parents=True)
    (place / "dist/index.html").write_text("<!doctype html><title>index</title>")
    (place / "dist/404.html").write_text("<!doctype html><title>nothing here</title>")
    (place / "large-video-file.mp4").write_bytes(b"a film")
