"""The uploaded file as a parameter type: what `covet.UploadFile` is.

It adds to the plain file what pydantic needs to take it in a signature and to describe it in a schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from pydantic import GetJsonSchemaHandler
from pydantic_core.core_schema import with_info_plain_validator_function

from covet.datastructures import upload
from covet.datastructures.headers import Headers

__all__ = ["UploadFile"]


class UploadFile(upload.UploadFile):
    """A file of a form, spooled to disk when it is large.

    @app.post("/files/")
    async def receive(file: UploadFile):
        return {"name": file.filename, "bytes": len(await file.read())}
    """

    file: BinaryIO
    filename: str | None
    size: int | None
    headers: Headers

    @classmethod
    def _validate(cls, value: Any, _: Any) -> upload.UploadFile:
        if not isinstance(value, upload.UploadFile):
            raise ValueError(f"Expected UploadFile, received: {type(value)}")
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Mapping[str, Any], handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "contentMediaType": "application/octet-stream"}

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: Callable[[Any], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        return with_info_plain_validator_function(cls._validate)
