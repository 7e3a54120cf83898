"""Why a route stays on the Python path: raised inside the plan compiler, shown by `route.plan` and `covet
routes`.
"""

__all__ = ["NotNative"]


class NotNative(Exception):
    """Something of a route that a plan cannot say with certainty."""
