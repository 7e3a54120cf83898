"""Field values with parameters (RFC 9110, section 5.6.6): `form-data; name="a"; filename="b.txt"`."""

from __future__ import annotations

__all__ = ["parse_options_header"]


def parse_options_header(value: str | bytes | None) -> tuple[bytes, dict[bytes, bytes]]:
    """Split a value into its lower-case word and its parameters, as bytes of latin-1.

    Extended parameters (`name*=`) are left out: RFC 7578, section 4.2, forbids them in forms. A file
    name that carries a whole Windows path is cut to its last part, as old browsers need it.
    """
    if not value:
        return b"", {}
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    word, *segments = _segments(text)
    options: dict[bytes, bytes] = {}
    for segment in segments:
        key, _, raw = segment.partition("=")
        key = key.strip(" \t").lower()
        if not key or "*" in key:
            continue
        content = _unquoted(raw.strip(" \t"))
        if key == "filename" and (content[1:3] == ":\\" or content[:2] == "\\\\"):
            content = content.rpartition("\\")[2]
        options[key.encode("latin-1")] = content.encode("latin-1")
    return word.strip(" \t").lower().encode("latin-1"), options


def _segments(text: str) -> list[str]:
    """Split at semicolons outside of quoted strings."""
    if '"' not in text:
        return text.split(";")
    found: list[str] = []
    start = 0
    quoted = escaped = False
    for place, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            found.append(text[start:place])
            start = place + 1
    found.append(text[start:])
    return found


def _unquoted(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return text[1:-1].replace("\\\\", "\\").replace('\\"', '"')
