"""Convert files: :func:`create`, with the options of the command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import _file_options, _native, _options, _values
from ._progress import as_callback


def create(
    src_path: str | os.PathLike[str], dst_path: str | os.PathLike[str], *, progress: Any = None, **options: Any
) -> dict[str, Any]:
    """Convert a GeoTIFF to a Cloud Optimized GeoTIFF, as ``cogsmith create`` does.

    Georeference, nodata, mask, and metadata of the input are kept unless options replace them.

    Parameters
    ----------
    src_path : str or os.PathLike
        Path of the GeoTIFF to read.
    dst_path : str or os.PathLike
        Path of the COG to write. With ``overwrite=True`` it may be ``src_path``.
    progress : callable or tqdm bar, optional
        Called as ``progress(rows_done, rows)``.
    **options
        All options of the command, with ``_`` for ``-``, in either case. Names of :func:`cogsmith.write` work too.

        Encoding, as in :func:`cogsmith.write`: ``compress``, ``level``, ``predictor``, ``blocksize``,
        ``overview_blocksize``, ``interleave``, ``bigtiff``, ``overviews`` (no images), ``overview_count``,
        ``overview_resampling``, ``statistics``, ``threads``, ``overwrite``, ``sync``, ``verify``, ``tile_memory``,
        ``row_memory``, ``temp_dir``.

        Input:

        - ``image``: number of the image to read, from 1. Default: the first.
        - ``nodata``: nodata value; ``None`` or "none" for none. Default: that of the input.
        - ``mask``: source of the mask, "auto" (default: the mask of the input), "none", "nodata" (masks pixels whose
          bands are all nodata or NaN), or "alpha" (masks pixels whose alpha is 0 and drops the alpha band).
        - ``nbits``: samples of unusual width, such as 12 bits: "keep" (default) or "widen" to the next type.
        - ``ignore_aux``: whether an ``.aux.xml`` file next to the input is ignored. Default: False.

        Georeference, which replaces that of the input:

        - ``crs``: an EPSG code, ``"EPSG:n"``, WKT, PROJJSON, a PROJ string, or an object of pyproj, rasterio, or
          odc-geo.
        - ``crs_wkt``: whether a CRS that GeoKeys cannot express is stored as WKT instead of refused. Default: False.
        - ``transform``: ``affine.Affine`` or six numbers a, b, c, d, e, f; a string is in GDAL's order. Or
          ``geotransform``: six numbers in GDAL's order. Or ``bounds``: left, bottom, right, top of the outer edges, in
          units of the CRS. Or ``gcps``: rasterio's ground control points, or (column, row, x, y[, z]).
        - ``pixel_is``: "area" or "point".

        Metadata:

        - ``band_description`` or ``band_names``: a list with one str per band (None keeps the input's), or a dict by
          band, counted from 1.
        - ``scale``, ``offset``: float, ``unit``: str; likewise, or one value for all bands.
        - ``color_interpretation`` or ``colorinterp``: one color per band, by GDAL's names or as members of
          ``rasterio.enums.ColorInterp``.
        - ``metadata`` or ``tags``: a dict with keys ``"KEY"`` or ``"DOMAIN:KEY"``, or a domain with a dict of its own.
        - ``strip_metadata``: whether the input's metadata is left out, except for what defines its pixel values.
          Default: False.
        - ``quiet``: whether warnings are suppressed. Default: False.

    Returns
    -------
    dict
        The object that ``cogsmith create --json`` prints, without ``output``, ``seconds``, and ``statistics``:
        ``width``, ``height``, ``bands``, ``data_type``, ``tile_width``, ``tile_height``, ``levels`` (a list of dicts
        with ``width``, ``height``, ``tiles``, and ``bytes``), ``compression``, ``predictor``, ``interleave``,
        ``resampling``, ``big_tiff``, ``spooled_bytes``, ``bytes``, ``uncompressed_bytes``, ``ratio`` of the last two,
        and ``warnings``.

    Raises
    ------
    ValueError
        If an option is unknown, out of range, or in conflict with the input or another option, or if the input is not a
        TIFF, is damaged, or has a feature that is not supported.
    TypeError
        If an option has the wrong type.
    FileExistsError
        If ``dst_path`` exists and ``overwrite`` is not set.
    OSError
        If the input cannot be read or the output cannot be written.
    RuntimeError
        If ``verify`` finds a difference.

    Warns
    -----
    UserWarning
        For everything in the input that is ambiguous or not kept, unless ``quiet`` is set.

    Examples
    --------
    >>> summary = cogsmith.create("scene.tif", "cog.tif", compress="zstd", scale=0.0001, metadata={"AREA": "north"})
    >>> summary["compression"], len(summary["levels"])
    ('zstd', 4)
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
