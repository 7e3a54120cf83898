"""One browser for all tests of this folder, and an application with every kind of security scheme."""

from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlencode

import pytest
from pydantic import BaseModel

from covet import APIRouter, CovetPy, Form, Security
from covet.openapi.bundles import BUNDLES
from covet.responses import RedirectResponse
from covet.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    HTTPDigest,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OpenIdConnect,
)
from covet.testing.live import serve

from .driver import Browser, missing_programs


def _reason_to_skip() -> str:
    if missing_programs():
        return (
            f"{' and '.join(missing_programs())} not found; install with: scripts/test-packages.sh (as root)"
        )
    if not all(bundle.is_packaged() for bundle in BUNDLES):
        return "the files of the pages are not packaged; fetch them with: scripts/fetch-ui.py"
    return ""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    reason = _reason_to_skip()
    if reason:
        pytest.skip(reason)
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


class Book(BaseModel):
    title: str
    pages: int = 1


SCHEMES = {
    "basic": HTTPBasic(scheme_name="Basic"),
    "bearer": HTTPBearer(scheme_name="Bearer"),
    "digest": HTTPDigest(scheme_name="Digest"),
    "key-header": APIKeyHeader(name="X-Key", scheme_name="KeyHeader"),
    "key-query": APIKeyQuery(name="key", scheme_name="KeyQuery"),
    "key-cookie": APIKeyCookie(name="key", scheme_name="KeyCookie"),
    "password": OAuth2PasswordBearer("/token", scheme_name="Password", scopes={"read": "Read books"}),
    "code": OAuth2AuthorizationCodeBearer("/authorize", "/exchange", scheme_name="Code"),
    "openid": OpenIdConnect(openIdConnectUrl="/openid", scheme_name="OpenId"),
}


def make_app(**options: Any) -> CovetPy:
    """A small API; `/who/NAME` answers with the credentials of one scheme."""
    app = CovetPy(title="Books", swagger_ui_init_oauth={"clientId": "books-page"}, **options)
    books = APIRouter(prefix="/books", tags=["books"])

    @books.get("/{number}")
    def read(number: int) -> Book:
        return Book(title=f"Volume {number}")

    @books.post("/")
    def add(book: Book) -> Book:
        return book

    app.include_router(books)
    for name, scheme in SCHEMES.items():
        _add_who(app, name, scheme)
    _add_provider(app)
    return app


def _add_who(app: CovetPy, name: str, scheme: Any) -> None:
    def who(credentials: Annotated[Any, Security(scheme)]) -> dict[str, str]:
        if isinstance(credentials, HTTPBasicCredentials):
            return {"who": f"{credentials.username} and {credentials.password}"}
        return {"who": str(getattr(credentials, "credentials", credentials))}

    app.get(f"/who/{name}", tags=["who"], name=name)(who)


class Grant(BaseModel):
    username: str = ""
    code: str = ""


def _add_provider(app: CovetPy) -> None:
    """What issues tokens: for a name, or for the code that it sends the browser back with."""

    @app.post("/token", include_in_schema=False)
    def token(grant: Annotated[Grant, Form()]) -> dict[str, str]:
        return {"access_token": f"token-of-{grant.username}", "token_type": "bearer"}

    @app.post("/exchange", include_in_schema=False)
    def exchange(grant: Annotated[Grant, Form()]) -> dict[str, str]:
        return {"access_token": f"token-for-{grant.code}", "token_type": "bearer"}

    @app.get("/openid", include_in_schema=False)
    def openid() -> dict[str, Any]:
        return {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/exchange",
            "grant_types_supported": ["authorization_code"],
        }

    @app.get("/authorize", include_in_schema=False)
    def authorize(redirect_uri: str, state: str) -> RedirectResponse:
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': 'c0de', 'state': state})}")


@pytest.fixture
def served() -> Iterator[str]:
    """The address of the application with its default settings."""
    with serve(make_app()) as url:
        yield url
