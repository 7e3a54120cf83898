"""FastAPI's name for `covet.security.authorization`; re-exports only."""

from covet.security.authorization import get_authorization_scheme_param

__all__ = ["get_authorization_scheme_param"]
