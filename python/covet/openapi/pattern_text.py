"""A text that a regular expression matches, for examples: the shortest way through it.

It knows the plain parts of the language. What it makes of others is tried against the expression, so that a
text is right or there is none.
"""

from __future__ import annotations

import re
import string
import warnings

__all__ = ["is_found", "text_for"]

_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r"}
_PREFERRED = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation + " "
_LENGTH = 200  # repetitions and texts past this are given up


def text_for(pattern: str) -> str | None:
    """Return a text in which the pattern is found, or None where that is beyond this module."""
    try:
        text = _Reader(pattern).alternatives()
    except (re.error, ValueError, IndexError, StopIteration, RecursionError):
        return None
    return text if is_found(pattern, text) else None


def is_found(pattern: str, text: str) -> bool:
    """Say whether the pattern is found in a text; one that Python cannot read is found in none."""
    try:
        return _compiled(pattern).search(text) is not None
    except re.error:
        return False


def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        # Of sets that a later Python may read in another way; what counts is how this one does.
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(pattern)


class _Reader:
    """Reads an expression from left to right and writes what fits."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at = pattern, 0

    def _next(self) -> str:
        self._at += 1
        return self._pattern[self._at - 1]

    def _sees(self, text: str) -> bool:
        return self._pattern.startswith(text, self._at)

    def alternatives(self) -> str:
        """Return the text of the first alternative, up to the end of the group."""
        text = self._sequence()
        while self._sees("|"):
            self._at += 1
            self._sequence()
        return text

    def _sequence(self) -> str:
        text = ""
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            part, times = self._part(), self._times()
            if len(text) + len(part) * times > _LENGTH:
                raise ValueError("the text becomes too long")
            text += part * times
        return text

    def _part(self) -> str:
        mark = self._next()
        if mark == "(":
            return self._group()
        if mark == "[":
            return self._set()
        if mark == "\\":
            letter = self._next()
            if letter in "bBAZz":
                return ""
            return _CLASSES.get(letter, letter)
        return {"^": "", "$": "", ".": "a"}.get(mark, mark)

    def _group(self) -> str:
        looks_around = self._sees("?=") or self._sees("?!") or self._sees("?<=") or self._sees("?<!")
        if self._sees("?:"):
            self._at += 2
        elif self._sees("?P<") or (self._sees("?<") and not looks_around):
            self._at = self._pattern.index(">", self._at) + 1
        elif self._sees("?"):
            self._at += 2 + self._sees("?<")
        text = self.alternatives()
        if self._next() != ")":
            raise ValueError("a group has no end")
        return "" if looks_around else text

    def _set(self) -> str:
        """Return one character of a set; the text of the set itself says which are in it."""
        start = self._at - 1
        if self._sees("^"):
            self._at += 1
        if self._sees("]"):
            self._at += 1
        while not self._sees("]"):
            if self._at >= len(self._pattern):
                raise ValueError("a set has no end")
            self._at += 2 if self._sees("\\") else 1
        self._at += 1
        members = _compiled(self._pattern[start : self._at])
        return next(character for character in _PREFERRED if members.match(character))

    def _times(self) -> int:
        """Return the fewest repetitions, but one where none would do as well."""
        count = 1
        if self._sees("{"):
            found = re.compile(r"\{(\d*)(,\d*)?\}").match(self._pattern, self._at)
            if found:
                self._at = found.end()
                count = int(found[1] or 0)
        elif self._sees("*") or self._sees("?"):
            self._at += 1
            count = 0
        elif self._sees("+"):
            self._at += 1
        if self._sees("?") or self._sees("+"):
            self._at += 1  # lazy or possessive
        return count
