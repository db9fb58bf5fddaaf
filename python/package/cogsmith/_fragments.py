"""Encoded tiles between the tasks that encode them and those that write them to the file: on disk, not in memory."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import dask

Id = tuple[int, int, int]


class _Spool:
    """An unnamed temporary file of a process for the tiles of one file; it is deleted with the last fragment in it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="cogsmith-", dir=_local_directory())
        self._lock = threading.Lock()
        # Garbage collection of an open file would issue a ResourceWarning.
        weakref.finalize(self, self._file.close)

    def append(self, data: bytes) -> int:
        with self._lock:
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._file.flush()
            return place

    def read(self, place: int, count: int) -> bytes:
        with self._lock:
            self._file.seek(place)
            data = self._file.read(count)
        if len(data) != count:
            raise OSError("the temporary file of encoded tiles was truncated")
        return data


_SPOOLS: weakref.WeakValueDictionary[tuple[int, str], _Spool] = weakref.WeakValueDictionary()
_SPOOLS_LOCK = threading.Lock()


def _spool(token: str) -> _Spool:
    with _SPOOLS_LOCK:
        # A forked child must not write to its parent's file.
        key = (os.getpid(), token)
        spool = _SPOOLS.get(key)
        if spool is None:
            spool = _SPOOLS[key] = _Spool()
        return spool


def _local_directory() -> str | None:
    """Returns the directory that Dask is configured to spill to."""
    directory = dask.config.get("temporary-directory", None)
    return directory if directory and os.path.isdir(directory) else None


class Fragment:
    """Encoded tiles of a block, or some of them, on the disk of the machine that encoded or received them."""

    def __init__(self, token: str, digest: int, spool: _Spool, pieces: list[tuple[int, int]]) -> None:
        self.token, self.digest = token, digest
        self.length = sum(length for _, length in pieces)
        # Positions and lengths in the temporary file.
        self._spool, self._pieces = spool, pieces

    @classmethod
    def keep(cls, token: str, digest: int, data: bytes) -> Fragment:
        spool = _spool(token)
        return cls(token, digest, spool, [(spool.append(data), len(data))])

    def __reduce__(self) -> Any:
        return _keep, (self.token, self.digest, self.read(0, self.length))

    def read(self, start: int, end: int) -> bytes:
        return b"".join(self._spool.read(place, length) for place, length in self._within(start, end))

    def cut(self, ranges: Iterable[tuple[int, int]]) -> Fragment:
        """Returns some ranges of bytes, one after the other, without copying them."""
        pieces = [piece for start, end in ranges for piece in self._within(start, end)]
        return Fragment(self.token, self.digest, self._spool, pieces)

    def _within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Returns the pieces of the temporary file that a range of bytes consists of."""
        for place, length in self._pieces:
            first, last = max(start, 0), min(end, length)
            if first < last:
                yield place + first, last - first
            start, end = start - length, end - length

    def check(self, shard: Id, digest: int) -> None:
        """Checks that tiles that were encoded again are those that the header describes."""
        if digest != self.digest:
            raise ValueError(
                f"block {shard} was computed twice with different pixels: the array is not deterministic; persist it "
                "first"
            )


def _keep(token: str, digest: int, data: bytes) -> Fragment:
    return Fragment.keep(token, digest, data)
