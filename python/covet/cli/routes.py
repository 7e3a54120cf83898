"""`covet routes`: list what an application answers to, as a table or as JSON on stdout."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from covet.server import SettingsError

from .discovery import find_application
from .layer_table import Layer, list_layers
from .naming import add_application, wants_compat
from .parser import Parser
from .route_table import Finding, Row, find_conflicts, list_routes

__all__ = ["run"]

EXAMPLES = """\
  covet routes                     the application found in this folder
  covet routes main:app            app in main.py
  covet routes main:app --schema   with parameters, calls, body and answer
  covet routes main:app --json     for other programs
  covet routes --middleware        how the server runs each middleware, and why
"""
HEADINGS = ("METHOD", "PATH", "NAME", "WHERE", "FLAGS")
LAYER_HEADINGS = ("MIDDLEWARE", "APPLICATION", "WHERE", "RUNS", "WHY")


def run(arguments: Sequence[str]) -> int:
    """Print the routes; conflicts go to stderr and do not change the exit code."""
    parser = Parser(
        "covet routes", "List an application's routes in the order in which they are tried.", EXAMPLES
    )
    add_application(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--schema",
        action="store_true",
        help="print what each route takes, calls and answers; with --json also the JSON Schemas",
    )
    parser.add_argument(
        "--middleware",
        action="store_true",
        help="only the middleware, outermost first: native, a step of the engine's, or ASGI and why",
    )
    given = parser.read(arguments)
    try:
        application = find_application(
            given.entrypoint or given.target,
            attribute=given.name,
            folder=given.app_dir,
            factory=given.factory,
            command="routes",
        )
        app: Any = replace(application, compat=wants_compat(given))()
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    if not hasattr(app, "routes"):
        print(f"error: {application} is an ASGI application that does not tell its routes", file=sys.stderr)
        return 1
    layers = list_layers(app)
    if given.middleware:
        print(json.dumps([asdict(layer) for layer in layers], indent=2) if given.json else _layers(layers))
        return 0
    rows = list_routes(app)
    findings = find_conflicts(rows)
    if given.json:
        print(_json(rows, findings, schema=given.schema))
    else:
        print(_plans(rows) if given.schema else _table(rows, findings))
        if layers and not given.schema:
            print(f"\n{_layers(layers)}")
        for finding in findings:
            print(f"warning: {finding}", file=sys.stderr)
    return 0


def _table(rows: Sequence[Row], findings: Sequence[Finding]) -> str:
    unreachable = {id(finding.row): finding.kind for finding in findings}
    lines = [HEADINGS]
    for row in rows:
        flags = [*row.flags, unreachable[id(row)]] if id(row) in unreachable else list(row.flags)
        path = f"{row.host} {row.path}" if row.host else row.path
        lines.append((",".join(row.methods) or "ANY", path, row.name, row.where, ",".join(flags)))
    return _aligned(lines)


def _layers(layers: Sequence[Layer]) -> str:
    lines = [(layer.name, layer.application, layer.where, layer.runs, layer.why) for layer in layers]
    return _aligned([LAYER_HEADINGS, *lines])


def _aligned(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _plans(rows: Sequence[Row]) -> str:
    shown = (f"{row.label}  {row.where}" if row.plan is None else str(row.plan) for row in rows)
    return "\n\n".join(shown).replace(f"{os.getcwd()}{os.sep}", "")


def _json(rows: Sequence[Row], findings: Sequence[Finding], *, schema: bool) -> str:
    conflicts: dict[int, list[dict[str, str]]] = {}
    for finding in findings:
        conflict = {"kind": finding.kind, "with": finding.earlier.label, "where": finding.earlier.where}
        conflicts.setdefault(id(finding.row), []).append(conflict)
    entries = [_entry(row, conflicts.get(id(row), [])) for row in rows]
    if schema:
        for row, entry in zip(rows, entries, strict=True):
            entry["plan"] = None if row.plan is None else row.plan.as_dict()
    return json.dumps(entries, indent=2)


def _entry(row: Row, conflicts: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "methods": list(row.methods),
        "path": row.path,
        "name": row.name,
        "source": row.where,
        "kind": row.kind,
        "host": row.host,
        "flags": list(row.flags),
        "python": row.python or None,
        "conflicts": conflicts,
    }
