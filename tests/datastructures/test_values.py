"""State, secrets, lists with commas, defaults, uploaded files."""

import copy
import io
import pickle
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from covet.datastructures import (
    CommaSeparatedStrings,
    Default,
    DefaultPlaceholder,
    FormData,
    Headers,
    Secret,
    StarletteUploadFile,
    State,
    UploadFile,
)


def test_states_over_one_dict_see_the_same() -> None:
    shared: dict[str, Any] = {}
    one, two = State(shared), State(shared)
    one.a = 1
    two["b"] = 2
    assert (two.a, one["b"], list(one), len(two)) == (1, 2, ["a", "b"], 2)
    del one.a
    del one["b"]
    assert shared == {}
    with pytest.raises(AttributeError, match="'State' object has no attribute 'a'"):
        one.a  # noqa: B018


def test_a_state_is_copied_and_pickled() -> None:
    state = State({"a": 1})
    assert copy.copy(state).a == pickle.loads(pickle.dumps(state)).a == 1


def test_a_secret_does_not_show() -> None:
    secret = Secret("hidden")
    assert repr(secret) == "Secret('**********')"
    assert str(secret) == "hidden"
    assert bool(secret)
    assert not Secret("")


def test_a_list_is_written_with_commas() -> None:
    values = CommaSeparatedStrings('a, "b, c" ,d')
    assert list(values) == ["a", "b, c", "d"]
    assert values[1:] == ["b, c", "d"]
    assert len(CommaSeparatedStrings(("x",))) == 1
    assert repr(values) == "CommaSeparatedStrings(['a', 'b, c', 'd'])"
    assert str(CommaSeparatedStrings("a,b")) == "'a', 'b'"


def test_a_default_is_told_from_a_value() -> None:
    wrapped = Default([])
    assert isinstance(wrapped, DefaultPlaceholder)
    assert not wrapped
    assert wrapped == Default([])
    assert wrapped != []


@pytest.mark.anyio
async def test_a_file_is_written_and_read_in_memory_and_on_disk() -> None:
    for limit in (0, 4, 1024):
        spooled: Any = SpooledTemporaryFile(max_size=limit)  # noqa: SIM115
        file = StarletteUploadFile(spooled, size=0, filename="a.txt")
        await file.write(b"hello")
        await file.write(b" world")
        assert file.size == 11
        await file.seek(0)
        assert await file.read(5) == b"hello"
        assert await file.read() == b" world"
        await file.close()
        assert spooled.closed


@pytest.mark.anyio
async def test_a_plain_file_object_is_taken_as_being_on_disk() -> None:
    plain = io.BytesIO(b"abc")
    file = UploadFile(plain, headers=Headers({"content-type": "text/x"}))
    assert file.content_type == "text/x"
    await file.write(b"z")
    assert file.size is None
    await file.seek(0)
    assert await file.read() == b"zbc"
    assert repr(file) == "UploadFile(filename=None, size=None, headers=Headers({'content-type': 'text/x'}))"
    form = FormData({"f": file, "t": "x"})
    await form.close()
    assert plain.closed


def test_a_file_is_a_type_of_parameters() -> None:
    adapter = TypeAdapter(UploadFile)
    plain = StarletteUploadFile(io.BytesIO())
    assert adapter.validate_python(plain) is plain
    assert adapter.json_schema() == {"type": "string", "contentMediaType": "application/octet-stream"}
    with pytest.raises(ValidationError, match="Expected UploadFile, received: <class 'str'>"):
        adapter.validate_python("x")
