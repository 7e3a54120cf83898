"""Questions about annotations."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Optional, Union

import pytest
from pydantic import BaseModel

from covet import UploadFile
from covet.validation import annotations


class Model(BaseModel): ...


@dataclass
class Data: ...


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (list, True),
        (list[int], True),
        (Sequence[int], True),
        (Annotated[set[int], 1], True),
        (Union[int, list[int]], True),  # noqa: UP007
        (deque, True),
        (str, False),
        (bytes, False),
        (dict, False),
        (int | None, False),
    ],
)
def test_sequences(annotation, expected):
    assert annotations.field_annotation_is_sequence(annotation) is expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, True),
        (Any, True),
        (..., True),
        (Optional[str], True),  # noqa: UP045
        (Annotated[int, 1], True),
        (Model, False),
        (Data, False),
        (UploadFile, False),
        (dict[str, int], False),
        (int | Model, False),
        (Annotated[Model, 1], False),
        (list, False),
    ],
)
def test_scalars(annotation, expected):
    assert annotations.field_annotation_is_scalar(annotation) is expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (list[int], True),
        (list[int] | None, True),
        (Annotated[list[int], 1], True),
        (list[int] | Model, False),
        (int | str, False),
        (list[Model], False),
        (int, False),
    ],
)
def test_sequences_of_scalars(annotation, expected):
    assert annotations.field_annotation_is_scalar_sequence(annotation) is expected


def test_bytes_and_uploads():
    assert annotations.is_bytes_or_nonable_bytes_annotation(bytes | None)
    assert not annotations.is_bytes_or_nonable_bytes_annotation(str)
    assert annotations.is_bytes_sequence_annotation(list[bytes] | None)
    assert not annotations.is_bytes_sequence_annotation(list[str])
    assert annotations.is_uploadfile_or_nonable_uploadfile_annotation(UploadFile | None)
    assert annotations.is_uploadfile_sequence_annotation(list[UploadFile])


def test_values():
    assert annotations.value_is_sequence([1])
    assert annotations.value_is_sequence((1,))
    assert not annotations.value_is_sequence("ab")
    assert not annotations.value_is_sequence(5)


def test_leniency_ends_with_mistakes_of_the_caller():
    assert annotations.lenient_issubclass(list[int], str) is False
    assert annotations.lenient_issubclass(5, str) is False
    with pytest.raises(TypeError):
        annotations.lenient_issubclass(int, 5)


def test_models_of_pydantic_v1_are_found(monkeypatch):
    import sys
    import types

    class Old: ...

    assert not annotations.is_pydantic_v1_model_instance(Old())
    module = types.ModuleType("pydantic.v1.main")
    module.BaseModel = Old
    monkeypatch.setitem(sys.modules, "pydantic.v1.main", module)
    assert annotations.is_pydantic_v1_model_instance(Old())
    assert annotations.annotation_is_pydantic_v1(Old)
    assert annotations.annotation_is_pydantic_v1(Old | None)
    assert annotations.annotation_is_pydantic_v1(list[Old])
    assert not annotations.annotation_is_pydantic_v1(int | None)

    from covet.encoders import jsonable_encoder
    from covet.exceptions import PydanticV1NotSupportedError
    from covet.validation.fields import create_model_field

    with pytest.raises(PydanticV1NotSupportedError, match="no longer supported"):
        create_model_field("x", Old)
    with pytest.raises(PydanticV1NotSupportedError, match="no longer supported"):
        jsonable_encoder(Old())
