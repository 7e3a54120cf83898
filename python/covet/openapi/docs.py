"""The pages that show a document: Swagger UI, ReDoc, and where OAuth2 providers send users back to.

Everything that comes from outside is escaped for the place it stands at.
"""

from __future__ import annotations

import html
import json
from string import Template
from typing import Any

from covet.encoders import jsonable_encoder
from covet.responses import HTMLResponse

__all__ = [
    "get_redoc_html",
    "get_swagger_ui_html",
    "get_swagger_ui_oauth2_redirect_html",
    "swagger_ui_default_parameters",
]

swagger_ui_default_parameters: dict[str, Any] = {
    "dom_id": "#swagger-ui",
    "layout": "BaseLayout",
    "deepLinking": True,
    "showExtensions": True,
    "showCommonExtensions": True,
}

_SWAGGER_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="$favicon">
<link rel="stylesheet" type="text/css" href="$css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="$js"></script>
<script>
const ui = SwaggerUIBundle({
    url: '$url',
$settings
    presets: [
        SwaggerUIBundle.presets.apis,
        SwaggerUIBundle.SwaggerUIStandalonePreset
    ],
})
$after
</script>
</body>
</html>
""")

_REDOC_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="$favicon">$fonts
<style>body { margin: 0; padding: 0 }</style>
</head>
<body>
<noscript>This page is drawn by a script: please allow it to run.</noscript>
<redoc spec-url="$url"></redoc>
<script src="$js"></script>
</body>
</html>
""")

_FONTS = (
    '\n<link rel="stylesheet" '
    'href="https://fonts.googleapis.com/css?family=Montserrat:300,400,700|Roboto:300,400,700">'
)

# What Swagger UI expects of this page: it hands the provider's answer to the window that opened it.
_REDIRECT_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Swagger UI: OAuth2 Redirect</title>
</head>
<body>
<script>
'use strict'

function answerOfProvider() {
    const inFragment = /code|token|error/.test(window.location.hash)
    const text = inFragment ? window.location.hash.slice(1).replace('?', '&') :
    window.location.search.slice(1) return Object.fromEntries(new URLSearchParams(text))
}

function explain(answer) {
    if (!answer.error) {
        return '[Authorization failed]: no accessCode received from the server.'
    }
    const details = answer.error_description ? answer.error_description + '. ' : 'no accessCode received
    from the server. ' return '[' + answer.error + ']: ' + details + (answer.error_uri ? 'More info: ' +
    answer.error_uri : '')
}

function finish() {
    const oauth2 = window.opener.swaggerUIRedirectOauth2
    const redirectUrl = oauth2.redirectUrl
    const answer = answerOfProvider()
    const isValid = answer.state === oauth2.state
    const flow = oauth2.auth.schema.get('flow')
    const takesCode = ['accessCode', 'authorizationCode', 'authorization_code'].includes(flow)
    if (takesCode && !oauth2.auth.code) {
        if (!isValid) {
            oauth2.errCb({
                authId: oauth2.auth.name,
                source: 'auth',
                level: 'warning',
                message: 'Authorization may be unsafe: the state that came back is not the one that was
                sent.',
            })
        }
        if (answer.code) {
            delete oauth2.state
            oauth2.auth.code = answer.code
            oauth2.callback({auth: oauth2.auth, redirectUrl})
        } else {
            oauth2.errCb({authId: oauth2.auth.name, source: 'auth', level: 'error', message: explain(answer)})
        }
    } else {
        oauth2.callback({auth: oauth2.auth, token: answer, isValid, redirectUrl})
    }
    window.close()
}

if (document.readyState === 'loading') {
    document.addEventListener('DOMContentLoaded', finish)
} else {
    finish()
}
</script>
</body>
</html>
"""


def _in_script(value: Any) -> str:
    """Return a value as JSON that cannot end the script it stands in."""
    text = json.dumps(value)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _quoted(text: str) -> str:
    """Return text for a single-quoted string of a script."""
    return _in_script(text)[1:-1].replace('\\"', '"').replace("'", "\\u0027")


def get_swagger_ui_html(
    *,
    openapi_url: str,
    title: str,
    swagger_js_url: str = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui-bundle.js",
    swagger_css_url: str = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/swagger-ui.css",
    swagger_favicon_url: str = "https://fastapi.tiangolo.com/img/favicon.png",
    oauth2_redirect_url: str | None = None,
    init_oauth: dict[str, Any] | None = None,
    swagger_ui_parameters: dict[str, Any] | None = None,
) -> HTMLResponse:
    """Return the page of Swagger UI for the document at `openapi_url`.

    `swagger_ui_parameters` are its settings, over `swagger_ui_default_parameters`; `init_oauth` those of its
    "authorize" dialog.
    """
    settings = {**swagger_ui_default_parameters, **(swagger_ui_parameters or {})}
    lines = [f"{_in_script(key)}: {_in_script(jsonable_encoder(value))}," for key, value in settings.items()]
    if oauth2_redirect_url:
        lines.append(f"oauth2RedirectUrl: window.location.origin + '{_quoted(oauth2_redirect_url)}',")
    page = _SWAGGER_PAGE.substitute(
        title=html.escape(title),
        favicon=html.escape(swagger_favicon_url),
        css=html.escape(swagger_css_url),
        js=html.escape(swagger_js_url),
        url=_quoted(openapi_url),
        settings="\n".join(lines),
        after=f"ui.initOAuth({_in_script(jsonable_encoder(init_oauth))})" if init_oauth else "",
    )
    return HTMLResponse(page)


def get_redoc_html(
    *,
    openapi_url: str,
    title: str,
    redoc_js_url: str = "https://cdn.jsdelivr.net/npm/redoc@2/bundles/redoc.standalone.js",
    redoc_favicon_url: str = "https://fastapi.tiangolo.com/img/favicon.png",
    with_google_fonts: bool = True,
) -> HTMLResponse:
    """Return the page of ReDoc for the document at `openapi_url`."""
    page = _REDOC_PAGE.substitute(
        title=html.escape(title),
        favicon=html.escape(redoc_favicon_url),
        fonts=_FONTS if with_google_fonts else "",
        url=html.escape(openapi_url),
        js=html.escape(redoc_js_url),
    )
    return HTMLResponse(page)


def get_swagger_ui_oauth2_redirect_html() -> HTMLResponse:
    """Return the page that finishes an OAuth2 authorization of Swagger UI."""
    return HTMLResponse(_REDIRECT_PAGE)
