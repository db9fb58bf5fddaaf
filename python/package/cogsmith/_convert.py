"""Convert files: :func:`create`, with the options of the command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from . import _file_options, _native, _options, _targets, _values
from ._defaults import default, passed
from ._file_options import FileOptions
from ._progress import as_callback
from ._raster import UNSET
from ._types import (
    BandNumbers,
    Bands,
    BandTexts,
    BigTiff,
    Bytes,
    Colors,
    Compress,
    CreateAliases,
    Factors,
    Flag,
    Interleave,
    Number,
    Photometric,
    Predictor,
    Progress,
    Resampling,
    Sparse,
    StorageOptions,
    StrPath,
    Subsampling,
    Threads,
    TileSize,
    Unpack,
)


def create(
    src_path: StrPath,
    dst_path: StrPath,
    *,
    compress: Compress = default("deflate"),
    level: int | None = default(None),
    quality: int | None = default(None),
    lossless: Flag = default(False),
    max_z_error: float | None = default(None),
    jpeg_subsampling: Subsampling = default(None),
    photometric: Photometric = default(None),
    predictor: Predictor = default("auto"),
    blocksize: TileSize | None = default(512),
    interleave: Interleave = default("pixel"),
    bigtiff: BigTiff = default("auto"),
    sparse: Sparse = default(False),
    header_room: Bytes = default(None),
    overviews: Factors = default("auto"),
    overview_count: int | None = default(None),
    overview_resampling: Resampling = default(None),
    overview_blocksize: TileSize | None = default(None),
    overview_compress: Compress = default(None),
    overview_level: int | None = default(None),
    overview_quality: int | None = default(None),
    overview_max_z_error: float | None = default(None),
    overview_predictor: Predictor = default(None),
    image: int | None = None,
    nodata: Number | str | None = UNSET,
    mask: Literal["auto", "none", "nodata", "any-nodata", "alpha"] | str = default("auto"),
    wrap_longitude: float | None = None,
    window: Sequence[int] | str | Any = None,
    bbox: Iterable[float] | str | None = None,
    bands: Bands | None = None,
    expand_palette: Literal["rgb", "rgba"] | str | None = None,
    unscale: Flag = default(False),
    rescale: Sequence[float] | Sequence[Sequence[float]] | str | None = None,
    dtype: Any = None,
    size: Sequence[int] | str | None = None,
    size_resampling: str | None = None,
    nbits: Literal["keep", "widen"] | str | int = default("keep"),
    ignore_aux: Flag = default(False),
    vrt_root: StrPath | None = default(None),
    crs: Any = None,
    crs_wkt: Flag = default(False),
    transform: Iterable[float] | str | None = None,
    geotransform: Iterable[float] | str | None = None,
    bounds: Iterable[float] | str | None = None,
    gcps: Iterable[Any] | str | None = None,
    pixel_is: Literal["area", "point"] | str | None = None,
    band_description: BandTexts | None = None,
    band_scale: BandNumbers | None = None,
    band_offset: BandNumbers | None = None,
    band_unit: BandTexts | None = None,
    color_interpretation: Colors | None = None,
    statistics: Flag = default(False),
    metadata: Mapping[str, Any] | Sequence[str] | None = None,
    strip_metadata: Flag = default(False),
    threads: Threads = default(None),
    tile_memory: Bytes = default(None),
    row_memory: Bytes = default(None),
    temp_dir: StrPath | None = default(None),
    sync: Flag = default(False),
    verify: Flag = default(False),
    overwrite: Flag = default(False),
    storage_options: StorageOptions = default(None),
    aws_profile: str | None = None,
    region: str | None = None,
    endpoint: str | None = None,
    no_sign_request: Flag = default(False),
    store_option: str | Sequence[str] | None = None,
    contiguous_parts: Flag = default(False),
    quiet: Flag = default(False),
    progress: Progress = None,
    **aliases: Unpack[CreateAliases],
) -> dict[str, Any]:
    """Convert a GeoTIFF, VRT, PNG, or JPEG to a Cloud Optimized GeoTIFF, as ``cogsmith create`` does.

    Georeference, nodata, mask, and metadata of the input are kept unless options replace them.

    Parameters
    ----------
    src_path : str or os.PathLike
        Path of the GeoTIFF, VRT, PNG, or JPEG file to read; or an address: ``"https://..."``, ``"s3://bucket/key.tif"``,
        ``"gs://..."``, ``"az://..."``, or GDAL's ``"/vsicurl/..."``, ``"/vsis3/..."``, ``"/vsigs/..."``, and ``"/vsiaz/..."``.
    dst_path : str or os.PathLike
        Path of the COG to write. With ``overwrite=True`` it may be ``src_path``.
    compress, level, quality, lossless, max_z_error, jpeg_subsampling, predictor, blocksize, overview_blocksize, interleave, bigtiff, sparse : optional
        Encoding options, as in :func:`cogsmith.write`.
    header_room : int or str, optional
        Free bytes after the directories, in which later changes by :func:`cogsmith.edit` fit: bytes, or text such as
        "16K". Default: 0.
    overview_compress, overview_level, overview_quality, overview_max_z_error, overview_predictor : optional
        Likewise.
    photometric : {"auto", "ycbcr"}, optional
        "ycbcr" stores any three bands as YCbCr in JPEG. Default: "auto", only red, green, and blue.
    overviews : "auto", "none", "existing", or sequence of int, default "auto"
        As in :func:`cogsmith.write`, but not images. "existing" takes those levels of "auto" that ``src_path`` or its
        ``.ovr`` file has, and computes the others.
    overview_count, overview_resampling, statistics : optional
        As in :func:`cogsmith.write`.
    image : int, optional
        Number of the image to read, from 1. Default: the first of full resolution.
    nodata : int, float, "none", or None, optional
        Nodata value; ``None`` or "none" for none. Default: that of the input.
    mask : {"auto", "none", "nodata", "any-nodata", "alpha"}, default "auto"
        Source of the mask: the mask of the input; none; pixels whose bands are all, or in part, nodata or NaN; or pixels
        whose alpha is 0, and the alpha band is dropped. With a lossy codec, "auto" also makes the mask from nodata and
        alpha, which the codec would change.
    wrap_longitude : float, optional
        Longitude that a global grid begins at, such as -180 for a grid from 0 to 360: the first column is the first one
        whose center is not west of it.
    window : sequence of 4 int, str, or rasterio.windows.Window, optional
        Rectangle of pixels to write: left column, top row, width, height; columns and rows count from 0.
    bbox : sequence of 4 float or str, optional
        Left, bottom, right, top in units of the input's CRS; all pixels that it touches are written.
    bands : int, str, or sequence of these, optional
        Bands to write, in this order: numbers counted from 1, or descriptions. Default: all.
    expand_palette : {"rgb", "rgba"}, optional
        Colors in place of palette indices. Nodata pixels become masked, or get alpha 0.
    unscale : bool, default False
        Whether values become the quantities that they stand for: value times scale plus offset.
    rescale : sequence of 2 or 4 float, str, or a sequence of these with one per band, optional
        Linear mapping: the first two values become the second two, or the range of the data type (0 to 1 for floats).
    dtype : str, numpy.dtype, or type, optional
        Data type of the output; values are rounded and limited to its range. If it cannot hold the input's nodata value,
        ``nodata`` sets the one that replaces it. Default: that of the input.
    size : sequence of 2 int or str, optional
        Columns and rows to reduce the image to.
    size_resampling : str, optional
        Kernel of ``size``. Default: that of overviews.
    nbits : {"keep", "widen"} or int, default "keep"
        Whether samples of unusual width, such as 12 bits, are widened to the next type; or the bits per sample in the file:
        larger values become the largest one, and 16 stores 32-bit floats as halves.
    ignore_aux : bool, default False
        Whether an ``.aux.xml`` file next to the input is ignored.
    vrt_root : str or os.PathLike, optional
        Folder or address below which the files named in a VRT file or a list may be. Default: the folder of that file, and
        names must be relative to it.
    crs : int, str, dict, or object, optional
        Coordinate reference system: an EPSG code, ``"EPSG:n"``, WKT, PROJJSON, a PROJ string, or an object of pyproj,
        rasterio, or odc-geo. Pixels are not reprojected. Default: that of the input.
    crs_wkt : bool, default False
        Whether a CRS that GeoKeys cannot express is stored as WKT instead of refused.
    transform : affine.Affine, sequence of 6 float, or str, optional
        Affine transform a, b, c, d, e, f; a string is in GDAL's order. Default: that of the input.
    geotransform : sequence of 6 float or str, optional
        The transform in GDAL's order c, a, b, f, d, e, instead of ``transform``.
    bounds : sequence of 4 float or str, optional
        Left, bottom, right, top of the outer edges, in units of the CRS, instead of ``transform``.
    gcps : sequence, optional
        Ground control points instead of a transform: rasterio's, also with their CRS as in ``dataset.gcps``, or
        (column, row, x, y) or (column, row, x, y, z).
    pixel_is : {"area", "point"}, optional
        Raster type; pixels do not move. Default: that of the input.
    band_description : sequence of str, or dict of int to str, optional
        Band descriptions: one per band (None keeps the input's), or by band, counted from 1.
    band_scale, band_offset : float, sequence of float, or dict of int to float, optional
        Scale factor and offset recorded in the metadata, likewise, or one for all bands; pixel values are unchanged.
    band_unit : str, sequence of str, or dict of int to str, optional
        Unit of the values, likewise.
    color_interpretation : str, rasterio.enums.ColorInterp, or sequence of these, optional
        One color per band, by GDAL's names.
    metadata : dict, or sequence of str, optional
        GDAL metadata items: a dict with keys ``"KEY"`` or ``"DOMAIN:KEY"``, or a domain with a dict of its own; or
        strings such as ``"KEY=VALUE"``.
    strip_metadata : bool, default False
        Whether the input's metadata is left out, except for what defines its pixel values.
    storage_options, aws_profile, region, endpoint, no_sign_request, store_option, contiguous_parts : optional
        Connection to an object store, if the input or the output is an object such as ``"s3://bucket/key.tif"``: a dict as
        for :func:`write`, or the options of the command.
    threads, tile_memory, row_memory, temp_dir, sync, verify, overwrite : optional
        As in :func:`cogsmith.write`.
    quiet : bool, default False
        Whether warnings are suppressed.
    progress : callable or tqdm bar, optional
        Called as ``progress(rows_done, rows)``.
    **aliases
        Other names of the options above, listed in the next section.

    Other Parameters
    ----------------
    band_names, descriptions, colorinterp, tags, gcp, stats
        The same as ``band_description``, ``color_interpretation``, ``metadata``, ``gcps``, and ``statistics``.
    pixel_is_point : bool, optional
        ``pixel_is`` as a bool.
    json
        Only True, since the summary is always returned.
    compression, zlevel, zstd_level, ovr_blocksize, overview_levels, resampling, num_threads, driver, tiled, ...
        As in :func:`cogsmith.write`.

    Names and words are taken in either case, such as GDAL's ``COMPRESS="ZSTD"``.

    Returns
    -------
    dict
        The object that ``cogsmith create --json`` prints: ``output``, ``width``, ``height``, ``bands``, ``data_type``,
        ``tile_width``, ``tile_height``, ``levels`` (a list of dicts with ``width``, ``height``, ``tiles``, ``bytes``,
        and for a lossy codec ``loss``: ``tiles`` that were compared, ``max_error``, and ``psnr`` in decibels),
        ``compression``, ``overview_compression`` if it differs, ``quality`` of a lossy codec, ``predictor``, ``interleave``, ``resampling``, ``big_tiff``, ``spooled_bytes``,
        ``bytes``, ``uncompressed_bytes``, ``ratio`` of the last two, ``seconds``, ``read`` if an input is at an address
        (a dict with the ``requests`` made and the ``bytes`` received), ``statistics`` if they are computed
        (a list with a dict per band: ``minimum``, ``maximum``, ``mean``, ``standard_deviation``, ``valid_percent``),
        ``nodata_samples`` if samples of valid pixels equal a nodata value that became the mask, ``masked_tiles`` if tiles
        with other samples were left out, and ``warnings``.

    Raises
    ------
    ValueError
        If an option is out of range, not supported, or in conflict with the input or another option, or if the input is
        not a TIFF, is damaged, or has a feature that is not supported.
    TypeError
        If an option is unknown or has the wrong type.
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
    >>> summary = cogsmith.create("scene.tif", "cog.tif", compress="zstd", band_scale=0.0001, metadata={"AREA": "a"})
    >>> summary["compression"], len(summary["levels"])
    ('zstd', 4)
    """
    options = passed(locals(), without=("src_path", "dst_path", "progress"))
    source = _targets.source_of(src_path)

    def convert(target: Path | str, wanted: FileOptions, request: _options.Request) -> tuple[dict[str, Any], list[str]]:
        return _native.create(
            source, target, wanted.input, wanted.pixels, wanted.overrides, request.options, request.work
        )

    return run(convert, f"{_native.redact(str(source))}: ", [source], dst_path, options, progress)


def run(
    convert: Callable[[Path | str, FileOptions, _options.Request], tuple[dict[str, Any], list[str]]],
    prefix: str,
    sources: Sequence[Path | str],
    dst_path: StrPath,
    options: dict[str, Any],
    progress: Progress,
) -> dict[str, Any]:
    """Interprets the options, writes the file with `convert`, warns, and returns the summary."""
    start = time.monotonic()
    wanted = _file_options.take(options)
    request = _options.resolve(options, _options.UNKNOWN, _options.Request(), create)
    request.options.mask = wanted.mask
    request.options.header_room = wanted.header_room
    request.work.storage_options |= wanted.storage_options
    request.work.progress = as_callback(progress)
    target = _targets.place_of(dst_path)
    # Lists and VRT files may name objects below an address.
    root = wanted.input.vrt_root
    places = [*sources, root if isinstance(root, str) and _native.is_address(root) else None]
    _targets.check_storage_options(request.work.storage_options, target, places)
    summary, warnings = convert(target, wanted, request)
    if not wanted.quiet:
        for text in warnings:
            _values.warn(f"{prefix}{text}")
    # The keys of the command's JSON, in its order.
    last: dict[str, Any] = {name: summary.pop(name) for name in ("read", "statistics", "nodata_samples", "masked_tiles") if name in summary}
    return {
        "output": str(target),
        **summary,
        "ratio": round(summary["uncompressed_bytes"] / summary["bytes"], 3),
        "seconds": round(time.monotonic() - start, 3),
        **last,
        "warnings": warnings,
    }
