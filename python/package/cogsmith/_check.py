"""Finished files: :func:`validate` and :func:`info`, which say what the command says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import _native


def validate(
    file: str | os.PathLike[str] | bytes, *, strict: bool = False, quick: bool = False, threads: int | None = None
) -> dict[str, Any]:
    """Judges whether a file, or bytes, is a valid Cloud Optimized GeoTIFF, by all its tiles or a sample (``quick``).

    Returns the object that ``cogsmith validate --json`` prints, without ``file`` and ``error``: ``verdict`` is "valid"
    or "invalid" (with ``strict`` for warnings too), ``findings`` say why and what to do.
    """
    return _native.validate(_subject(file), strict, quick, threads)


def info(file: str | os.PathLike[str] | bytes) -> dict[str, Any]:
    """Says what a TIFF file, or bytes, is: levels, compression, place, metadata, and what it costs to read.

    Returns the object that ``cogsmith info --json`` prints, without ``file``; a transform is here in the order a, b, c, d,
    e, f of ``affine.Affine``.
    """
    return _native.info(_subject(file))


def _subject(file: str | os.PathLike[str] | bytes) -> Path | bytes:
    return file if isinstance(file, bytes) else Path(file)
