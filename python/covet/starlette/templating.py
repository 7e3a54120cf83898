"""Responses from templates. Re-exports only."""

from covet.starlette.mirror import mirror
from covet.templating import Jinja2Templates
from covet.templating import _TemplateResponse as _TemplateResponse

__all__ = [
    "Jinja2Templates",
]

mirror(__name__, "covet.templating")
