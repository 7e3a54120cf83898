"""Header fields as a case-insensitive multidict over the list of byte pairs that ASGI uses.

Names are stored in lower case. A `MutableHeaders` writes into the very list it was given: what a
middleware changes there is what is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

__all__ = ["Headers", "MutableHeaders"]

RawHeaders = list[tuple[bytes, bytes]]


class Headers(Mapping[str, str]):
    """Read-only header fields from a mapping, from raw pairs, or from the scope that holds them."""

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        raw: RawHeaders | None = None,
        scope: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._list: RawHeaders
        if headers is not None:
            assert raw is None, 'Cannot set both "headers" and "raw".'
            assert scope is None, 'Cannot set both "headers" and "scope".'
            self._list = [(_name(key), value.encode("latin-1")) for key, value in headers.items()]
        elif raw is not None:
            assert scope is None, 'Cannot set both "raw" and "scope".'
            self._list = raw
        elif scope is not None:
            # ASGI allows any iterable; what is written through this object must reach the scope.
            self._list = scope["headers"] = list(scope["headers"])
        else:
            self._list = []

    @property
    def raw(self) -> RawHeaders:
        """Return a copy of the pairs."""
        return list(self._list)

    def keys(self) -> list[str]:  # type: ignore[override]
        """Return every name, repeated names too."""
        return [key.decode("latin-1") for key, _ in self._list]

    def values(self) -> list[str]:  # type: ignore[override]
        """Return every value."""
        return [value.decode("latin-1") for _, value in self._list]

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """Return every pair."""
        return [(key.decode("latin-1"), value.decode("latin-1")) for key, value in self._list]

    def getlist(self, key: str) -> list[str]:
        """Return every value of one name."""
        wanted = _name(key)
        return [value.decode("latin-1") for name, value in self._list if name == wanted]

    def mutablecopy(self) -> MutableHeaders:
        """Return a copy that can be changed."""
        return MutableHeaders(raw=self._list[:])

    def __getitem__(self, key: str) -> str:
        wanted = _name(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the first value of `key`, or `default`."""
        wanted = _name(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        return default

    def __contains__(self, key: Any) -> bool:
        wanted = _name(key)
        for name, _ in self._list:  # noqa: SIM110 - a generator would cost more than the loop
            if name == wanted:
                return True
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Headers) and sorted(self._list) == sorted(other._list)

    def __repr__(self) -> str:
        shown = dict(self.items())
        if len(shown) == len(self._list):
            return f"{type(self).__name__}({shown!r})"
        return f"{type(self).__name__}(raw={self.raw!r})"


class MutableHeaders(Headers):
    """Header fields that can be changed in place."""

    @property
    def raw(self) -> RawHeaders:
        """Return the pairs themselves: a live list."""
        return self._list

    def __setitem__(self, key: str, value: str) -> None:
        """Set `key` at the place of its first field, removing the others, or at the end."""
        name = _name(key)
        pair = (name, value.encode("latin-1"))
        places = self._places(name)
        if not places:
            self._list.append(pair)
            return
        self._list[places[0]] = pair
        for place in reversed(places[1:]):
            del self._list[place]

    def __delitem__(self, key: str) -> None:
        """Remove every field of that name; a missing name is no error."""
        for place in reversed(self._places(_name(key))):
            del self._list[place]

    def _places(self, name: bytes) -> list[int]:
        return [place for place, pair in enumerate(self._list) if pair[0] == name]

    def __ior__(self, other: Mapping[str, str]) -> MutableHeaders:
        self.update(_mapping(other))
        return self

    def __or__(self, other: Mapping[str, str]) -> MutableHeaders:
        joined = Headers.mutablecopy(self)
        joined.update(_mapping(other))
        return joined

    def setdefault(self, key: str, value: str) -> str:
        """Return the value of `key`, which becomes `value` if it is missing."""
        name = _name(key)
        encoded = value.encode("latin-1")
        for present, found in self._list:
            if present == name:
                return found.decode("latin-1")
        self._list.append((name, encoded))
        return value

    def update(self, other: Mapping[str, str]) -> None:
        """Set every name of another mapping."""
        for key, value in other.items():
            self[key] = value

    def append(self, key: str, value: str) -> None:
        """Add a field, keeping those of the same name."""
        self._list.append((_name(key), value.encode("latin-1")))

    def add_vary_header(self, vary: str) -> None:
        """Add a name to `Vary`, as one field."""
        self["vary"] = ", ".join([*self.getlist("vary"), vary])


# Names come from code, not from clients: the same few over and over.
@lru_cache(maxsize=1024)
def _name(key: str) -> bytes:
    return key.lower().encode("latin-1")


def _mapping(other: Any) -> Mapping[str, str]:
    if not isinstance(other, Mapping):
        raise TypeError(f"Expected a mapping but got {other.__class__.__name__}")
    return other
