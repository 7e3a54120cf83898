"""The pages as a person uses them, in a real browser that reaches nothing but our server."""

import pytest

from covet import CovetPy
from covet.testing.live import serve

from .conftest import SCHEMES, make_app
from .driver import Browser

DRAWN = {"/docs": ".opblock-tag-section", "/redoc": "[role=search] input"}
OWN = ("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:")


def open_operation(browser: Browser, name: str) -> str:
    """Open an operation of Swagger UI, press "Try it out"; return the selector of its block."""
    block = f"//div[contains(@class,'opblock') and contains(@id,'-{name}')]"
    browser.find(f"{block}//button[contains(@class,'opblock-summary-control')]").click()
    browser.find(f"{block}//button[contains(@class,'try-out__btn')]").click()
    return block


def execute(browser: Browser, block: str) -> str:
    """Press "Execute"; return what the server answered, as the page shows it."""
    browser.find(f"{block}//button[contains(@class,'execute')]").click()
    answer = f"{block}//*[contains(@class,'live-responses-table')]//tr[@class='response']"
    return browser.find(answer).text


def scheme_box(scheme: str) -> str:
    return f"//div[contains(@class,'auth-container')][.//h4[starts-with(normalize-space(.),'{scheme}')]]"


def authorize(browser: Browser, scheme: str, **values: str) -> None:
    """Fill in a scheme of the "Authorize" dialog, by the labels of its fields, and confirm."""
    if not browser.find_all(".dialog-ux"):
        browser.find("button.authorize").click()
    box = scheme_box(scheme)
    for label, value in values.items():
        browser.find(f"{box}//label[contains(.,'{label}')]/following::input[1]").type(value)
    browser.find(f"{box}//button[contains(@class,'authorize')]").click()


def close_dialog(browser: Browser) -> None:
    browser.find("//button[contains(@class,'btn-done')]").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", DRAWN)
def test_a_page_is_drawn_without_help_from_outside(browser, served, path, scheme):
    browser.prefer(scheme)
    browser.open(served + path)
    browser.find(DRAWN[path])
    assert browser.find("//body//*[self::h1 or self::h2][contains(.,'Books')]").text
    assert [url for url in browser.requests() if not url.startswith(OWN)] == []
    assert browser.console() == []


@pytest.mark.parametrize("path", DRAWN)
@pytest.mark.parametrize(
    ("theme", "prefers", "is_dark"),
    [("auto", "light", False), ("auto", "dark", True), ("light", "dark", False), ("dark", "light", True)],
)
def test_the_theme_is_the_chosen_one_or_the_browsers(browser, path, theme, prefers, is_dark):
    browser.prefer(prefers)
    with serve(make_app(docs_theme=theme)) as url:
        browser.open(url + path)
        browser.find(DRAWN[path])
        colour = browser.run("return getComputedStyle(document.documentElement).backgroundColor")
    assert (colour in ("rgb(28, 32, 34)", "rgb(27, 32, 34)")) is is_dark


ILLEGIBLE = """
const channels = colour => colour.match(/[0-9.]+/g).map(Number)
const brightness = colour => {
    const linear = c => c <= 0.04 ? c / 12.9 : ((c + 0.055) / 1.055) ** 2.4
    const [r, g, b] = channels(colour).map(c => linear(c / 255))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const ground = element => {
    for (; element; element = element.parentElement) {
        const colour = getComputedStyle(element).backgroundColor
        if ((channels(colour)[3] ?? 1) > 0.5) return colour
    }
    return 'rgb(255, 255, 255)'
}
const contrast = element => {
    const both = [getComputedStyle(element).color, ground(element)].map(brightness).sort((a, b) => b - a)
    return (both[0] + 0.05) / (both[1] + 0.05)
}
const isText = node => node.nodeType === 3 && node.textContent.trim()
const isDrawn = element => element.getBoundingClientRect().height > 0
return [...document.querySelectorAll('#redoc *')]
    .filter(element => [...element.childNodes].some(isText) && isDrawn(element) && contrast(element) < 3)
    .map(element => element.textContent.slice(0, 40))
"""


def test_redoc_is_legible_in_the_dark(browser, served):
    browser.prefer("dark")
    browser.open(f"{served}/redoc")
    browser.find(".react-tabs__tab--selected")
    assert browser.run(ILLEGIBLE) == []


