"""Many files into one: :func:`mosaic` and :func:`stack`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Union

from . import _native, _options, _raster, _targets, _values
from ._convert import run
from ._file_options import FileOptions
from ._types import Progress, StrPath
from ._write import write

#: A file, or an array with a georeference.
Input = Union[StrPath, Any]


def mosaic(
    inputs: StrPath | Iterable[Input],
    dst_path: StrPath,
    *,
    method: Literal["last", "first", "min", "max", "mean", "sum", "count"] | str = "last",
    progress: Progress = None,
    **options: Any,
) -> dict[str, Any]:
    """Join GeoTIFFs on one grid into one Cloud Optimized GeoTIFF, as ``cogsmith mosaic`` does.

    Inputs have the same bands, data type, nodata value, colors, CRS, and pixel size, and their pixels are aligned within a
    thousandth of a pixel. Pixels of no input are nodata, masked, or transparent; if the inputs have none of these, nodata
    becomes NaN for floats, and other types get a mask. An input is open only while its rows are read.

    Parameters
    ----------
    inputs : path, or iterable of paths, DataArrays, and Datasets
        Files; addresses, as for :func:`cogsmith.create`; folders, for the GeoTIFFs in them and in their subfolders, sorted by
        path; patterns with ``*``, ``?``, ``[...]``, or ``**``; or ``"@"`` and the name of a text file with one path per line,
        relative to its folder (``vrt_root=...`` permits others, and addresses). Arrays, in memory or backed by Dask, are
        written to temporary files first, one after the other and without compression.
    dst_path : str or os.PathLike
        Path of the COG to write. It must not be one of the inputs.
    method : {"last", "first", "min", "max", "mean", "sum", "count"}, default "last"
        Which value a pixel gets where several inputs have data. Nodata, masked, and transparent pixels and NaN never count.
    progress : callable or tqdm bar, optional
        Called as ``progress(rows_done, rows)``.
    **options
        All options of :func:`cogsmith.create`. Bands, data type, nodata, CRS, and other options about values apply to each
        input, so that inputs that differ fit together; ``window``, ``bbox``, and ``size`` apply to the mosaic.

    Returns
    -------
    dict
        The summary, as of :func:`cogsmith.create`.

    Raises
    ------
    ValueError
        If two inputs do not fit together, if the output is one of the inputs, and as for :func:`cogsmith.create`.
    FileNotFoundError
        If a file does not exist, or a folder, pattern, or list has no files.

    Examples
    --------
    >>> summary = cogsmith.mosaic(["scene.tif"], "mosaic.tif", method="first", compress="zstd")
    >>> summary["width"], summary["compression"]
    (1024, 'zstd')
    """
    rule = _values.choice("method", method, {name: name for name in _native.OVERLAPS})
    return _join(inputs, rule, dst_path, options, progress)


def stack(
    inputs: StrPath | Iterable[Input],
    dst_path: StrPath,
    *,
    progress: Progress = None,
    **options: Any,
) -> dict[str, Any]:
    """Put the bands of GeoTIFFs into one Cloud Optimized GeoTIFF, as ``cogsmith stack`` does.

    Inputs have the same size, place, data type, nodata value, and CRS. Bands are in the order of the inputs; a band without
    a description gets the name of its file.

    Parameters
    ----------
    inputs : path, or iterable of paths
        As in :func:`cogsmith.mosaic`.
    dst_path : str or os.PathLike
        Path of the COG to write. It must not be one of the inputs.
    progress : callable or tqdm bar, optional
        Called as ``progress(rows_done, rows)``.
    **options
        All options of :func:`cogsmith.create`. ``bands`` selects bands of each input; options about bands of the output,
        such as ``band_scale``, count the bands of the stack.

    Returns
    -------
    dict
        The summary, as of :func:`cogsmith.create`.

    Raises
    ------
    ValueError, FileNotFoundError
        As for :func:`cogsmith.mosaic`.

    Examples
    --------
    >>> summary = cogsmith.stack(["scene.tif", "scene.tif"], "stack.tif", interleave="band")
    >>> summary["bands"]
    2
    """
    return _join(inputs, None, dst_path, options, progress)


def _join(
    inputs: StrPath | Iterable[Input],
    method: str | None,
    dst_path: StrPath,
    options: dict[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    given: Iterable[Input] = [inputs] if isinstance(inputs, (str, os.PathLike)) or _is_array(inputs) else inputs
    with tempfile.TemporaryDirectory(prefix="cogsmith-", dir=options.get("temp_dir")) as folder:
        sources = [
            _written(one, Path(folder) / f"array-{number}.tif") if _is_array(one) else _targets.source_of(one)
            for number, one in enumerate(given, 1)
        ]

        def convert(target: Path | str, wanted: FileOptions, request: _options.Request) -> tuple[dict[str, Any], list[str]]:
            return _native.join(
                sources, method, target,
                wanted.input, wanted.pixels, wanted.overrides, request.options, request.work,
            )  # fmt: skip

        return run(convert, "", sources, dst_path, options, progress)


def _is_array(value: Any) -> bool:
    """Returns whether an input is an array with a georeference, rather than a file."""
    return _raster.is_data_array(value) or _raster.is_dataset(value)


def _written(array: Any, path: Path) -> Path:
    """Writes an array to a temporary file without overviews, and returns its path."""
    result = write(array, path, compress="none", overviews="none", attrs=True)
    if hasattr(result, "compute"):
        result.compute()
    return path
