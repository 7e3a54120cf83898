"""The installed version of covet, wherever a command prints it."""

import covet

__all__ = ["version"]


def version() -> str:
    """Return the version, such as 0.1.0."""
    return str(getattr(covet, "__version__", "0.0.0"))
