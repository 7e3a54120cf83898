"""The routes of the demo: list, read, add, replace and remove books."""

import sqlite3
from typing import Annotated

from covet import APIRouter, Depends, HTTPException, Query, Response, status

from .database import Connection
from .models import Book, NewBook, Page

router = APIRouter(prefix="/books", tags=["books"])


class Window:
    """Which part of a list the client wants."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> None:
        self.limit = limit
        self.offset = offset


def existing(book_id: int, connection: Connection) -> Book:
    """Return the book of the path, or answer 404."""
    row = connection.execute("SELECT * FROM books WHERE id = ?", (book_id,)).fetchone()
    if row is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"no book has the id {book_id}")
    return Book(**row)


ExistingBook = Annotated[Book, Depends(existing)]


@router.get("")
def list_books(
    connection: Connection, window: Annotated[Window, Depends()], search: str | None = None
) -> Page:
    """List the books whose title or author contains `search`, oldest entry first."""
    pattern = f"%{search or ''}%"
    condition = "title LIKE ? OR author LIKE ?"
    total = connection.execute(
        f"SELECT count(*) FROM books WHERE {condition}", (pattern, pattern)
    ).fetchone()[0]
    rows = connection.execute(
        f"SELECT * FROM books WHERE {condition} ORDER BY id LIMIT ? OFFSET ?",
        (pattern, pattern, window.limit, window.offset),
    )
    books = [Book(**row) for row in rows]
    return Page(total=total, limit=window.limit, offset=window.offset, books=books)


@router.get("/{book_id}")
def read_book(book: ExistingBook) -> Book:
    """Read one book."""
    return book


@router.post("", status_code=status.HTTP_201_CREATED)
def add_book(book: NewBook, connection: Connection, response: Response) -> Book:
    """Add a book; its ISBN must be new."""
    try:
        cursor = connection.execute(
            "INSERT INTO books (isbn, title, author, year, price)"
            " VALUES (:isbn, :title, :author, :year, :price)",
            book.model_dump(),
        )
    except sqlite3.IntegrityError:
        raise HTTPException(status.HTTP_409_CONFLICT, f"the ISBN {book.isbn} is in the catalogue") from None
    response.headers["Location"] = f"/books/{cursor.lastrowid}"
    return Book(id=cursor.lastrowid or 0, **book.model_dump())


@router.put("/{book_id}")
def replace_book(book: NewBook, old: ExistingBook, connection: Connection) -> Book:
    """Replace what is known of a book."""
    connection.execute(
        "UPDATE books SET isbn = :isbn, title = :title, author = :author, year = :year, price = :price"
        " WHERE id = :id",
        {"id": old.id, **book.model_dump()},
    )
    return Book(id=old.id, **book.model_dump())


@router.delete("/{book_id}", status_code=status.HTTP_204_NO_CONTENT)
def remove_book(book: ExistingBook, connection: Connection) -> None:
    """Remove a book."""
    connection.execute("DELETE FROM books WHERE id = ?", (book.id,))
