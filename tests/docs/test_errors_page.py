"""docs/errors.md against the source: every message it lists is one that can come, and ours are all listed."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/errors.md").read_text()
SOURCES = sorted((ROOT / "python/covet").rglob("*.py"))
PYTHONS_OWN = {"maximum recursion depth exceeded"}
# What users of handlers, dependencies and middleware meet.
LISTED = ("unanswered.py", "params.py", "requests.py", "asgi_application.py", "cycles.py")
LISTED_FOLDERS = ("contract", "dependencies", "routing", "validation", "compat")
OURS = {"FastAPIError", "DependencyScopeError", "TypeError", "ValueError", "RuntimeError", "CompatError"}
# Of calls without an application around them; they say everything themselves.
UNLISTED = re.compile(r"url_for|lifespan scope")


def constants(tree: ast.AST) -> Iterator[str]:
    """The texts of a module, those of f-strings in one piece with … for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.ClassDef):
            yield node.name


def messages() -> Iterator[str]:
    for line in PAGE.splitlines():
        if line.startswith("| `") and line.count("|") == 4:
            yield from re.findall(r"`([^`]+)`", line.split("|")[1])


def raised(tree: ast.AST) -> Iterator[str]:
    """The first literal text of every error that a module raises."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args):
            continue
        name = getattr(node.exc.func, "id", "")
        texts = list(constants(node.exc.args[0]))
        if name in OURS and texts:
            yield max(texts, key=len)


def test_every_listed_message_is_in_the_source() -> None:
    texts = "\n".join(text for path in SOURCES for text in constants(ast.parse(path.read_text())))
    listed = list(messages())
    assert len(listed) > 50
    missing = [
        message
        for message in listed
        if message not in PYTHONS_OWN and not all(part.strip() in texts for part in message.split("…"))
    ]
    assert missing == []


def test_every_error_of_ours_is_listed() -> None:
    listed = [re.split("…", message) for message in messages()]
    unlisted = []
    for path in SOURCES:
        place = path.relative_to(ROOT / "python/covet")
        if place.parts[0] not in LISTED_FOLDERS and str(place) not in LISTED:
            continue
        for text in raised(ast.parse(path.read_text())):
            known = any(all(part.strip() in text for part in parts) for parts in listed)
            if not known and not UNLISTED.search(text):
                unlisted.append(f"{place}: {text}")
    assert unlisted == []
