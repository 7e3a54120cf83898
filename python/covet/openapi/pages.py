"""The HTML of the pages that show a document: what is written where, and that it cannot break out of there.

`docs` has FastAPI's functions around these; `endpoints` serves the pages with the packaged files.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Any, Literal

from covet.encoders import jsonable_encoder

__all__ = ["FAVICON", "Entry", "RedocPage", "SwaggerPage", "Theme", "swagger_ui_default_parameters"]

Theme = Literal["auto", "light", "dark"]

swagger_ui_default_parameters: dict[str, Any] = {
    "dom_id": "#swagger-ui",
    "layout": "BaseLayout",
    "deepLinking": True,
    "showExtensions": True,
    "showCommonExtensions": True,
}

FAVICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%230f766e'/%3E"
    "%3Cpath d='M22 11a8 8 0 1 0 0 10' fill='none' stroke='white' stroke-width='4' stroke-linecap='round'/%3E"
    "%3C/svg%3E"
)

_SWAGGER = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="$favicon">
<link rel="stylesheet" type="text/css" href="$css">$theme
</head>
<body>
<div id="swagger-ui"></div>
<script src="$js"></script>$preset_script
<script>
const ui = SwaggerUIBundle({
    url: '$url',
$settings
    presets: [
        SwaggerUIBundle.presets.apis,
        $preset
    ],
})
$after
</script>
</body>
</html>
""")

