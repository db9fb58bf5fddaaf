"""Replace a window of a file: :func:`patch`, with the results of the command."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import _native, _targets, _values
from ._edit import _ADVICE, _warn
from ._plan import PatchChoice
from ._several import Input, _is_array, _written
from ._types import Resampling, StrPath, Threads


def patch(
    path: StrPath,
    updates: StrPath | Iterable[Input],
    *,
    output: StrPath | None = None,
    overwrite: bool = False,
    replace_all: bool = False,
    overview_resampling: Resampling = None,
    level: int | None = None,
    statistics: bool = False,
    threads: Threads = None,
    dry_run: bool = False,
    sync: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Replace windows of a COG by other rasters on its grid, as ``cogsmith patch`` does.

    Only the tiles that an update touches, and those of the overviews that depend on them, are encoded; all others are copied
    byte for byte. Codec, predictor, tiles, levels, and mask stay those of the file.

    Parameters
    ----------
    path : str or os.PathLike
        Path of the COG. Files with lossy codecs are refused.
    updates : path, DataArray, Dataset, or iterable of these
        New pixels, the last one on top: rasters with the CRS, pixel size, bands, and dtype of the file, at whole pixels and
        within its edges. Folders, patterns, and ``"@list.txt"`` as in :func:`cogsmith.mosaic`. Arrays, in memory or backed by
        Dask, are written to temporary files first.
    output : str or os.PathLike, optional
        Path of the file to write. Default: the patched file replaces the old one at the end.
    overwrite : bool, default False
        Whether an existing ``output`` is replaced.
    replace_all : bool, default False
        Whether pixels that are nodata or masked in an update replace others too. By default, they leave the old pixels.
    overview_resampling : str or sequence of str, optional
        Kernel of the overviews, or one per band. Default: the one that the metadata of the file name; needed if they do not.
    level : int, optional
        Compression level of new tiles. Default: the one that gives the tiles of the file.
    statistics : bool, default False
        Whether statistics of every band are computed from full resolution, exactly, and stored in the metadata. Otherwise,
        those of the file are removed, with a warning.
    threads : int or "all", optional
        Number of threads. Default: all cores.
    dry_run : bool, default False
        Whether the work is only described.
    sync : bool, default False
        Whether to wait until the file is on disk.
    quiet : bool, default False
        Whether warnings are suppressed.

    Returns
    -------
    dict
        The object that ``cogsmith patch --json`` prints: ``file``, ``output``, ``dry_run``, ``bytes``, ``big_tiff``,
        ``levels`` (dicts of ``width`` and ``height`` in pixels, and the numbers of tiles ``encoded`` and ``copied``),
        ``encoded`` and ``copied`` (of all levels), ``windows`` (column, row, width, and height of each update in pixels),
        ``seconds``, and ``warnings``.

    Raises
    ------
    ValueError
        If an update does not fit the file, the kernel of the overviews is unknown, or the file cannot be patched.
    FileExistsError
        If ``output`` exists and ``overwrite`` is not set.
    OSError
        If a file cannot be read or written.

    Warns
    -----
    UserWarning
        For everything that is left out or unknown, unless ``quiet`` is set.

    Examples
    --------
    >>> summary = cogsmith.patch("country.tif", "county.tif", dry_run=True)
    >>> summary["encoded"], summary["copied"]
    (12, 1353)
    """
    start = time.monotonic()
    file = _targets.local_path(path, _ADVICE)
    target = None if output is None else _targets.local_path(output, "write a local file")
    given: Iterable[Input] = [updates] if isinstance(updates, (str, os.PathLike)) or _is_array(updates) else updates
    if overview_resampling is None:
        kernels = []
    elif isinstance(overview_resampling, (list, tuple)):
        kernels = [_values.resampling("overview_resampling", one) for one in overview_resampling]
    else:
        kernels = [_values.resampling("overview_resampling", one) for one in str(overview_resampling).split(",")]
    choice = PatchChoice(
        output=target,
        overwrite=overwrite,
        replace_all=replace_all,
        overview_resampling=kernels,
        level=None if level is None else _values.integer("level", level, 0, 255),
        statistics=statistics,
        threads=None if threads is None or _values.word(threads) == "all" else _values.integer("threads", threads, 0, 2**32 - 1),
        dry_run=dry_run,
        sync=sync,
    )
    with tempfile.TemporaryDirectory(prefix="cogsmith-") as folder:
        sources = [
            _written(one, Path(folder) / f"array-{number}.tif") if _is_array(one) else _targets.local_path(one, _ADVICE)
            for number, one in enumerate(given, 1)
        ]
        size, is_big, levels, windows, warnings = _native.patch(file, sources, choice)
    _warn(file, warnings, quiet)
    described = [
        {"width": width, "height": height, "encoded": encoded, "copied": copied} for width, height, encoded, copied in levels
    ]
    return {
        "file": str(file), "output": str(target or file), "dry_run": dry_run, "bytes": size, "big_tiff": is_big, "levels": described,
        "encoded": sum(one["encoded"] for one in described), "copied": sum(one["copied"] for one in described),
        "windows": [list(window) for window in windows], "seconds": round(time.monotonic() - start, 3), "warnings": warnings,
    }  # fmt: skip
