"""Describes the public names of a package as data: run by an interpreter that has FastAPI and Starlette.

`python reference.py fastapi starlette` prints JSON, {module: {name: description}}; `test_exports.py` reads it
and describes ours with the same functions. It needs the standard library only and must never import covet.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import sys
import warnings
from enum import Enum
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

PLAIN = (bool, int, float, str, bytes, type(None))
SPECIAL_METHODS = {"__call__", "__aenter__", "__aexit__", "__enter__", "__exit__", "__aiter__", "__iter__"}

Description = dict[str, Any]


def modules_of(package: str) -> list[str]:
    """Names of the package's public modules, itself included."""
    root = importlib.import_module(package)
    names = [package]
    for found in pkgutil.walk_packages(root.__path__, package + "."):
        # `cli` only starts a command, for people and not for programs.
        if not any(part.startswith("_") or part == "cli" for part in found.name.split(".")):
            names.append(found.name)
    return names


def public_names(module: ModuleType) -> set[str]:
    """What a module offers: its `__all__`, or what it defines, assigns or imports `as` itself."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    names: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names if alias.asname == alias.name}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {
        name for name in names if not name.startswith("_") and hasattr(module, name) and used(module, name)
    }


def used(module: ModuleType, name: str) -> bool:
    """Whether a name is more than a type variable, which nobody imports."""
    return not isinstance(getattr(module, name), TypeVar | ParamSpec)


def describe(value: object) -> Description:
    """Say what a name means: its kind, its parameters, the members of a class."""
    if inspect.isclass(value):
        return {"kind": "class", "parameters": parameters(value), "members": members(value)}
    if inspect.isroutine(value):
        return {"kind": "function", "parameters": parameters(value)}
    if isinstance(value, ModuleType):
        return {"kind": "module"}
    return {"kind": "value", "is": plain(value)}


def members(cls: type) -> dict[str, Description]:
    """The public members that a class has from its own package; fields and enum values too."""
    found: dict[str, Description] = {}
    root = cls.__module__.partition(".")[0]
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] != root:
            continue
        for name, value in vars(base).items():
            if name in found or name == "model_config":
                continue
            if not name.startswith("_") or name in SPECIAL_METHODS:
                found[name] = member(value)
        for name in inspect.get_annotations(base):
            if not name.startswith("_") and name != "model_config":
                found.setdefault(name, {"kind": "attribute"})
    if issubclass(cls, Enum):
        found = {entry.name: {"kind": "value", "is": repr(entry.value)} for entry in cls}
    for fields in ("__pydantic_fields__", "__dataclass_fields__"):
        found.update({name: {"kind": "attribute"} for name in getattr(cls, fields, {}) if name[0] != "_"})
    return found


def member(value: object) -> Description:
    """Describe an entry of a class's namespace."""
    if isinstance(value, classmethod | staticmethod):
        return {"kind": type(value).__name__, "parameters": parameters(value.__func__)}
    if inspect.isfunction(value):
        kind = "async method" if inspect.iscoroutinefunction(value) else "method"
        return {"kind": kind, "parameters": parameters(value)}
    return {"kind": "attribute"}


def parameters(function: Any) -> list[list[str]] | None:
    """Name, kind and default of each parameter; None when Python cannot tell."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return None
    return [
        [entry.name, entry.kind.name, "" if entry.default is entry.empty else plain(entry.default)]
        for entry in signature.parameters.values()
    ]


def plain(value: object) -> str:
    """Write a value so that equal ones of different packages read the same."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, dict):
        return f"{{{', '.join(sorted(plain(key) for key in value))}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(plain(item) for item in value)}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(plain(item) for item in value))}}}"
    if inspect.isclass(value) or inspect.isroutine(value):
        return str(value.__name__)
    if type(value).__name__ == "DefaultPlaceholder":
        return f"Default({plain(value.value)})"  # type: ignore[attr-defined]
    return f"<{type(value).__name__}>"


def load(name: str) -> ModuleType:
    """Import a module whose import may warn, as deprecated ones do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def main(packages: list[str]) -> None:
    """Print the description of packages."""
    answer: dict[str, dict[str, Description]] = {}
    for name in [module for package in packages for module in modules_of(package)]:
        module = load(name)
        answer[name] = {public: describe(getattr(module, public)) for public in sorted(public_names(module))}
    versions = {package: load(package).__version__ for package in packages}
    json.dump({"versions": versions, "modules": answer}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
