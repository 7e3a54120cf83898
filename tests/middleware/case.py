"""The literate cases of `cases/*.md` as data.

`test_cases.py` runs them against applications with the Python classes, at each door, and
`crates/covet-middleware/tests/cases.rs` against the Rust objects. A file is named after its rule and begins
with prose. `## name` begins a group of cases with one middleware, whose blocks are:

- `options`: the arguments of the Python class, in JSON.
- `native`: what its `native()` gives, in JSON: bytes as Latin-1 text, a pattern's `fullmatch` as the pattern.

`### name` begins a case:

- `request`: the method, then a line for each field.
- `app`, if it is not `DEFAULT`: what the application answers. A status, a line for each field, an empty line
  and the body, whose line ends do not count. After `app stream` each of its lines is one piece of a stream.
- `answer`: what the client gets, in the same form, with all fields in order. After `answer gzip` the body
  stands here as it is when decompressed. `{length}` is the number of bytes sent; `name?` may be missing.

Escapes and `{{text*count}}` are those of `tests/wire`.
"""

import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..wire.case import Case as WireCase

Fields = list[tuple[bytes, bytes]]

unescape = WireCase.unescape
BLOCK = re.compile(r"^```(\S[^\n]*)\n(.*?)\n?```$", re.MULTILINE | re.DOTALL)
DEFAULT = "200\ncontent-length: 5\ncontent-type: text/plain; charset=utf-8\n\nhello"


@dataclass(frozen=True)
class Message:
    """An answer: of the application or of the middleware around it."""

    status: int
    fields: Fields
    pieces: list[bytes]
    is_stream: bool = False
    is_gzip: bool = False

    @classmethod
    def parse(cls, text: str, kind: str = "") -> "Message":
        head, _, body = text.partition("\n\n")
        status, *fields = head.split("\n")
        pieces = [unescape(line) for line in body.split("\n")] if body else []
        return cls(
            int(status), [read_field(line) for line in fields], pieces, kind == "stream", kind == "gzip"
        )

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def check(self, status: int, fields: Fields, raw: bytes) -> None:
        """Compare with what came back."""
        expected = []
        names = {name for name, _ in fields}
        for name, value in self.fields:
            if name.endswith(b"?") and name[:-1] not in names:
                continue
            expected.append((name.removesuffix(b"?"), value.replace(b"{length}", b"%d" % len(raw))))
        body = gzip.decompress(raw) if self.is_gzip else raw
        assert (status, fields, body) == (self.status, expected, self.body)


@dataclass
class Case:
    """One `###` section."""

    name: str
    method: str = ""
    request: Fields = field(default_factory=list)
    app: Message = field(default_factory=lambda: Message.parse(DEFAULT))
    answer: Message = field(default_factory=lambda: Message.parse(DEFAULT))

    def add(self, info: str, text: str) -> None:
        """Take a fenced block."""
        block, _, kind = info.partition(" ")
        if block == "request":
            self.method, *lines = text.split("\n")
            self.request = [read_field(line) for line in lines]
        else:
            assert block in ("app", "answer"), info
            setattr(self, block, Message.parse(text, kind))


@dataclass
class Group:
    """One `##` section: a middleware with its options, and the cases that it is put to."""

    name: str
    rule: str
    options: dict[str, Any]
    native: dict[str, Any]
    cases: list[Case]

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


def read_field(line: str) -> tuple[bytes, bytes]:
    name, _, value = line.partition(":")
    return name.encode(), unescape(value.strip())


def read_group(rule: str, section: str) -> Group:
    """Parse what follows `## `."""
    head, *rest = re.split(r"^### ", section, flags=re.MULTILINE)
    given = {info: json.loads(text) for info, text in BLOCK.findall(head)}
    assert given.keys() == {"options", "native"}, head
    cases = []
    for part in rest:
        cases.append(Case(part.partition("\n")[0]))
        for info, text in BLOCK.findall(part):
            cases[-1].add(info, text)
    return Group(head.partition("\n")[0], rule, given["options"], given["native"], cases)


def read_groups(folder: Path) -> list[Group]:
    """All groups of all files, in order; a file is named after its rule."""
    groups = []
    for path in sorted(folder.glob("*.md")):
        sections = re.split(r"^## ", path.read_text(), flags=re.MULTILINE)[1:]
        groups += [read_group(path.stem, section) for section in sections]
    return groups
