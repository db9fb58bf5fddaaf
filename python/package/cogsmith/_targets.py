"""Targets: paths, bytes, and objects with ``write``."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import _native

#: The target that returns the file as bytes.
MEMORY = ":mem:"


class Memory(io.BytesIO):
    """The target ``":mem:"``; ``getvalue`` returns its bytes without a copy."""


def destination(target: Any) -> Any:
    """Returns a target as the native module takes it: a path, or an object with ``write``."""
    if isinstance(target, str) and target == MEMORY:
        return Memory()
    if isinstance(target, (str, os.PathLike)):
        return place_of(target)
    if callable(getattr(target, "write", None)):
        return target
    raise TypeError(f"target {target!r}: expected a path, ':mem:', or an object with a write method")


def place_of(target: str | os.PathLike[str]) -> Path | str:
    """Returns a target as the address of an object, which stays text, or as a path."""
    if isinstance(target, str) and _native.is_object(target):
        return target
    return path_of(target)


def check_storage_options(storage_options: Mapping[str, str], where: Any, sources: Iterable[Any] = ()) -> None:
    """Refuses options of a connection if neither the target nor a source is an object."""
    if storage_options and not any(isinstance(place, str) for place in (where, *sources)):
        names = ", ".join(sorted(storage_options))
        what = "the target" if where is not None else "the file"
        raise ValueError(f"storage_options ({names}) have no effect unless {what} is an object, such as 's3://bucket/key.tif'")


def source_of(source: str | os.PathLike[str]) -> Path | str:
    """Returns a source as an address, which stays text, or as a path."""
    if isinstance(source, str) and _native.is_address(source) and not os.path.exists(source):
        return source
    return local_path(source, "cogsmith opens https://, http://, s3://, gs://, and az://; copy it to a local file first")


def path_of(target: str | os.PathLike[str]) -> Path:
    """Returns the path of a target; URLs are refused, since they would create directories of odd names."""
    return local_path(
        target, "open it with fsspec and pass the open file to cogsmith.write, or upload the bytes that to_cog returns"
    )


def local_path(path: str | os.PathLike[str], advice: str) -> Path:
    """Returns a path of the file system; an error with advice for URLs and GDAL's virtual file systems."""
    local = Path(path)
    if isinstance(path, str) and ("://" in path or (path.startswith("/vsi") and not local.parent.is_dir())):
        raise ValueError(f"{_native.redact(path)!r} is not a file system path; {advice}")
    return local


def result(where: Any, summary: Mapping[str, Any]) -> Any:
    """Returns what the caller gets: the bytes, the path, the address of an object, or the number of bytes written."""
    if isinstance(where, Memory):
        return where.getvalue()
    return where if isinstance(where, (Path, str)) else summary["bytes"]
