"""FastAPI's functions that make pages: Swagger UI, ReDoc, and where OAuth2 providers send users back to."""

from __future__ import annotations

from typing import Any

from covet.openapi.pages import RedocPage, SwaggerPage, swagger_ui_default_parameters
from covet.responses import HTMLResponse

__all__ = [
    "get_redoc_html",
    "get_swagger_ui_html",
    "get_swagger_ui_oauth2_redirect_html",
    "swagger_ui_default_parameters",
]

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
    const text = inFragment
        ? window.location.hash.slice(1).replace('?', '&')
        : window.location.search.slice(1)
    return Object.fromEntries(new URLSearchParams(text))
}

function explain(answer) {
    if (!answer.error) {
        return '[Authorization failed]: no accessCode received from the server.'
    }
    const details = answer.error_description || 'no accessCode received from the server'
    const more = answer.error_uri ? ' More info: ' + answer.error_uri : ''
    return '[' + answer.error + ']: ' + details + '.' + more
}

function finish() {
    const oauth2 = window.opener.swaggerUIRedirectOauth2
    const redirectUrl = oauth2.redirectUrl
    const answer = answerOfProvider()
    const isValid = answer.state === oauth2.state
    const flow = oauth2.auth.schema.get('flow')
    const takesCode = ['accessCode', 'authorizationCode', 'authorization_code'].includes(flow)
    const authId = oauth2.auth.name
    const report = (level, message) => oauth2.errCb({authId, source: 'auth', level, message})
    if (!takesCode || oauth2.auth.code) {
        oauth2.callback({auth: oauth2.auth, token: answer, isValid, redirectUrl})
    } else if (answer.code) {
        if (!isValid) {
            report('warning', 'Authorization may be unsafe: another state came back than was sent.')
        }
        delete oauth2.state
        oauth2.auth.code = answer.code
        oauth2.callback({auth: oauth2.auth, redirectUrl})
    } else {
        report('error', explain(answer))
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
    page = SwaggerPage(
        openapi_url=openapi_url,
        title=title,
        js=swagger_js_url,
        css=swagger_css_url,
        favicon=swagger_favicon_url,
        oauth2_redirect_url=oauth2_redirect_url,
        init_oauth=init_oauth,
        parameters=swagger_ui_parameters,
    )
    return HTMLResponse(page.render())


def get_redoc_html(
    *,
    openapi_url: str,
    title: str,
    redoc_js_url: str = "https://cdn.jsdelivr.net/npm/redoc@2/bundles/redoc.standalone.js",
    redoc_favicon_url: str = "https://fastapi.tiangolo.com/img/favicon.png",
    with_google_fonts: bool = True,
) -> HTMLResponse:
    """Return the page of ReDoc for the document at `openapi_url`."""
    page = RedocPage(
        openapi_url=openapi_url,
        title=title,
        js=redoc_js_url,
        favicon=redoc_favicon_url,
        with_google_fonts=with_google_fonts,
    )
    return HTMLResponse(page.render())


def get_swagger_ui_oauth2_redirect_html() -> HTMLResponse:
    """Return the page that finishes an OAuth2 authorization of Swagger UI."""
    return HTMLResponse(_REDIRECT_PAGE)
