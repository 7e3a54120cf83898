"""The application as the command line names it, and how it is imported. Mistakes come out as one
paragraph.

Calling an Application imports it, so the instance itself is the server's `load`; it can be pickled for
workers that are started as new interpreters.
"""

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from covet.server.settings import ASGIApp, BrokenApplication, SettingsError
from covet.server.tracebacks import format_user

from .collector import collection_postponed
from .parser import suggest

if TYPE_CHECKING:
    from .env_file import EnvFile

__all__ = ["Application"]

USUAL_NAMES = ("app", "api", "application")
FACTORIES = ("create_app", "make_app", "get_app", "build_app", "create_application")
KINDS = {"CovetPy", "FastAPI", "Starlette"}


@dataclass(frozen=True, slots=True)
class Application:
    """Where an application is, and what has to happen around its import.

    attribute: None when it has to be looked for in the module.
    found: a note on how it was found; empty when the command line names it.
    file: the file that was named, if one was.
    command: the covet command to repeat in advice.
    env_file: variables to read again before each import, since they may have been edited.
    prepare: what to do with the application once it is there; told where it was found as well.
    """

    module: str
    attribute: str | None
    factory: bool
    folder: str
    found: str = ""
    file: str = ""
    command: str = "run"
    compat: bool = False
    env_file: "EnvFile | None" = None
    prepare: Callable[[Any, str], None] | None = None

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}" if self.attribute else self.module

    def __call__(self) -> ASGIApp:
        """Import the application.

        Raises:
            SettingsError: it cannot be imported or found, or is no application.
        """
        if self.env_file is not None:
            self.env_file.load()
        if self.compat:
            _stand_in()
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        with collection_postponed():
            module = self._import()
        name, app = self._find(module)
        if self.factory:
            app = self._make(app)
        if not callable(app):
            raise SettingsError(f"{self} is {_a(app)}, not an application")
        if inspect.isfunction(app) and not self.factory and _takes(app) == 0:
            raise SettingsError(
                f"{self} is a function without parameters\n  try: {self._command(name)} --factory"
            )
        if self.prepare is not None:
            self.prepare(app, f"{self.file} -> {name}" if self.file else f"{self.module}:{name}")
        return cast(ASGIApp, app)

    def _import(self) -> ModuleType:
        try:
            return importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            if error.name is not None and (
                self.module == error.name or self.module.startswith(error.name + ".")
            ):
                raise SettingsError(self._no_module(error.name)) from None
            raise BrokenApplication(self._broken(error)) from None
        except SystemExit as error:
            # Text is for people to read; a number is for the shell, or comes from a signal to stop.
            if not isinstance(error.code, str):
                raise
            raise BrokenApplication(self._broken(error)) from None
        except Exception as error:
            raise BrokenApplication(self._broken(error)) from None

    def _no_module(self, name: str) -> str:
        parent = Path(self.folder, *name.split(".")[:-1])
        entries = list(parent.iterdir()) if parent.is_dir() else []
        names = [
            entry.stem
            for entry in entries
            if entry.suffix == ".py" or (entry.is_dir() and entry.name.isidentifier())
        ]
        if parent.with_suffix(".py").is_file():
            return f"there is no module {name!r}. Did you mean {':'.join(name.rsplit('.', 1))}?"
        near = suggest(name.split(".")[-1], names)
        hint = near or f"\n  {_shown(parent)} holds no such file; name the folder it is in with --app-dir"
        return f"there is no module {name!r}{hint}"

    def _broken(self, error: BaseException) -> str:
        return f"cannot import {self.module}\n\n{format_user(error)}\n\n{_advice(error, self.module)}"

    def _find(self, module: ModuleType) -> tuple[str, object]:
        """Return the application, or what makes it, with its name in the module."""
        if self.attribute is None:
            return self._search(module)
        value: object = module
        for part in self.attribute.split("."):
            try:
                value = getattr(value, part)
            except AttributeError:
                public = [name for name in vars(module) if not name.startswith("_")]
                near = suggest(part, public) or _candidates(module)
                raise SettingsError(f"module {self.module} has no attribute {part!r}{near}") from None
        return self.attribute, value

    def _search(self, module: ModuleType) -> tuple[str, object]:
        """Take app, api, or the one object that is an application by its class."""
        names = vars(module)
        if self.factory:
            for name in FACTORIES:
                if callable(names.get(name)):
                    return name, names[name]
        for name in USUAL_NAMES:
            if name in names and (_is_application(names[name]) or callable(names[name])):
                return name, names[name]
        for name, value in names.items():
            if _is_application(value):
                return name, value
        place = _shown(Path(module.__file__)) if module.__file__ else self.module
        functions = [name for name in FACTORIES if callable(names.get(name))]
        text = f"no application in {place}\n  looked for {', '.join(USUAL_NAMES)}, any CovetPy object"
        if functions:
            text += f"; found the function {functions[0]}()"
            text += f"\n  try: {self._command(functions[0])} --factory"
        raise SettingsError(text)

    def _command(self, attribute: str) -> str:
        return f"covet {self.command} {self.file or self.module}:{attribute}"

    def _make(self, factory: object) -> object:
        if not callable(factory):
            raise SettingsError(f"--factory: {self} is {_a(factory)}, not a function")
        try:
            return factory()
        except Exception as error:
            text = f"{self}() did not make an application\n\n{format_user(error)}\n\n"
            raise BrokenApplication(f"{text}the error is raised while --factory calls {self}()") from None


def _stand_in() -> None:
    # Only those who ask for it pay for importlib.metadata.
    compat = importlib.import_module("covet.compat")
    try:
        compat.install()
    except compat.CompatError as error:
        raise SettingsError(f"--compat: {error}") from None


def _is_application(value: object) -> bool:
    return not isinstance(value, type) and any(kind.__name__ in KINDS for kind in type(value).__mro__)


def _candidates(module: ModuleType) -> str:
    found = [name for name, value in vars(module).items() if _is_application(value)]
    return f". It has an application named {found[0]}" if found else ""


def _takes(function: Callable[..., Any]) -> int:
    kinds = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return sum(parameter.kind in kinds for parameter in inspect.signature(function).parameters.values())


def _a(value: object) -> str:
    if inspect.ismodule(value):
        return "a module"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _advice(error: BaseException, module: str) -> str:
    """One line on what usually helps."""
    text = str(error)
    if isinstance(error, SyntaxError):
        place = _shown(Path(error.filename)) if error.filename else module
        return f"fix the syntax in {place}, line {error.lineno}"
    missing = error if isinstance(error, ModuleNotFoundError) else error.__cause__
    if isinstance(error, ImportError) and isinstance(missing, ModuleNotFoundError):
        name = (missing.name or "").split(".")[0]
        if name in ("fastapi", "starlette"):
            return (
                f"change the import to covet, or leave it and add --compat: covet then stands in for {name}"
            )
        return f"install it (pip install {name}), or check the name and --app-dir"
    if isinstance(error, ImportError) and ("circular" in text or "partially initialized" in text):
        return (
            "two modules import each other: move what both need into a third, or import it where it is used"
        )
    if isinstance(error, ImportError) and text.startswith("cannot import name"):
        return "the module exists but lacks that name: check its spelling and the installed version"
    return f"the error is raised while {module} is imported, before anything is served"


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
