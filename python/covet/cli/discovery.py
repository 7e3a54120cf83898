"""Finding the application: from `module:attribute`, a file, the project's settings, or the usual file names.

It looks at names and files only; application.py imports what was found, in the process that serves it.
"""

import importlib
import os
from pathlib import Path

from covet.server.settings import SettingsError

from .application import Application
from .parser import suggest

__all__ = ["find_application"]

USUAL_FILES = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")


def find_application(
    name: str | None,
    *,
    attribute: str | None = None,
    folder: str = ".",
    factory: bool = False,
    command: str = "run",
) -> Application:
    """Find the application that `name` means, or the project's own when there is none.

    `attribute` overrides the attribute in `name`; `folder` is put in front of sys.path; `command` is what
    advice tells people to try.

    Raises:
        SettingsError: nothing can be meant by it.
    """
    base = Path(folder).resolve()
    if not base.is_dir():
        raise SettingsError(f"--app-dir {folder}: there is no such folder")
    found = ""
    if name is None:
        name, found = _from_project(base, command)
    head, colon, tail = _split(name)
    wanted = attribute or tail or None
    if colon and not tail:
        raise SettingsError(f"{name!r}: the attribute after the colon is missing, for example main:app", 2)
    if not head:
        raise SettingsError(f"{name!r}: the module is missing, for example main:app", 2)
    if _is_path(head, base):
        module, root = _module_of(base / head)
        return Application(module, wanted, factory, str(root), found, _shown(base / head), command)
    if not all(part.isidentifier() for part in head.split(".")):
        raise SettingsError(f"{name!r} is neither module:attribute, such as main:app, nor a Python file", 2)
    return Application(head, wanted, factory, str(base), found, command=command)


def _split(name: str) -> tuple[str, str, str]:
    """Split at the colon before the attribute, not at the one of a Windows drive."""
    head, colon, tail = name.rpartition(":")
    if not colon or os.sep in tail or "/" in tail:
        return name, "", ""
    return head, colon, tail


def _is_path(head: str, base: Path) -> bool:
    return (
        head.endswith(".py")
        or "/" in head
        or os.sep in head
        or ((base / head).is_dir() and not head.isidentifier())
    )


def _module_of(path: Path) -> tuple[str, Path]:
    """Return a file's dotted name and the folder above its outermost package."""
    path = path.resolve()
    if path.is_dir():
        path = path / "__init__.py"
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise SettingsError(f"there is no file {_shown(path)}{suggest(path.name, siblings)}")
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def _from_project(base: Path, command: str) -> tuple[str, str]:
    """Return what the project names as its application, and a line that says how it was found."""
    variable = os.environ.get("COVET_APP", "")
    if variable:
        return variable, "from COVET_APP"
    settings = base / "pyproject.toml"
    if settings.is_file():
        # tomllib is needed in this case only, and costs as much as argparse.
        entry: tuple[str, str] | None = importlib.import_module("covet.cli.pyproject").entrypoint(settings)
        if entry:
            return entry
    for name in USUAL_FILES:
        if (base / name).is_file():
            return name, "found; fix it with [tool.covet] entrypoint"
    raise SettingsError(
        f"no application named, and none of {', '.join(USUAL_FILES)} in {base}\n"
        f"  try: covet {command} module:app, "
        'or set entrypoint = "module:app" under [tool.covet] in pyproject.toml'
    )


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
