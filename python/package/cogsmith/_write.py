"""Write arrays, in memory or backed by Dask: :func:`write`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from . import _choice, _options, _overviews, _raster, _steps
from ._defaults import default, passed
from ._levels import Levels, run
from ._overrides import take_overrides
from ._raster import UNSET
from ._resolve import array_info, resolve
from ._types import (
    Alpha,
    Bands,
    BigTiff,
    Bytes,
    Colors,
    Compress,
    Flag,
    Interleave,
    Number,
    Numbers,
    Overviews,
    Photometric,
    Predictor,
    Progress,
    Resampling,
    Sparse,
    StorageOptions,
    StrPath,
    Subsampling,
    Target,
    Texts,
    Threads,
    TileSize,
    Unpack,
    WriteAliases,
)


def write(
    array: Any,
    target: Target,
    *,
    crs: Any = None,
    transform: Iterable[float] | None = None,
    gcps: Iterable[Any] | None = None,
    geotransform: Iterable[float] | None = None,
    nodata: Number | str | None = UNSET,
    mask: Any | Literal["auto", "nodata", "any-nodata"] = None,
    bands: Literal["first", "last"] | Bands | None = None,
    window: Sequence[int] | None = None,
    bbox: Sequence[Number] | None = None,
    wrap_longitude: Number | None = None,
    band_names: Texts | None = None,
    band_scale: Numbers | None = None,
    band_offset: Numbers | None = None,
    band_unit: Texts | None = None,
    tags: Mapping[str, Any] | None = None,
    colormap: Mapping[int, Any] | None = None,
    colorinterp: Colors | None = None,
    pixel_is_point: bool | None = None,
    attrs: bool | None = None,
    progress: Progress = None,
    compress: Compress = default("deflate"),
    level: int | None = default(None),
    quality: int | None = default(None),
    lossless: Flag = default(False),
    max_z_error: float | None = default(None),
    jpeg_subsampling: Subsampling = default(None),
    predictor: Predictor = default("auto"),
    blocksize: TileSize | None = default(512),
    overview_blocksize: TileSize | None = default(None),
    interleave: Interleave = default("pixel"),
    bigtiff: BigTiff = default("auto"),
    sparse: Sparse = default(False),
    overviews: Overviews = default("auto"),
    overview_count: int | None = default(None),
    overview_resampling: Resampling = default(None),
    overview_compress: Compress = default(None),
    overview_level: int | None = default(None),
    overview_quality: int | None = default(None),
    overview_max_z_error: float | None = default(None),
    overview_predictor: Predictor = default(None),
    statistics: Flag = default(False),
    photometric: Photometric = default(None),
    alpha: Alpha = default(None),
    nbits: int | None = default(None),
    threads: Threads = default(None),
    overwrite: Flag = default(False),
    sync: Flag = default(False),
    verify: Flag = default(False),
    temp_dir: StrPath | None = default(None),
    tile_memory: Bytes = default(None),
    row_memory: Bytes = default(None),
    storage_options: StorageOptions = default(None),
    **aliases: Unpack[WriteAliases],
) -> Any:
    """Write an array as a Cloud Optimized GeoTIFF.

    The array is read in place, a few rows at a time, whatever its strides and byte order. The GIL is released, and
    Ctrl-C stops the work. A file appears complete or not at all.

    Parameters
    ----------
    array : array_like, xarray.DataArray, xarray.Dataset, or list of these
        Pixels. A NumPy or Dask array has the shape (rows, columns), (bands, rows, columns), or (rows, columns, bands);
        the axes of a DataArray are identified by their names. Each variable of a Dataset becomes a band, and the bands
        of a list follow each other. A two-dimensional masked array sets the mask of the file. The dtype is bool
        (written as uint8 0 and 1), an integer of up to 64 bits, float16, float32, float64, complex64, or complex128.
    target : str, os.PathLike, or file object
        Path of the file; an object in an object store, such as ``"s3://bucket/key.tif"``, ``"gs://..."``, or
        ``"az://..."``; ``":mem:"`` for bytes; or an object with a method ``write(bytes)``. Dask arrays need a path or
        ``":mem:"``. A path with a field that names a dimension, such as ``"scene_{time:%Y-%m-%d}.tif"``, writes one file
        per step of that dimension.
    crs : int, str, dict, or object, optional
        Coordinate reference system: an EPSG code, ``"EPSG:n"``, WKT, PROJJSON, a PROJ string, or an object of pyproj,
        rasterio, or odc-geo. Default: that of the array.
    transform : affine.Affine or sequence of 6 float, optional
        Affine transform a, b, c, d, e, f in units of the CRS: x = a * column + b * row + c and
        y = d * column + e * row + f, where (0, 0) is the outer corner of the upper left pixel. Six numbers that only
        make sense in GDAL's order are refused. Default: that of the array.
    gcps : sequence, optional
        Ground control points instead of a transform: rasterio's objects, or (column, row, x, y) or
        (column, row, x, y, z) in pixels and units of the CRS. Default: those of the array.
    geotransform : sequence of 6 float, optional
        The transform in GDAL's order c, a, b, f, d, e, instead of ``transform``.
    nodata : int, float, or None, optional
        Nodata value; ``None`` for none. Default: that of the array.
    mask : array_like of bool or uint8, shape (rows, columns), or {"auto", "nodata", "any-nodata"}, optional
        Mask for all bands; 0 or False marks invalid pixels. Default: the mask of a masked array, if it is one. "nodata"
        masks pixels whose bands are all nodata or NaN, "any-nodata" those with any such band. With a lossy codec, which
        would change nodata, "auto" is the same as "nodata", but refuses pixels with nodata in some bands.
    bands : {"first", "last"}, or sequence of int or str, optional
        Axis of the bands in a three-dimensional array without axis names. Default: "first"; an array with at most four
        entries along the last axis and more than four along the first is ambiguous and refused. Or the bands to write,
        in their order: numbers, counted from 1, or names, such as ``["red", "nir"]``. Default: all.
    window : tuple of int, or rasterio.windows.Window, optional
        Pixels to write: column and row of the first one, columns, and rows. Georeference and mask describe the whole
        array, and move with the window. Default: all.
    bbox : tuple of float, optional
        Likewise, as the pixels that these bounds touch: left, bottom, right, top in units of the CRS.
    wrap_longitude : float, optional
        Longitude that a global grid begins at, such as -180 for one from 0 to 360 degrees. In memory, the array is
        copied.
    band_names : str or sequence of str, optional
        Band descriptions, one for all bands or one per band. Default: those of the array (``long_name``, labels along
        the band axis, names of variables).
    band_scale, band_offset : float or sequence of float, optional
        Scale factor and offset recorded in the metadata (value = pixel * scale + offset), one for all bands or one per
        band; pixel values are unchanged. Default: those of the array, else 1 and 0.
    band_unit : str or sequence of str, optional
        Unit of the values, one for all bands or one per band. Default: that of the array.
    tags : dict, optional
        GDAL metadata of the file. ``AREA_OR_POINT`` and ``TIFFTAG_...`` set what they name. Tags take precedence over
        attributes of the same name.
    colormap : dict of int to tuple, optional
        Color table in rasterio's form: index to red, green, and blue from 0 to 255; alpha is ignored. Only for uint8
        and uint16.
    colorinterp : str, rasterio.enums.ColorInterp, or sequence of these, optional
        Color interpretation, one for all bands or one per band: GDAL's names, such as "red", "nir", or "alpha".
        Default: by band names; three unnamed bands of uint8 are RGB.
    pixel_is_point : bool, optional
        Whether the file is marked ``AREA_OR_POINT=Point``. ``transform`` refers to pixel corners either way. Default:
        that of the array's attribute ``AREA_OR_POINT``, else False.
    attrs : bool, optional
        Whether attributes of the array become metadata. Default: those of up to 4 KiB each and 8 KiB in total; a
        warning names the others.
    progress : callable or tqdm bar, optional
        Called as ``progress(rows_done, rows)``. Not for Dask arrays.
    compress : str, default "deflate"
        Codec: "deflate", "lzw", "zstd", "packbits", "jpeg", "webp", "lerc", "lerc_deflate", "lerc_zstd", or "none";
        members of ``rasterio.enums.Compression`` work too. JPEG is lossy, and for uint8: one or three bands with
        ``interleave="pixel"``, any number otherwise; nodata stays exact, as a mask, and the nodata tag is left out. LERC
        keeps to ``max_z_error`` and keeps nodata exact. WebP needs ``lossless=True`` and three or four uint8 bands.
    level : int, optional
        Effort, 1 (fastest) to 9 (smallest) for DEFLATE, to 22 for ZSTD. Default: 6 for DEFLATE, 9 for ZSTD.
    quality : int, optional
        Quality of JPEG, 1 (smallest) to 100. Default: 75.
    lossless : bool, default False
        Whether WebP is lossless, the only one that is written; the same as ``quality=100``.
    max_z_error : float, optional
        Largest error of LERC in any sample, in units of the samples. Default: 0.
    jpeg_subsampling : {"auto", "420", "444"}, optional
        Chroma subsampling of JPEG. Default: "auto", 4:2:0 for red, green, and blue, and none for other bands.
    predictor : str or int, default "auto"
        "none" or 1, "horizontal" or 2, "float" or 3, "yes" (by dtype), or "auto": "float" for floats; "none" for
        complex samples and color tables; for integers "horizontal" or "none", whichever compresses a sample of the
        tiles better, and "horizontal" for Dask arrays.
    blocksize : int or tuple of int, default 512
        Side of the tiles in pixels, or (columns, rows); multiples of 16.
    overview_blocksize : int or tuple of int, optional
        Likewise, for overviews. Default: ``blocksize``.
    interleave : {"pixel", "band", "tile"}, default "pixel"
        Order of the bands: all bands of a pixel in one tile; all tiles of one band, then the next; or, for each tile
        position, the tiles of all bands.
    bigtiff : {"auto", "yes", "no", "if_safer"}, default "auto"
        Whether the file is a BigTIFF: "auto" if the finished file needs it, "if_safer" if it might, as in GDAL.
    sparse : bool or "masked", default False
        Whether tiles that readers fill with the same pixels are left out of the file: those whose samples all equal
        nodata, or 0 without nodata. With "masked", also tiles without a valid pixel in the mask, whatever their samples
        are.
    overviews : "auto", "none", sequence of int, or sequence of images, default "auto"
        "auto" halves until one tile holds the image. Or shrink factors, such as ``[2, 4, 8]``. Or images, largest
        first, that become the overviews unchanged (not for Dask arrays).
    overview_count : int, optional
        Number of overviews by the rule of "auto".
    overview_resampling : str or sequence of str, optional
        Resampling kernel of the overviews, one for all bands or one per band: "nearest", "average", "rms", "bilinear",
        "cubic", "cubicspline", "lanczos", "mode", "gauss", "min", "max", or "median"; members of
        ``rasterio.enums.Resampling`` work too. Default: "cubic"; "nearest" for color tables and complex samples.
    overview_compress, overview_level, overview_quality, overview_max_z_error, overview_predictor : optional
        Codec of the overviews, its level or quality, and the predictor. Default: those of full resolution.
    statistics : bool, default False
        Whether exact statistics of every band are computed and stored.
    photometric : str, optional
        "minisblack", "miniswhite", "rgb", "cmyk", "cielab", "icclab", or, with JPEG, "ycbcr" for any three bands that
        readers are to show as red, green, and blue. Default: by the colors of the bands.
    alpha : bool or str, optional
        True or "premultiplied" if the last band is alpha. Default: by ``colorinterp`` and band names.
    nbits : int, optional
        Bits per sample, if fewer than the dtype has.
    threads : int or "all", optional
        Number of threads, 1 to 1024. Default: one per core; for Dask arrays, one per task. The file does not depend
        on it.
    overwrite : bool, default False
        Whether an existing file is replaced.
    sync : bool, default False
        Whether to wait until the file is on the disk.
    verify : bool, default False
        Whether the file is read back and all pixels are compared before it appears. Only for paths, not for Dask
        arrays.
    temp_dir : str or os.PathLike, optional
        Directory of the temporary file for compressed tiles. Default: that of the target; the system's for other
        targets.
    tile_memory : int or str, optional
        Bytes of compressed tiles that are held in memory before they spill to a temporary file, such as ``"64M"``.
        Default: 16 MiB.
    row_memory : int or str, optional
        Bytes of pixels that are read at a time. Default: 16 MiB; at least one row of tiles is read.
    storage_options : dict, optional
        Options of the connection if the target is an object: ``endpoint``, ``region``, ``access_key_id``,
        ``secret_access_key``, ``anon``, ``profile``, and all others of docs/stores.md, in either case; also
        ``contiguous_parts``. Default: the environment, as for the command.
    **aliases
        Other names of the options above, listed in the next section.

    Other Parameters
    ----------------
    compression, ovr_blocksize, overview_levels, resampling, num_threads, stats, descriptions
        The same as ``compress``, ``overview_blocksize``, ``overviews``, ``overview_resampling``, ``threads``,
        ``statistics``, and ``band_names``.
    zlevel, zstd_level : int, optional
        ``level`` for one codec only; ``zlevel`` goes up to 12, and above 9 means 9.
    jpeg_quality : int, optional
        The same as ``quality``.
    webp_lossless : bool, optional
        The same as ``lossless``.
    max_z_error_overview : float, optional
        The same as ``overview_max_z_error``.
    blockxsize, blockysize : int, optional
        Columns and rows of a tile.
    driver, width, height, count, dtype, tiled
        As in a rasterio profile: accepted if they agree with the array and the output.

    Names and words are taken in either case, such as GDAL's ``COMPRESS="ZSTD"``.

    Returns
    -------
    pathlib.Path, str, list of these, bytes, int, or dask.delayed.Delayed
        The path, or the address of an object; for a path with a field the list of them; for ``":mem:"`` the bytes of the
        file; for an object with ``write`` the number of bytes written to it. For a Dask array, a ``Delayed`` whose
        ``compute()`` writes the file or files and returns the same.

    Raises
    ------
    ValueError
        If an option is out of range, not supported, or in conflict with the array or another option, or if the array
        cannot be written: for example, it is empty or its coordinates are not evenly spaced.
    TypeError
        If an option is unknown or an argument has the wrong type, or GeoTIFF has no samples of this dtype.
    FileExistsError
        If the file exists and ``overwrite`` is not set. For Dask arrays, ``compute()`` raises it.
    OSError
        If the target cannot be written.
    RuntimeError
        If ``verify`` finds a difference.

    Warns
    -----
    UserWarning
        If metadata of the array is ambiguous (two nodata values, for example) or left out, if an option is ignored, or
        if the chunks of a Dask array are costly.

    See Also
    --------
    write_cog : The same with the arguments and defaults of datacube.
    CogWriter : Write rows as they come.
    create : Convert a GeoTIFF file.

    Examples
    --------
    >>> import numpy as np
    >>> import cogsmith
    >>> pixels = np.zeros((2000, 3000), "uint16")
    >>> cogsmith.write(pixels, "out.tif", crs=32633, transform=(10, 0, 300_000, 0, -10, 5_000_000))
    PosixPath('out.tif')

    Bytes instead of a file, with another codec and a nodata value:

    >>> data = cogsmith.write(pixels, ":mem:", compress="zstd", nodata=0)

    Bands last, with names, statistics, and a mask:

    >>> rgb = np.zeros((2000, 3000, 3), "uint8")
    >>> cogsmith.write(rgb, "rgb.tif", bands="last", mask=rgb.any(axis=2), band_names=["red", "green", "blue"],
    ...                statistics=True)
    PosixPath('rgb.tif')

    A Dask array, written when it is computed:

    >>> cogsmith.write(dask.array.zeros((20_000, 30_000), "uint16"), "large.tif").compute()
    PosixPath('large.tif')
    """
    options = passed(locals(), without=("array", "target", "mask", "progress"))
    steps = _steps.read(target, array)
    if steps is not None:
        return steps.write(
            array, mask, options,
            lambda step, masked, path: write(step, path, mask=masked, progress=progress, **options),
        )  # fmt: skip
    axis, overrides, choice = _choice.take_axis(options), take_overrides(options), _choice.take(options)
    array, masked = _raster.mask_of(array)
    if masked is not None and mask is not None and not isinstance(mask, str):
        raise ValueError("the array is a masked array and mask= is given; omit mask=, or pass array.data")
    raster = _raster.read(array, axis, overrides.georeference)
    policy, mask = (mask, None) if isinstance(mask, str) else ("auto", mask)
    raster, mask = _choice.choose(raster, masked if masked is not None else mask, overrides, choice)
    levels = Levels(raster, mask, _overviews.read(_overviews.take(options), raster, mask, axis))
    request = _options.resolve(options, array_info(raster), levels.request(options), write)
    request.options.mask = _options.mask_policy(policy)
    return run(levels, resolve(raster, mask, overrides, request, progress), target)
