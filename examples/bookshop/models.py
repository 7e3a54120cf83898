"""What goes in and out of the demo's API."""

from typing import Annotated

from pydantic import BaseModel, Field

Isbn = Annotated[str, Field(pattern=r"^97[89]\d{10}$", examples=["9781718503106"])]


class NewBook(BaseModel):
    """A book as a client sends it."""

    isbn: Isbn
    title: Annotated[str, Field(min_length=1, max_length=200)]
    author: Annotated[str, Field(min_length=1, max_length=200)]
    year: Annotated[int, Field(ge=1450, le=2100)]
    price: Annotated[float, Field(ge=0, description="in euros")]


class Book(NewBook):
    """A book in the catalogue."""

    id: int


class Page(BaseModel):
    """One page of the catalogue."""

    total: int
    limit: int
    offset: int
    books: list[Book]
