"""Starlette's module layout over `covet`: every module here only names what is defined elsewhere.

Assigning to a module of this package also assigns where the name is used, so that a replaced function is
the one that runs.
"""

__version__ = "1.10.0"

__all__ = ["__version__"]
