"""The last task of a file, which cleans up if its computation is interrupted."""

from __future__ import annotations

import os
from typing import Any

from dask.delayed import Delayed

from . import _upload


class Final(Delayed):
    """The task whose result the caller gets."""

    __slots__ = ("_where",)

    def __init__(self, last: Delayed, where: Any) -> None:
        super().__init__(last.key, last.dask, layer=getattr(last, "_layer", None))  # type: ignore[no-untyped-call]
        object.__setattr__(self, "_where", where)

    def __reduce__(self) -> Any:
        last = Delayed(self.key, self.dask, layer=getattr(self, "_layer", None))  # type: ignore[no-untyped-call]
        return type(self), (last, self._where)

    def compute(self, **options: Any) -> Any:
        try:
            return super().compute(**options)  # type: ignore[no-untyped-call]
        except BaseException as error:
            left = self._clean_up()
            if left:
                raise OSError(f"{error or type(error).__name__}; {left}") from error
            raise

    def _clean_up(self) -> str | None:
        """Deletes what is unfinished; returns what cannot be deleted, and how to do it."""
        raise NotImplementedError


class FileWrite(Final):
    """Writes a file to a path, over a temporary file."""

    __slots__ = ()

    def _clean_up(self) -> str | None:
        remove(self._where)
        return None


class ObjectWrite(Final):
    """Writes a file to an object store, in an upload."""

    __slots__ = ()

    def _clean_up(self) -> str | None:
        return _upload.abort_everywhere(self._where)


def remove(temporary: str | os.PathLike[str]) -> None:
    """Deletes a file, if it exists and can be deleted."""
    try:
        os.remove(temporary)
    except OSError:
        pass
