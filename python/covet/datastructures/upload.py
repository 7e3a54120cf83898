"""A file that came with a form, and the form itself.

A file that is still in memory is read and written at once; one that has been spooled to disk goes
through a worker thread, so the loop never waits for a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import BinaryIO

from covet.concurrency import run_in_threadpool
from covet.datastructures.headers import Headers
from covet.datastructures.multidict import ImmutableMultiDict

__all__ = ["FormData", "UploadFile"]


class UploadFile:
    """An uploaded file: `file` is the binary file object, `size` is in bytes if known."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        size: int | None = None,
        filename: str | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.filename = filename
        self.file = file
        self.size = size
        self.headers = headers or Headers()
        # A SpooledTemporaryFile's own limit, where 0 means that it stays in memory.
        self._max_mem_size: int = getattr(file, "_max_size", 0)

    @property
    def content_type(self) -> str | None:
        """Return the media type that the part declared."""
        return self.headers.get("content-type")  # type: ignore[no-any-return]

    @property
    def _in_memory(self) -> bool:
        return not getattr(self.file, "_rolled", True)

    def _will_roll(self, size_to_add: int) -> bool:
        if not self._in_memory:
            return True
        return 0 < self._max_mem_size < self.file.tell() + size_to_add

    async def write(self, data: bytes) -> None:
        """Write bytes at the present position."""
        if self.size is not None:
            self.size += len(data)
        if self._will_roll(len(data)):
            await run_in_threadpool(self.file.write, data)
        else:
            self.file.write(data)

    async def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or the rest."""
        if self._in_memory:
            return self.file.read(size)
        return await run_in_threadpool(self.file.read, size)

    async def seek(self, offset: int) -> None:
        """Go to `offset` from the start."""
        if self._in_memory:
            self.file.seek(offset)
        else:
            await run_in_threadpool(self.file.seek, offset)

    async def close(self) -> None:
        """Close the file; a spooled one is deleted."""
        if self._in_memory:
            self.file.close()
        else:
            await run_in_threadpool(self.file.close)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(filename={self.filename!r}, size={self.size!r}, headers={self.headers!r})"
        )


class FormData(ImmutableMultiDict[str, UploadFile | str]):
    """The fields and files of a form."""

    def __init__(
        self,
        *args: ImmutableMultiDict[str, UploadFile | str]
        | Mapping[str, str | UploadFile]
        | Iterable[tuple[str, str | UploadFile]],
        **kwargs: str | UploadFile,
    ) -> None:
        super().__init__(*args, **kwargs)

    async def close(self) -> None:
        """Close every file."""
        for _, value in self._list:
            if isinstance(value, UploadFile):
                await value.close()
