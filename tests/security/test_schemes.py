"""Security schemes: what they read, how they refuse, on requests and on WebSockets."""

import base64
from typing import Annotated

import pytest

from covet import CovetPy, Depends, Security, WebSocket
from covet.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    HTTPDigest,
    OAuth2,
    OAuth2AuthorizationCodeBearer,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    OAuth2PasswordRequestFormStrict,
    OpenIdConnect,
    SecurityScopes,
)
from covet.security.http import HTTPBase
from covet.security.utils import get_authorization_scheme_param
from covet.testclient import TestClient


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def ask(scheme, **headers):
    app = CovetPy()

    @app.get("/")
    def read(found: Annotated[object, Security(scheme)]):
        return found

    query = headers.pop("query", {})
    cookies = headers.pop("cookies", {})
    return TestClient(app, cookies=cookies).get("/", headers=headers, params=query)


OPEN_ID = OpenIdConnect(openIdConnectUrl="/openid")
PASSWORD = OAuth2PasswordBearer("token")
CODE = OAuth2AuthorizationCodeBearer(authorizationUrl="/a", tokenUrl="/t")


@pytest.mark.parametrize(
    ("scheme", "sent", "found"),
    [
        (APIKeyQuery(name="key"), {"query": {"key": "k"}}, "k"),
        (APIKeyHeader(name="x-key"), {"x-key": "k"}, "k"),
        (APIKeyCookie(name="key"), {"cookies": {"key": "k"}}, "k"),
        (HTTPBase(scheme="Other"), {"Authorization": "Other x"}, {"scheme": "Other", "credentials": "x"}),
        (HTTPBearer(), {"Authorization": "bearer t "}, {"scheme": "bearer", "credentials": "t"}),
        (HTTPDigest(), {"Authorization": "Digest d"}, {"scheme": "Digest", "credentials": "d"}),
        (HTTPBasic(), {"Authorization": basic("a:b:c")}, {"username": "a", "password": "b:c"}),
        (OAuth2(), {"Authorization": "anything"}, "anything"),
        (PASSWORD, {"Authorization": "Bearer t"}, "t"),
        (CODE, {"Authorization": "Bearer t"}, "t"),
        (OPEN_ID, {"Authorization": "Bearer t"}, "Bearer t"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_credentials_are_read(scheme, sent, found):
    response = ask(scheme, **sent)
    assert (response.status_code, response.json()) == (200, found)


@pytest.mark.parametrize(
    ("scheme", "challenge"),
    [
        (APIKeyQuery(name="key"), "APIKey"),
        (APIKeyHeader(name="x-key"), "APIKey"),
        (APIKeyCookie(name="key"), "APIKey"),
        (HTTPBase(scheme="Other"), "Other"),
        (HTTPBearer(), "Bearer"),
        (HTTPDigest(), "Digest"),
        (HTTPBasic(), "Basic"),
        (HTTPBasic(realm="r"), 'Basic realm="r"'),
        (OAuth2(), "Bearer"),
        (PASSWORD, "Bearer"),
        (OPEN_ID, "Bearer"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_missing_credentials_are_401_with_a_challenge(scheme, challenge):
    response = ask(scheme)
    assert response.status_code == 401
    assert response.json() == {"detail": "Not authenticated"}
    assert response.headers["www-authenticate"] == challenge


@pytest.mark.parametrize(
    "scheme",
    [
        APIKeyQuery(name="key", auto_error=False),
        HTTPBase(scheme="Other", auto_error=False),
        HTTPBearer(auto_error=False),
        HTTPBasic(auto_error=False),
        HTTPDigest(auto_error=False),
        OAuth2(auto_error=False),
        OAuth2PasswordBearer("token", auto_error=False),
        OpenIdConnect(openIdConnectUrl="/openid", auto_error=False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_without_auto_error_missing_credentials_are_none(scheme):
    assert ask(scheme).json() is None


@pytest.mark.parametrize("scheme", [HTTPBearer(), HTTPDigest(), HTTPBasic(), PASSWORD])
def test_a_foreign_scheme_is_refused(scheme):
    assert ask(scheme, Authorization="Other x").status_code == 401


@pytest.mark.parametrize(
    "sent", ["Basic %%%", "Basic " + base64.b64encode("é:x".encode()).decode(), basic("nocolon")]
)
def test_broken_basic_credentials_are_refused(sent):
    assert ask(HTTPBasic(auto_error=False), Authorization=sent).status_code == 401


def test_the_scheme_name_is_the_class_unless_given():
    assert HTTPBearer().scheme_name == "HTTPBearer"
    assert HTTPBearer(scheme_name="mine").scheme_name == "mine"


def test_schemes_work_on_websockets():
    app = CovetPy()

    @app.websocket("/ws")
    async def talk(websocket: WebSocket, key: Annotated[str, Security(APIKeyHeader(name="x-key"))]):
        await websocket.accept()
        await websocket.send_text(key)
        await websocket.close()

    with TestClient(app).websocket_connect("/ws", headers={"x-key": "k"}) as session:
        assert session.receive_text() == "k"


@pytest.mark.parametrize(
    ("form", "needs"), [(OAuth2PasswordRequestForm, False), (OAuth2PasswordRequestFormStrict, True)]
)
def test_the_password_form_splits_its_scopes(form, needs):
    app = CovetPy()

    @app.post("/login")
    def login(data: Annotated[form, Depends()]):
        return data.scopes

    client = TestClient(app)
    sent = {"username": "a", "password": "b", "scope": "x y"}
    assert client.post("/login", data=sent).status_code == (422 if needs else 200)
    assert client.post("/login", data={**sent, "grant_type": "password"}).json() == ["x", "y"]
    assert client.post("/login", data={**sent, "grant_type": "other"}).status_code == 422


def test_scopes_collect_on_the_way_down():
    app = CovetPy()

    def user(scopes: SecurityScopes):
        return scopes.scope_str

    def active(name: Annotated[str, Security(user, scopes=["me"])]):
        return name

    @app.get("/")
    def read(name: Annotated[str, Security(active, scopes=["items", "me"])]):
        return name

    assert TestClient(app).get("/").json() == "items me"


def test_an_empty_header_has_no_parts():
    assert get_authorization_scheme_param(None) == ("", "")
    assert get_authorization_scheme_param("Bearer  t ") == ("Bearer", "t")


def test_the_package_knows_its_names():
    assert HTTPBasicCredentials(username="a", password="b").username == "a"
    assert HTTPAuthorizationCredentials(scheme="a", credentials="b").scheme == "a"
    import covet.security

    with pytest.raises(AttributeError, match="nothing"):
        covet.security.nothing  # noqa: B018
