"""The literate cases as data, for both Python tests of this folder. `test_wire.py` describes the format."""

import re
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```(\S[^\n]*)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


@dataclass(frozen=True)
class Send:
    """Bytes for the server, and whether nothing follows them."""

    bytes: bytes
    eof: bool


@dataclass(frozen=True)
class Expect:
    """The answers to all that was sent so far."""

    lines: tuple[str, ...]


@dataclass
class Case:
    """One `##` section."""

    name: str
    steps: list[Send | Expect] = field(default_factory=list)

    def __str__(self) -> str:
        return self.name

    def add(self, info: str, text: str) -> None:
        """Take a fenced block as the next step."""
        if info == "expect":
            self.steps.append(Expect(tuple(text.splitlines())))
        else:
            assert info in ("http", "http eof"), info
            self.steps.append(Send(self.unescape(text.replace("\n", "")), info.endswith("eof")))

    @staticmethod
    def unescape(text: str) -> bytes:
        """Turn the notation of the cases into bytes."""
        parts = []
        for part in re.split(r"({{.*?}})", text):
            if part.startswith("{{"):
                unit, _, count = part[2:-2].rpartition("*")
                parts.append(unescape_plain(unit) * int(count))
            else:
                parts.append(unescape_plain(part))
        return b"".join(parts)


def unescape_plain(text: str) -> bytes:
    """Turn escapes into bytes; everything else stands for itself."""
    parts = []
    for found in re.finditer(r"\\x([0-9a-f]{2})|\\(.)|([^\\]+)", text):
        if found[1]:
            parts.append(bytes.fromhex(found[1]))
        else:
            parts.append(ESCAPES[found[2]] if found[2] else found[3].encode())
    return b"".join(parts)


def read_cases(folder: Path) -> list[Case]:
    """All cases of all files, in order."""
    cases: list[Case] = []
    for path in sorted(folder.glob("*.md")):
        for section in re.split(r"^## ", path.read_text(), flags=re.MULTILINE)[1:]:
            name, _, rest = section.partition("\n")
            cases.append(Case(f"{path.stem}: {name}"))
            for info, text in BLOCK.findall(rest):
                cases[-1].add(info, text)
    assert cases, f"no cases in {folder}"
    return cases
