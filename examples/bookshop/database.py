"""The SQLite side of the demo: schema, first rows, and one connection a request."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated

from covet import Depends, Request

SCHEMA = """
CREATE TABLE IF NOT EXISTS books (
    id INTEGER PRIMARY KEY,
    isbn TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    year INTEGER NOT NULL,
    price REAL NOT NULL
);
"""
FIRST_BOOKS = [
    ("9780131103627", "The C Programming Language", "Kernighan, Ritchie", 1988, 49.9),
    ("9780201633610", "Design Patterns", "Gamma, Helm, Johnson, Vlissides", 1994, 54.0),
    ("9780262510875", "Structure and Interpretation of Computer Programs", "Abelson, Sussman", 1996, 60.0),
    ("9781718503106", "The Rust Programming Language", "Klabnik, Nichols", 2023, 39.95),
    ("9781492056355", "Fluent Python", "Ramalho", 2022, 59.99),
]


def default_path() -> Path:
    """Return the database file: `BOOKSHOP_DATABASE`, else one in the temporary folder."""
    return Path(os.environ.get("BOOKSHOP_DATABASE", Path(gettempdir()) / "covet-bookshop.sqlite"))


def connect(path: Path) -> sqlite3.Connection:
    """Open `path`; rows come as mappings. Handlers run in threads, one connection belongs to one request."""
    connection = sqlite3.connect(path, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


def prepare(path: Path) -> None:
    """Create the schema in `path`, and the first rows if there are none."""
    with closing(connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        if connection.execute("SELECT count(*) FROM books").fetchone()[0] == 0:
            connection.executemany(
                "INSERT INTO books (isbn, title, author, year, price) VALUES (?, ?, ?, ?, ?)", FIRST_BOOKS
            )


def connection_of_request(request: Request) -> Iterator[sqlite3.Connection]:
    """Lend a connection: committed if the handler returns, rolled back if it raises."""
    with closing(connect(request.app.state.database)) as connection, connection:
        yield connection


Connection = Annotated[sqlite3.Connection, Depends(connection_of_request)]
