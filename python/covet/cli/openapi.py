"""`covet openapi`: write an application's OpenAPI document, or compare it with an older one."""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from covet.openapi.changes import Change, DocumentError, find_changes, read_document
from covet.openapi.downgrade import downgrade
from covet.openapi.reading import MAX_SIZE
from covet.server import SettingsError
from covet.server.tracebacks import format_user

from .discovery import find_application
from .naming import add_application, wants_compat
from .parser import Parser

__all__ = ["run"]

EXAMPLES = """\
  covet openapi main:app                        the document, on stdout
  covet openapi main:app -o openapi.json        into a file
  covet openapi main:app --format yaml          as YAML
  covet openapi main:app --spec 3.0             for tools that read nothing newer
  covet openapi main:app --diff released.json   what has changed; exit code 1 when it breaks clients
"""


def run(arguments: Sequence[str]) -> int:
    """Print the document; with --diff return 1 when a change is breaking."""
    parser = Parser("covet openapi", "Write or compare an application's OpenAPI document.", EXAMPLES)
    add_application(parser)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write there instead of to stdout")
    parser.add_argument(
        "--format", choices=("json", "yaml"), default="json", help="yaml needs covetpy[yaml] (json)"
    )
    parser.add_argument("--spec", choices=("3.1", "3.0"), help="version of OpenAPI (the application's)")
    parser.add_argument(
        "--diff", metavar="OLD", type=Path, help="compare with the document in this JSON file instead"
    )
    parser.add_argument("--json", action="store_true", help="with --diff: print JSON")
    given = parser.read(arguments)
    if given.json and not given.diff:
        parser.error("--json goes with --diff; the document is JSON already")
    try:
        old = None if given.diff is None else _read(given.diff)
        document = _document(given)
        if old is None:
            _write(_text(document, given.format), given.output)
            return 0
        changes = find_changes(old, document)
        _write(_json(changes) if given.json else _report(changes), given.output)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except DocumentError as error:
        print(f"error: {given.diff}: {error}", file=sys.stderr)
        return 1
    return int(any(change.breaking for change in changes))


def _document(given: argparse.Namespace) -> dict[str, Any]:
    """Import the application and have it make its document."""
    application = find_application(
        given.entrypoint or given.target,
        attribute=given.name,
        folder=given.app_dir,
        factory=given.factory,
        command="openapi",
    )
    app: Any = replace(application, compat=wants_compat(given))()
    if not callable(getattr(app, "openapi", None)):
        raise SettingsError(f"{application} is an ASGI application without an OpenAPI document")
    if given.spec == "3.1" and str(getattr(app, "openapi_version", "")).startswith("3.0."):
        raise SettingsError(
            f"{application} is made with openapi_version={app.openapi_version!r}; remove that"
        )
    try:
        document: dict[str, Any] = app.openapi()
        if given.spec == "3.0":
            document = downgrade(document)
    except Exception as error:
        raise SettingsError(f"{application} cannot make its document\n\n{format_user(error)}") from None
    return document


def _read(path: Path) -> dict[str, Any]:
    """Return the old document; no more of a file is read than a document may have."""
    try:
        with path.open("rb") as file:
            return read_document(file.read(MAX_SIZE + 1))
    except OSError as error:
        raise SettingsError(f"--diff {path}: {error.strerror}") from None


def _text(document: dict[str, Any], form: str) -> str:
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False)
    try:
        yaml_text = importlib.import_module("covet.openapi.yaml_text")
    except ModuleNotFoundError:
        raise SettingsError(
            "--format yaml needs PyYAML\n  install it with: pip install 'covetpy[yaml]'"
        ) from None
    text: str = yaml_text.to_yaml(document)
    return text.removesuffix("\n")


def _write(text: str, output: Path | None) -> None:
    """Write to stdout, or into a file that is complete or as it was."""
    if output is None:
        print(text)
        return
    scratch = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        scratch.write_text(text + "\n", encoding="utf-8")
        scratch.replace(output)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise SettingsError(f"-o {output}: {error.strerror}") from None


def _json(changes: list[Change]) -> str:
    breaking = sum(change.breaking for change in changes)
    return json.dumps({"breaking": breaking, "changes": [asdict(change) for change in changes]}, indent=2)


def _report(changes: list[Change]) -> str:
    if not changes:
        return "nothing has changed"
    lines = [f"{'breaking' if change.breaking else 'other':<8}  {change}" for change in changes]
    breaking = sum(change.breaking for change in changes)
    lines.append(f"{breaking} breaking, {len(changes) - breaking} other")
    return "\n".join(lines)
