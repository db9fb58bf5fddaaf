"""Files to files: :func:`create`, which does what the command does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import _file_options, _native, _options, _values
from ._progress import as_callback


def create(
    src_path: str | os.PathLike[str], dst_path: str | os.PathLike[str], *, progress: Any = None, **options: Any
) -> dict[str, Any]:
    """Converts a GeoTIFF to a Cloud Optimized GeoTIFF, as ``cogsmith create`` does.

    Parameters
    ----------
    src_path
        The GeoTIFF to read.
    dst_path
        The COG to write. With ``overwrite=True`` it may be the same file.
    progress
        A function of rows done and rows in all, or a bar of tqdm.
    **options
        All options of the command, with ``_`` for ``-``, in either case, also by the names of :func:`cogsmith.write`:
        those of encoding, and

        - ``image``, ``nodata`` (``None`` for none), ``mask``, ``nbits``, ``ignore_aux``: how the input is read;
        - ``crs`` (text, a number, or an object of pyproj, rasterio or odc-geo), ``crs_wkt``;
        - ``transform`` (``affine.Affine`` or its six numbers), ``geotransform`` (GDAL's order), ``bounds`` (left,
          bottom, right, top) or ``gcps`` (rasterio's, or column, row, x, y[, z]); ``pixel_is`` ("area" or "point");
        - ``band_description``, ``scale``, ``offset``, ``unit``: a list with one for each band, or a dict by band,
          counted from 1; except for descriptions also one value for all bands;
        - ``color_interpretation``: one color for each band;
        - ``metadata``: a dict; keys are ``"KEY"`` or ``"DOMAIN:KEY"``, or domains with dicts of their own;
          ``strip_metadata``;
        - ``quiet``: no warnings.

    Returns
    -------
    dict
        The object that ``cogsmith create --json`` prints, without ``output`` and ``seconds``.

    Raises
    ------
    ValueError
        For an option that is unknown, out of range, or contradicts the input or another option.
    OSError
        Where the input cannot be read or the output cannot be written; ``FileExistsError`` without ``overwrite=True``.

    Warns
    -----
    UserWarning
        For everything in the input that is doubtful or not carried over.

    Examples
    --------
    >>> cogsmith.create("scene.tif", "cog.tif", compress="zstd", scale=0.0001, metadata={"AREA": "north"})
    """
    wanted = _file_options.take(options)
    request = _options.resolve(options, _options.UNKNOWN, _options.Request(), [*_file_options.FILE_OPTIONS, "progress"])
    request.work.progress = as_callback(progress)
    source, target = Path(src_path), Path(dst_path)
    summary, warnings = _native.create(
        source, target, wanted.input, wanted.overrides, request.options, request.work
    )
    if not wanted.quiet:
        for text in warnings:
            _values.warn(f"{source}: {text}")
    summary["ratio"] = round(summary["uncompressed_bytes"] / summary["bytes"], 3)
    summary["warnings"] = warnings
    return summary
