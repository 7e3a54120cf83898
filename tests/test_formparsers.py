"""Forms: the same bytes split anywhere give the same fields; limits; malformed bodies; files."""

import itertools
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from covet.datastructures import Headers
from covet.datastructures.upload import FormData, UploadFile
from covet.formparsers import FormParser, MultiPartException, MultiPartParser, parse_options_header
from covet.formparsers.multipart import Data, MalformedMultipart, MultipartDecoder, PartEnd, PartHead
from covet.formparsers.urlencoded import UrlencodedDecoder
from covet.requests import Request
from covet.responses import JSONResponse
from covet.starlette.applications import Starlette
from covet.starlette.routing import Route

FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
FILE = (
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n'
    b"Content-Type: text/x\r\n\r\n\r\n--b?\r\n"
)
BODY = FIELD + FILE + FIELD + b"--b--\r\nepilogue"


def split(body: bytes, places: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    for start, end in itertools.pairwise(edges):
        yield body[start:end]


def parts(chunks: Iterator[bytes]) -> list[tuple[Any, bytes]]:
    """The parts of a body, their data joined: what must not depend on how it is split."""
    decoder = MultipartDecoder(b"b")
    found: list[tuple[Any, bytes]] = []
    for chunk in chunks:
        for event in decoder.feed(chunk):
            if isinstance(event, PartHead):
                found.append((event.headers, b""))
            elif isinstance(event, Data):
                assert event.data
                found[-1] = (found[-1][0], found[-1][1] + event.data)
            else:
                assert isinstance(event, PartEnd)
    found.append((decoder.complete, b""))
    return found


def outcome(chunks: Iterator[bytes]) -> Any:
    try:
        return parts(chunks)
    except MalformedMultipart:
        return "malformed"


@given(st.lists(st.integers(0, len(BODY)), max_size=12))
def test_a_multipart_body_may_be_split_anywhere(places: list[int]) -> None:
    assert parts(split(BODY, places)) == parts(iter([BODY]))


PIECES = [
    b"--b",
    b"\r\n",
    b"--",
    b"-",
    b"\r",
    b"\n",
    b"x",
    b"a: b",
    b"Content-Disposition: form-data",
    b" ",
    b":",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.lists(st.integers(0, 200), max_size=8))
def test_any_bytes_have_one_meaning_however_they_are_split(pieces: list[bytes], places: list[int]) -> None:
    body = b"--b\r\n" + b"".join(pieces)
    assert outcome(split(body, places)) == outcome(iter([body]))


def test_every_byte_alone_gives_the_same() -> None:
    assert parts(BODY[i : i + 1] for i in range(len(BODY))) == parts(iter([BODY]))


def test_data_that_looks_like_a_delimiter_is_data() -> None:
    body = b"--b\r\n\r\nx\r\n--bc\r\n--b\rz\r\n--b-z\r\n--b--"
    assert parts(iter([body])) == [([], b"x\r\n--bc\r\n--b\rz\r\n--b-z"), (True, b"")]


def test_padding_behind_a_boundary_is_passed_over() -> None:
    assert parts(iter([b"\r\n--b \t\r\n\r\nx\r\n--b  \r\n\r\ny\r\n--b--"])) == [
        ([], b"x"),
        ([], b"y"),
        (True, b""),
    ]


def test_an_empty_body_and_what_precedes_it() -> None:
    assert parts(iter([b"\r\n", b"\r\n", b"--b--"])) == [(True, b"")]
    assert parts(iter([b"--b--"])) == [(True, b"")]


@pytest.mark.parametrize(
    "body",
    [
        b"x--b",
        b"--c\r\n",
        b"--bx",
        b"--b\rx",
        b"--b-x",
        b"--b\r\nno colon\r\n\r\n",
        b"--b\r\nbad name: x\r\n\r\n",
        b"--b\r\n: x\r\n\r\n",
        b"--b\r\na: b\rc\r\n\r\n",
        b"--b\r\n" + b"a: b\r\n" * 9 + b"\r\n",
        b"--b\r\na: " + b"x" * 9000,
    ],
)
def test_a_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMultipart):
        parts(iter([body]))


@pytest.mark.parametrize("boundary", [b"", b"x" * 257])
def test_a_boundary_has_a_length(boundary: bytes) -> None:
    with pytest.raises(MalformedMultipart):
        MultipartDecoder(boundary)


@given(st.text(alphabet="ab=&%+0", max_size=30), st.lists(st.integers(0, 30), max_size=5))
def test_an_urlencoded_body_may_be_split_anywhere(text: str, places: list[int]) -> None:
    def pairs(chunks: Iterator[bytes]) -> list[tuple[bytes, bytes]]:
        decoder = UrlencodedDecoder()
        return [pair for chunk in chunks for pair in decoder.feed(chunk)] + list(decoder.finish())

    expected = [tuple(re.split("=", item, maxsplit=1)) for item in text.split("&") if item]
    body = text.encode()
    assert pairs(split(body, places)) == [(k.encode(), "".join(v).encode()) for k, *v in expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, (b"", {})),
        (b"Text/HTML", (b"text/html", {})),
        ('a; b="c;d"; E=f', (b"a", {b"b": b"c;d", b"e": b"f"})),
        (r'a; n="x\"y\\z"', (b"a", {b"n": b'x"y\\z'})),
        ("a; filename*=utf-8''x; filename=y; ;", (b"a", {b"filename": b"y"})),
        (r'a; filename="C:\dir\f.txt"', (b"a", {b"filename": b"f.txt"})),
    ],
)
def test_a_value_has_parameters(value: Any, expected: tuple[bytes, dict[bytes, bytes]]) -> None:
    assert parse_options_header(value) == expected