def test_an_operation_is_tried_out(browser, served):
    browser.open(f"{served}/docs")
    block = open_operation(browser, "read_books")
    browser.find(f"{block}//input[@placeholder='number']").type("7")
    assert "Volume 7" in execute(browser, block)
    assert browser.console() == []


def test_a_body_is_sent_as_it_is_suggested(browser, served):
    browser.open(f"{served}/docs")
    block = open_operation(browser, "add_books")
    assert '"title": "string"' in execute(browser, block)


def test_the_dialog_lists_every_scheme(browser, served):
    browser.open(f"{served}/docs")
    browser.find("button.authorize").click()
    browser.find(".auth-container")
    text = browser.find(".modal-ux-content").text
    # Digest is named too, with a note that Swagger UI cannot ask for its credentials.
    assert [name for name in (scheme.scheme_name for scheme in SCHEMES.values()) if name not in text] == []
    assert browser.console() == []


@pytest.mark.parametrize(
    ("name", "scheme", "values", "answer"),
    [
        ("basic", "Basic", {"Username": "ada", "Password": "pw"}, "ada and pw"),
        ("bearer", "Bearer", {"Value": "t0ken"}, "t0ken"),
        ("key_header", "KeyHeader", {"Value": "k3y"}, "k3y"),
        ("key_query", "KeyQuery", {"Value": "k3y"}, "k3y"),
        ("password", "Password", {"username": "ada", "password": "pw"}, "token-of-ada"),
        ("code", "Code", {}, "token-for-c0de"),
        ("openid", "OpenId", {}, "token-for-c0de"),
    ],
)
def test_credentials_are_sent_after_authorizing(browser, served, name, scheme, values, answer):
    browser.open(f"{served}/docs")
    assert answer in answer_after_authorizing(browser, name, scheme, values)


def test_cookies_are_sent_where_authorization_persists(browser):
    # A script may not set the header, so Swagger UI stores the cookie, and only when told to persist.
    with serve(make_app(swagger_ui_parameters={"persistAuthorization": True})) as url:
        browser.open(f"{url}/docs")
        assert "k3y" in answer_after_authorizing(browser, "key_cookie", "KeyCookie", {"Value": "k3y"})


def answer_after_authorizing(browser: Browser, name: str, scheme: str, values: dict[str, str]) -> str:
    authorize(browser, scheme, **values)
    browser.find(f"{scheme_box(scheme)}//button[text()='Logout']")
    close_dialog(browser)
    block = open_operation(browser, f"{name}_who")
    return execute(browser, block)


def test_tags_can_be_searched(browser):
    with serve(make_app(swagger_ui_parameters={"filter": True})) as url:
        browser.open(f"{url}/docs")
        browser.find(".operation-filter-input").type("boo")
        browser.wait(lambda: len(browser.find_all(".opblock-tag-section")) == 1, "the tags are not filtered")
        assert "books" in browser.find(".opblock-tag-section").text


def test_redoc_searches_operations(browser, served):
    browser.open(f"{served}/redoc")
    browser.find("[role=search] input").type("Read")
    assert "Read" in browser.find("[data-role='search:results'] li").text


def make_versions() -> CovetPy:
    app = make_app()
    app.get("/old/books", tags=["old"])(lambda: "old")
    app.add_document("old", title="Old books")
    app.add_document("new", prefix="/books", title="New books", openapi_url="/books.json")
    return app


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_documents_are_chosen_in_the_top_bar(browser, scheme):
    browser.prefer(scheme)
    with serve(make_versions()) as url:
        browser.open(f"{url}/old/docs")
        browser.find("//h1[contains(.,'Old books')]|//h2[contains(.,'Old books')]")
        assert [element.text for element in browser.find_all(".opblock-tag-section h3 a")] == ["old"]
        browser.find("//select[@id='select']/option[text()='new']").click()
        browser.find("//h1[contains(.,'New books')]|//h2[contains(.,'New books')]")
        assert browser.run("return document.documentElement.classList.contains('dark-mode')") is (
            scheme == "dark"
        )
        assert [each for each in browser.requests() if not each.startswith(OWN)] == []
        assert browser.console() == []


def test_documents_are_chosen_above_redoc(browser):
    with serve(make_versions()) as url:
        browser.open(f"{url}/redoc")
        browser.find("//nav//option[text()='old']").click()
        browser.find("//h1[contains(.,'Old books')]")
        assert browser.console() == []
