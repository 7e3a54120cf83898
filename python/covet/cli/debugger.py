"""Whether a debugger is attached, so that `covet dev` serves in the process that it watches."""

import sys

__all__ = ["debugger"]

MODULES = ("pydevd", "debugpy")


def debugger() -> str | None:
    """Return the name of the debugger that traces this process, or None.

    A tracer that measures coverage is none: nobody waits at its breakpoints.
    """
    trace = sys.gettrace()
    if trace is not None:
        owner = getattr(trace, "__module__", None) or type(trace).__module__
        if owner.split(".")[0] != "coverage":
            return owner.split(".")[0]
    if sys.version_info >= (3, 12):
        tool = sys.monitoring.get_tool(sys.monitoring.DEBUGGER_ID)
        if tool is not None:
            return tool
    return next((name for name in MODULES if name in sys.modules), None)