_REDOC = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="$favicon">$fonts
<style>body { margin: 0; padding: 0 }$style</style>
</head>
<body>$selector
<noscript>This page is drawn by a script: please allow it to run.</noscript>
$element
<script src="$js"></script>$start
</body>
</html>
""")

_FONTS = (
    '\n<link rel="stylesheet" '
    'href="https://fonts.googleapis.com/css?family=Montserrat:300,400,700|Roboto:300,400,700">'
)

# The top bar turns dark by itself where the browser wishes it; a theme that was chosen comes after it.
_SWAGGER_THEME = Template("""
<script>
const preference = window.matchMedia('(prefers-color-scheme: dark)')
const drawTheme = () => document.documentElement.classList.toggle('dark-mode', $dark)
preference.addEventListener('change', drawTheme)
drawTheme()
</script>""")

_REDOC_START = Template("""
<script>
const preference = window.matchMedia('(prefers-color-scheme: dark)')
const dark = $dark
document.documentElement.classList.toggle('dark-mode', dark)
preference.addEventListener('change', () => $dark !== dark && window.location.reload())
Redoc.init('$url', {theme: dark ? $dark_theme : $light_theme}, document.getElementById('redoc'))
</script>""")

# What ReDoc draws in one colour whatever its theme says.
_REDOC_STYLE = """
html.dark-mode, html.dark-mode body { background: #1b2022; color-scheme: dark }
html.dark-mode h5, html.dark-mode h5 > span { color: #a9b0b3; border-color: #4b5356 }
html.dark-mode h5 + svg polygon { fill: #a9b0b3 }
html.dark-mode svg { fill: #e4e6e6 }
html.dark-mode .react-tabs__tab--selected { background: #3a4043 !important }
nav { padding: 8px 16px; font: 14px system-ui, sans-serif; background: #0f766e; color: #fff }
nav select { font: inherit }"""

_TYPE = "system-ui, sans-serif"
_LIGHT: dict[str, Any] = {"typography": {"fontFamily": _TYPE, "headings": {"fontFamily": _TYPE}}}
_DARK: dict[str, Any] = {
    "colors": {
        "primary": {"main": "#5eead4"},
        "success": {"main": "#4ade80"},
        "error": {"main": "#f87171"},
        "warning": {"main": "#fbbf24", "contrastText": "#1b2022"},
        "gray": {"50": "#24292c", "100": "#2e3437"},
        "border": {"dark": "#4b5356", "light": "#3a4043"},
        "text": {"primary": "#e4e6e6", "secondary": "#a9b0b3"},
        "responses": {
            "success": {"color": "#4ade80", "backgroundColor": "#1f3328", "tabTextColor": "#4ade80"},
            "error": {"color": "#f87171", "backgroundColor": "#3a2527", "tabTextColor": "#f87171"},
        },
    },
    "schema": {"nestedBackground": "#24292c", "linesColor": "#4b5356", "typeNameColor": "#a9b0b3"},
    "sidebar": {"backgroundColor": "#24292c", "textColor": "#e4e6e6"},
    "rightPanel": {"backgroundColor": "#14181a"},
    "typography": {
        **_LIGHT["typography"],
        "code": {"color": "#fca5a5", "backgroundColor": "#2e3437"},
        "links": {"color": "#5eead4", "visited": "#5eead4", "hover": "#99f6e4"},
    },
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One of several documents that a page offers: its name, where it is, and its own page if it has one."""

    name: str
    openapi_url: str
    page_url: str = ""


def _in_script(value: Any) -> str:
    """Return a value as JSON that cannot end the script it stands in."""
    text = json.dumps(value)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _quoted(text: str) -> str:
    """Return text for a single-quoted string of a script."""
    return _in_script(text)[1:-1].replace('\\"', '"').replace("'", "\\u0027")


def _is_dark(theme: Theme) -> str:
    """Return the script's question whether to be dark."""
    return {"auto": "preference.matches", "light": "false", "dark": "true"}[theme]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwaggerPage:
    """Swagger UI for the document at `openapi_url`.

    `parameters` go over `swagger_ui_default_parameters`. With no `theme` the page has the one of its style
    sheet. `entries` are shown in a top bar, which needs `preset_js`.
    """

    openapi_url: str
    title: str
    js: str
    css: str
    favicon: str
    oauth2_redirect_url: str | None = None
    init_oauth: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    theme: Theme | None = None
    entries: Sequence[Entry] = field(default=())
    preset_js: str = ""

    def render(self) -> str:
        """Return the page."""
        oauth = _in_script(jsonable_encoder(self.init_oauth))
        preset_script, preset = "", "SwaggerUIBundle.SwaggerUIStandalonePreset"
        if self.entries:
            preset_script = f'\n<script src="{html.escape(self.preset_js)}"></script>'
            preset = "SwaggerUIStandalonePreset"
        return _SWAGGER.substitute(
            title=html.escape(self.title),
            favicon=html.escape(self.favicon),
            css=html.escape(self.css),
            js=html.escape(self.js),
            url=_quoted(self.openapi_url),
            settings="\n".join(self._settings()),
            theme=_SWAGGER_THEME.substitute(dark=_is_dark(self.theme)) if self.theme else "",
            preset_script=preset_script,
            preset=preset,
            after=f"ui.initOAuth({oauth})" if self.init_oauth else "",
        )

    def _settings(self) -> list[str]:
        settings = dict(swagger_ui_default_parameters)
        if self.entries:
            settings |= {
                "layout": "StandaloneLayout",
                "urls": [{"url": entry.openapi_url, "name": entry.name} for entry in self.entries],
                "urls.primaryName": next(
                    (entry.name for entry in self.entries if entry.openapi_url == self.openapi_url), None
                ),
                # Its default sends the document's address to a site of the makers of Swagger UI.
                "validatorUrl": None,
            }
        settings |= self.parameters or {}
        lines = [
            f"{_in_script(key)}: {_in_script(jsonable_encoder(value))}," for key, value in settings.items()
        ]
        if self.oauth2_redirect_url:
            redirect_url = _quoted(self.oauth2_redirect_url)
            lines.append(f"oauth2RedirectUrl: window.location.origin + '{redirect_url}',")
        if self.theme and self.entries:
            lines.append("onComplete: drawTheme,")
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class RedocPage:
    """ReDoc for the document at `openapi_url`; the rest is as for `SwaggerPage`."""

    openapi_url: str
    title: str
    js: str
    favicon: str
    with_google_fonts: bool = False
    theme: Theme | None = None
    entries: Sequence[Entry] = field(default=())

    def render(self) -> str:
        """Return the page."""
        element = f'<redoc spec-url="{html.escape(self.openapi_url)}"></redoc>'
        start = ""
        if self.theme:
            element = '<div id="redoc"></div>'
            start = _REDOC_START.substitute(
                dark=_is_dark(self.theme),
                url=_quoted(self.openapi_url),
                dark_theme=_in_script(_DARK),
                light_theme=_in_script(_LIGHT),
            )
        return _REDOC.substitute(
            title=html.escape(self.title),
            favicon=html.escape(self.favicon),
            fonts=_FONTS if self.with_google_fonts else "",
            style=_REDOC_STYLE if self.theme else "",
            selector=self._selector(),
            element=element,
            js=html.escape(self.js),
            start=start,
        )

    def _selector(self) -> str:
        if not self.entries:
            return ""
        options = "".join(
            f'<option value="{html.escape(entry.page_url)}"'
            f"{' selected' * (entry.openapi_url == self.openapi_url)}>{html.escape(entry.name)}</option>"
            for entry in self.entries
            if entry.page_url
        )
        change = "window.location.href = this.value"
        return f'\n<nav><label>API <select onchange="{change}">{options}</select></label></nav>'
