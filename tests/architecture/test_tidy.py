"""The house style that a program can check: file heads, budgets, names, and words that do not belong here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sorted((ROOT / "python").rglob("*.py"))
RUST = sorted((ROOT / "crates").glob("*/src/**/*.rs"))
FILE_LIMIT = 600
FUNCTION_LIMIT = 60
JUNK = re.compile(r"^_?(utils?|helpers?|common|misc|core|manager|tools)(\.rs|\.py)?$")
# Modules that exist only because FastAPI or Starlette have them: re-exports, nothing else.
BORROWED_NAMES = {
    "covet/utils.py",
    "covet/dependencies/utils.py",
    "covet/openapi/utils.py",
    "covet/security/utils.py",
    "covet/starlette/_utils.py",
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, its docstring left out."""
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(function.body) > 1:
        first = function.body[1]
    return (function.end_lineno or 0) - first.lineno + 1


def rust_functions(text: str) -> Iterator[tuple[str, int]]:
    """Each function's name and length, by rustfmt's indentation; test modules are left out."""
    lines = text.split("#[cfg(test)]\nmod ")[0].splitlines()
    for number, line in enumerate(lines):
        found = re.match(
            r"( *)(?:pub(?:\([a-z]+\))? )?(?:const |async |unsafe |extern \"C\" )*fn (\w+)", line
        )
        if not found or line.rstrip().endswith((";", "}")):
            continue
        closing = found[1] + "}"
        for end in range(number + 1, len(lines)):
            if lines[end] == closing:
                yield found[2], end - number - 1
                break


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_a_python_file_opens_with_its_purpose(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring, f"{relative(path)} has no module docstring"


@pytest.mark.parametrize("path", RUST, ids=relative)
def test_a_rust_file_opens_with_its_purpose(path: Path) -> None:
    assert path.read_text().startswith("//! "), f"{relative(path)} does not open with //!"


@pytest.mark.parametrize("path", PYTHON + RUST, ids=relative)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    code = text.split("#[cfg(test)]\nmod ")[0] if path.suffix == ".rs" else text
    assert len(code.splitlines()) <= FILE_LIMIT, (
        f"{relative(path)} is past {FILE_LIMIT} lines: find the missing noun"
    )
    if path.suffix == ".py":
        lengths = [(function.name, body_length(function)) for function in functions(ast.parse(text))]
    else:
        lengths = list(rust_functions(text))
    long = [f"{name} ({length})" for name, length in lengths if length > FUNCTION_LIMIT]
    assert not long, f"{relative(path)}: functions past {FUNCTION_LIMIT} lines: {', '.join(long)}"


@pytest.mark.parametrize("path", PYTHON + RUST, ids=relative)
def test_names_say_what_is_inside(path: Path) -> None:
    if relative(path).removeprefix("python/") in BORROWED_NAMES:
        assert not list(functions(ast.parse(path.read_text()))), f"{relative(path)} may only re-export"
        return
    assert not any(JUNK.match(part) for part in path.relative_to(ROOT).parts), (
        f"{relative(path)} names nothing"
    )


def test_unsafe_code_lives_in_one_module() -> None:
    users = {relative(path) for path in RUST if re.search(r"\bunsafe\b[^_]", path.read_text())}
    assert users <= {"crates/covet-python/src/object/ffi.rs"}


def test_each_unsafe_block_says_why_it_is_sound() -> None:
    for path in RUST:
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if re.search(r"\bunsafe \{", line):
                near = "\n".join(lines[max(0, number - 6) : number + 1])
                assert "SAFETY:" in near, f"{relative(path)}:{number + 1}"


def test_only_the_border_crate_names_pyo3() -> None:
    users = {
        path.parent.name for path in (ROOT / "crates").glob("*/Cargo.toml") if "pyo3" in path.read_text()
    }
    assert users == {"covet-python"}


def test_crates_only_depend_downwards() -> None:
    floors = {"covet-http": 0, "covet-router": 0, "covet-middleware": 1, "covet-engine": 2, "covet-python": 3}
    for manifest in (ROOT / "crates").glob("*/Cargo.toml"):
        crate = manifest.parent.name
        named = set(re.findall(r"^(covet-\w+)", manifest.read_text().split("[dependencies]")[-1], re.M))
        for other in named:
            assert floors[other] < floors[crate], f"{crate} must not depend on {other}"


def test_folders_of_the_border_crate_import_only_to_the_left() -> None:
    order = ["object", "json", "plan", "door", "binding"]
    for folder in order:
        above = order[order.index(folder) + 1 :]
        for path in (ROOT / "crates/covet-python/src" / folder).rglob("*.rs"):
            used = set(re.findall(r"crate::(\w+)", path.read_text()))
            assert not used & set(above), f"{relative(path)} imports {used & set(above)}"


def test_crates_keep_the_workspace_lints() -> None:
    for manifest in (ROOT / "crates").glob("*/Cargo.toml"):
        assert "[lints]\nworkspace = true" in manifest.read_text(), manifest
