"""The demo, driven as its users would."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bookshop.main import app

from covet.testclient import TestClient

NEW_BOOK = {
    "isbn": "9780134685991",
    "title": "Effective Java",
    "author": "Bloch",
    "year": 2017,
    "price": 45.0,
}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("BOOKSHOP_DATABASE", str(tmp_path / "books.sqlite"))
    with TestClient(app) as client:
        yield client


def test_the_catalogue_comes_in_pages(client: TestClient) -> None:
    page = client.get("/books", params={"limit": 2, "offset": 1}).json()
    assert (page["total"], [book["id"] for book in page["books"]]) == (5, [2, 3])


def test_a_search_finds_titles_and_authors(client: TestClient) -> None:
    assert [book["title"] for book in client.get("/books?search=Ramalho").json()["books"]] == [
        "Fluent Python"
    ]


def test_a_page_has_bounds(client: TestClient) -> None:
    answer = client.get("/books?limit=1000")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "limit"]


def test_a_new_book_is_kept(client: TestClient) -> None:
    added = client.post("/books", json=NEW_BOOK)
    assert (added.status_code, added.headers["location"]) == (201, "/books/6")
    assert client.get("/books/6").json() == {"id": 6, **NEW_BOOK}


def test_the_same_isbn_is_a_conflict(client: TestClient) -> None:
    client.post("/books", json=NEW_BOOK)
    answer = client.post("/books", json=NEW_BOOK)
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "the ISBN 9780134685991 is in the catalogue"},
    )


def test_a_book_can_be_replaced_and_removed(client: TestClient) -> None:
    assert client.put("/books/1", json=NEW_BOOK).json() == {"id": 1, **NEW_BOOK}
    assert client.delete("/books/1").status_code == 204
    assert client.get("/books/1").status_code == 404


def test_a_wrong_book_is_explained(client: TestClient) -> None:
    answer = client.post("/books", json={**NEW_BOOK, "year": 1, "isbn": "x"})
    assert {tuple(error["loc"]) for error in answer.json()["detail"]} == {("body", "year"), ("body", "isbn")}