async def stream(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk


MULTIPART = Headers({"content-type": "multipart/form-data; boundary=b"})
URLENCODED = Headers({"content-type": "application/x-www-form-urlencoded"})


@pytest.mark.anyio
async def test_fields_and_files_come_in_order() -> None:
    form = await MultiPartParser(MULTIPART, stream(BODY)).parse()
    assert [key for key, _ in form.multi_items()] == ["a", "f", "a"]
    file = form["f"]
    assert isinstance(file, UploadFile)
    assert (file.filename, file.content_type, file.size) == ("x.txt", "text/x", 6)
    assert await file.read() == b"\r\n--b?"
    await form.close()


@pytest.mark.anyio
async def test_a_large_file_goes_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 3)
    form = await MultiPartParser(MULTIPART, stream(BODY[:90], BODY[90:])).parse()
    file = form["f"]
    assert isinstance(file, UploadFile)
    assert not file._in_memory
    assert await file.read() == b"\r\n--b?"
    await form.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_fields": 1}, "Too many fields. Maximum number of fields is 1."),
        ({"max_files": 0}, "Too many files. Maximum number of files is 0."),
        ({"max_part_size": 4}, "Part exceeded maximum size of 0KB."),
    ],
)
async def test_multipart_forms_have_limits(limits: dict[str, int], message: str) -> None:
    async with aclosing(stream(BODY)) as body:
        with pytest.raises(MultiPartException) as refused:
            await MultiPartParser(MULTIPART, body, **limits).parse()
    assert refused.value.message == message


@pytest.mark.anyio
@pytest.mark.parametrize("chunks", [[b"a=12345&b=1"], [b"a=12", b"345", b"6"], [b"abcdefgh"]])
async def test_fields_have_a_size(chunks: list[bytes]) -> None:
    async with aclosing(stream(*chunks)) as body:
        with pytest.raises(MultiPartException):
            await FormParser(URLENCODED, body, max_part_size=4).parse()


@pytest.mark.anyio
async def test_a_field_of_exactly_the_size_passes() -> None:
    assert await FormParser(URLENCODED, stream(b"a", b"=12", b"3"), max_part_size=4).parse() == FormData(
        {"a": "123"}
    )


@pytest.mark.anyio
async def test_urlencoded_fields_are_counted() -> None:
    async with aclosing(stream(b"a=1&b=2")) as body:
        with pytest.raises(MultiPartException):
            await FormParser(URLENCODED, body, max_fields=1).parse()


@pytest.mark.anyio
async def test_urlencoded_fields_are_decoded() -> None:
    form = await FormParser(URLENCODED, stream(b"a+b=%C3%A9&c", b"&&d=")).parse()
    assert form.multi_items() == [("a b", "é"), ("c", ""), ("d", "")]


@pytest.mark.anyio
@pytest.mark.parametrize(("charset", "expected"), [("latin-1", "Ã©"), ("utf-8", "é"), ("nonsense", "Ã©")])
async def test_fields_have_a_charset(charset: str, expected: str) -> None:
    headers = Headers({"content-type": f"multipart/form-data; charset={charset}; boundary=b"})
    body = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\né\r\n--b--'.encode()
    assert (await MultiPartParser(headers, stream(body)).parse())["a"] == expected


@pytest.mark.anyio
async def test_bytes_that_are_not_in_the_charset_are_latin1() -> None:
    body = FIELD.replace(b"value", b"\xff") + b"--b--"
    assert (await MultiPartParser(MULTIPART, stream(body)).parse())["a"] == "ÿ"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "body", "message"),
    [
        (Headers({"content-type": "multipart/form-data"}), BODY, "Missing boundary in multipart."),
        (MULTIPART, b"nonsense", "Invalid multipart data."),
        (
            MULTIPART,
            b"--b\r\nx: y\r\n\r\n",
            'The Content-Disposition header field "name" must be provided.',
        ),
    ],
)
async def test_what_is_no_form_is_refused(headers: Headers, body: bytes, message: str) -> None:
    async with aclosing(stream(body)) as chunks:
        with pytest.raises(MultiPartException) as refused:
            await MultiPartParser(headers, chunks).parse()
    assert refused.value.message == message


@pytest.mark.anyio
async def test_a_body_that_was_cut_off_gives_what_was_complete() -> None:
    parser = MultiPartParser(MULTIPART, stream(FIELD + FILE))
    form = await parser.parse()
    assert form.multi_items() == [("a", "value")]
    assert all(file.closed for file in parser._files_to_close_on_error)


@pytest.mark.anyio
async def test_an_error_closes_the_files() -> None:
    async with aclosing(stream(FIELD + FILE + FIELD)) as body:
        parser = MultiPartParser(MULTIPART, body, max_fields=1)
        with pytest.raises(MultiPartException):
            await parser.parse()
    assert all(file.closed for file in parser._files_to_close_on_error)


def test_a_request_reads_its_form(client_for: Any) -> None:
    async def endpoint(request: Request) -> JSONResponse:
        async with request.form(max_fields=2) as form:
            again = await request.form()
            assert form is again
            return JSONResponse([[key, str(value)] for key, value in form.multi_items()])

    client = client_for(Starlette(routes=[Route("/", endpoint, methods=["POST"])]))
    assert client.post("/", data={"a": ["1", "2"]}).json() == [["a", "1"], ["a", "2"]]
    assert client.post("/", data={"a": "1"}, files={"f": b"x"}).json()[0] == ["a", "1"]
    assert client.post("/", content=b"{}").json() == []
    refused = client.post("/", data={"a": ["1", "2", "3"]})
    assert (refused.status_code, refused.text) == (400, "Too many fields. Maximum number of fields is 2.")
