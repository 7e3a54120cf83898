"""A document as YAML, through PyYAML: `pip install 'covetpy[yaml]'`."""

from __future__ import annotations

from typing import Any

import yaml

__all__ = ["to_yaml"]

# The one in C is ten times as fast and not in every build of PyYAML.
_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        # Parts that are one object in memory are written out: readers of documents know no anchors.
        return True


def to_yaml(document: dict[str, Any]) -> str:
    """Return a document, plain data without cycles, as YAML, its keys in their own order."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text
