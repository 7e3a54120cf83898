"""FastAPI's name for `covet.routing.form_limits`; re-exports only."""

from covet.routing.form_limits import FormLimits as _FormLimits
from covet.routing.form_limits import validate_form_limits as _validate_form_limits

__all__ = ["_FormLimits", "_validate_form_limits"]
