"""The functions of datacube and odc-geo: :func:`write_cog` and :func:`to_cog`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from . import _choice, _georeference, _options, _overviews, _raster
from ._defaults import default, passed
from ._levels import Levels, run
from ._overrides import Overrides, take_overrides
from ._plan import Georeference
from ._raster import UNSET, Raster
from ._resolve import array_info, resolve
from ._targets import MEMORY
from ._types import (
    Alpha,
    Bands,
    BigTiff,
    Bytes,
    CogAliases,
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
    Texts,
    Threads,
    Unpack,
)


#: The arguments of datacube, which are not among the options.
_DATACUBE = (
    "geo_im", "fname", "overwrite", "blocksize", "ovr_blocksize", "overview_resampling", "overview_levels",
    "use_windowed_writes", "intermediate_compression",
)  # fmt: skip


def write_cog(
    geo_im: Any,
    fname: StrPath,
    overwrite: Flag = False,
    blocksize: int | None = None,
    ovr_blocksize: int | None = None,
    overview_resampling: Resampling = None,
    overview_levels: Iterable[int] | None = None,
    use_windowed_writes: bool = False,
    intermediate_compression: bool | str | dict[str, Any] = False,
    *,
    nodata: Number | str | None = default(None),
    crs: Any = None,
    transform: Iterable[float] | None = None,
    gcps: Iterable[Any] | None = None,
    geotransform: Iterable[float] | None = None,
    bands: Bands | None = None,
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
    level: int | None = default(6),
    quality: int | None = default(None),
    lossless: Flag = default(False),
    max_z_error: float | None = default(None),
    jpeg_subsampling: Subsampling = default(None),
    predictor: Predictor = default("yes"),
    interleave: Interleave = default("pixel"),
    bigtiff: BigTiff = default("auto"),
    sparse: Sparse = default(False),
    overviews: Overviews = default(None),
    overview_count: int | None = default(None),
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
    sync: Flag = default(False),
    verify: Flag = default(False),
    temp_dir: StrPath | None = default(None),
    tile_memory: Bytes = default(None),
    row_memory: Bytes = default(None),
    storage_options: StorageOptions = default(None),
    **aliases: Unpack[CogAliases],
) -> Any:
    """Write a georeferenced array as a Cloud Optimized GeoTIFF, as ``datacube.utils.cog.write_cog`` does.

    Arguments and defaults are those of datacube; :func:`write` has the defaults of this library. If ``geo_im`` is
    backed by Dask, nothing is read or written before the ``compute()`` of the result. Each task then handles one block,
    and the whole image is never in the memory of one machine.

    Parameters
    ----------
    geo_im : xarray.DataArray, xarray.Dataset, or array_like
        Pixels with a georeference of odc-geo, rioxarray, datacube, or CF; or any array that :func:`write` accepts, with
        ``crs=`` and ``transform=``.
    fname : str or os.PathLike
        Path of the file, or ``":mem:"`` for bytes.
    overwrite : bool, default False
        Replace an existing file.
    blocksize : int, default 512
        Side of the tiles in pixels, rounded up to a multiple of 16 with a warning. Tiles shrink to the sides of a
        smaller image.
    ovr_blocksize : int, optional
        Side of the tiles of overviews in pixels. Default: ``blocksize``.
    overview_resampling : str or rasterio.enums.Resampling, default "nearest"
        Resampling kernel of the overviews; :func:`write` lists the names.
    overview_levels : list of int, optional
        Shrink factors of the overviews; ``[]`` for none. Default: ``[2, 4, 8, 16, 32]``, or none if a side of the image
        is shorter than 512 pixels.
    use_windowed_writes : bool, default False
        Has no effect: arrays are always read a few rows at a time.
    intermediate_compression : bool, str, or dict, default False
        Has no effect: there is no intermediate file. Unknown codecs and options are still refused.
    nodata : int, float, or "auto", optional
        Nodata value. Default, as for ``None`` and "auto": that of the array, NaN for floats without one.
    level : int, default 6
        Effort, 1 (fastest) to 9 (smallest) for DEFLATE, to 22 for ZSTD.
    predictor : str or int, default "yes"
        As in :func:`write`; "yes" is 2 for integers, 3 for floats, and none for complex samples.
    overviews : "auto", "none", sequence of int, or sequence of images, optional
        Instead of ``overview_levels``, as in :func:`write`.
    crs, transform, gcps, geotransform, progress : optional
        As in :func:`write`.
    bands, window, bbox, wrap_longitude : optional
        As in :func:`write`; ``bands`` are the bands to write.
    band_names, band_scale, band_offset, band_unit, tags, colormap, colorinterp, pixel_is_point, attrs : optional
        As in :func:`write`.
    compress, quality, lossless, max_z_error, jpeg_subsampling, interleave, bigtiff, sparse, overview_count, photometric, alpha, nbits : optional
        As in :func:`write`.
    overview_compress, overview_level, overview_quality, overview_max_z_error, overview_predictor, statistics : optional
        As in :func:`write`.
    threads, sync, verify, temp_dir, tile_memory, row_memory, storage_options : optional
        As in :func:`write`.
    **aliases
        Other names of these options, as in :func:`write`. They take precedence over the arguments that datacube has.

    Returns
    -------
    pathlib.Path, bytes, or dask.delayed.Delayed
        The path; for ``":mem:"`` the bytes of the file. For a Dask array, a ``Delayed`` whose ``compute()`` writes the
        file and returns that.

    Raises
    ------
    ValueError
        If the array has no CRS or no position, or for the reasons listed in :func:`write`.
    TypeError
        If an option is unknown or an argument has the wrong type, or GeoTIFF has no samples of this dtype.
    FileExistsError
        If the file exists and ``overwrite`` is not set. For Dask arrays, ``compute()`` raises it.
    OSError
        If the file cannot be written.

    Warns
    -----
    UserWarning
        If ``blocksize`` is not a multiple of 16, or for the reasons listed in :func:`write`.

    Examples
    --------
    >>> write_cog(scene.red, "red.tif", overwrite=True, compress="zstd", overview_resampling="average")
    PosixPath('red.tif')
    >>> write_cog(lazy_scene.isel(time=0).red, "red.tif").compute()
    PosixPath('red.tif')
    """
    options = passed(locals(), without=_DATACUBE)
    arguments = {
        "overwrite": overwrite,
        "blocksize": blocksize,
        "ovr_blocksize": ovr_blocksize,
        "overview_resampling": overview_resampling,
        "overview_levels": overview_levels,
    }
    _check_idle_arguments(use_windowed_writes, intermediate_compression)
    overrides, choice = take_overrides(options), _choice.take(options)
    array, valid = _raster.mask_of(geo_im)
    raster = _raster.read(array, None, overrides.georeference)
    raster, valid = _choice.choose(raster, valid, overrides, choice)
    return _save(Levels(raster, valid), fname, arguments, overrides, options)


def to_cog(
    geo_im: Any,
    blocksize: int | None = None,
    ovr_blocksize: int | None = None,
    overview_resampling: Resampling = None,
    overview_levels: Iterable[int] | None = None,
    use_windowed_writes: bool = False,
    intermediate_compression: bool | str | dict[str, Any] = False,
    *,
    nodata: Number | str | None = default(None),
    crs: Any = None,
    transform: Iterable[float] | None = None,
    gcps: Iterable[Any] | None = None,
    geotransform: Iterable[float] | None = None,
    bands: Bands | None = None,
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
    level: int | None = default(6),
    quality: int | None = default(None),
    lossless: Flag = default(False),
    max_z_error: float | None = default(None),
    jpeg_subsampling: Subsampling = default(None),
    predictor: Predictor = default("yes"),
    interleave: Interleave = default("pixel"),
    bigtiff: BigTiff = default("auto"),
    sparse: Sparse = default(False),
    overviews: Overviews = default(None),
    overview_count: int | None = default(None),
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
    temp_dir: StrPath | None = default(None),
    tile_memory: Bytes = default(None),
    row_memory: Bytes = default(None),
    **aliases: Unpack[CogAliases],
) -> Any:
    """Compress a georeferenced array to the bytes of a Cloud Optimized GeoTIFF: :func:`write_cog` with ``":mem:"``.

    Parameters
    ----------
    geo_im : xarray.DataArray, xarray.Dataset, or array_like
        Pixels with a georeference, or any array with ``crs=`` and ``transform=``.
    blocksize : int, default 512
        Side of the tiles in pixels, rounded up to a multiple of 16 with a warning. Tiles shrink to the sides of a
        smaller image.
    ovr_blocksize : int, optional
        Side of the tiles of overviews in pixels. Default: ``blocksize``.
    overview_resampling : str or rasterio.enums.Resampling, default "nearest"
        Resampling kernel of the overviews; :func:`write` lists the names.
    overview_levels : list of int, optional
        Shrink factors of the overviews; ``[]`` for none. Default: ``[2, 4, 8, 16, 32]``, or none if a side of the image
        is shorter than 512 pixels.
    use_windowed_writes : bool, default False
        Has no effect: arrays are always read a few rows at a time.
    intermediate_compression : bool, str, or dict, default False
        Has no effect: there is no intermediate file. Unknown codecs and options are still refused.
    nodata : int, float, or "auto", optional
        Nodata value. Default, as for ``None`` and "auto": that of the array, NaN for floats without one.
    level : int, default 6
        Effort, 1 (fastest) to 9 (smallest) for DEFLATE, to 22 for ZSTD.
    predictor : str or int, default "yes"
        As in :func:`write`; "yes" is 2 for integers, 3 for floats, and none for complex samples.
    overviews : "auto", "none", sequence of int, or sequence of images, optional
        Instead of ``overview_levels``, as in :func:`write`.
    crs, transform, gcps, geotransform, progress : optional
        As in :func:`write`.
    bands, window, bbox, wrap_longitude : optional
        As in :func:`write`; ``bands`` are the bands to write.
    band_names, band_scale, band_offset, band_unit, tags, colormap, colorinterp, pixel_is_point, attrs : optional
        As in :func:`write`.
    compress, quality, lossless, max_z_error, jpeg_subsampling, interleave, bigtiff, sparse, overview_count, photometric, alpha, nbits : optional
        As in :func:`write`.
    overview_compress, overview_level, overview_quality, overview_max_z_error, overview_predictor, statistics : optional
        As in :func:`write`.
    threads, temp_dir, tile_memory, row_memory : optional
        As in :func:`write`.
    **aliases
        Other names of these options, as in :func:`write_cog`.

    Returns
    -------
    bytes or dask.delayed.Delayed
        The bytes of the file; for a Dask array, a ``Delayed`` whose ``compute()`` returns them.

    Raises
    ------
    ValueError
        If the array has no CRS or no position, or for the reasons listed in :func:`write`.
    TypeError
        If an option is unknown or an argument has the wrong type, or GeoTIFF has no samples of this dtype.

    Warns
    -----
    UserWarning
        If ``blocksize`` is not a multiple of 16, or for the reasons listed in :func:`write`.

    Examples
    --------
    >>> data = to_cog(scene.red, compress="zstd")
    >>> data = to_cog(np.zeros((600, 700), "uint8"), crs=4326, transform=(0.1, 0, 10, 0, -0.1, 60))
    """
    options = passed(locals(), without=("geo_im",))
    return write_cog(geo_im, MEMORY, **options)


def _write_cog(
    pix: Any,
    geobox: Any,
    fname: str | os.PathLike[str],
    nodata: Any = None,
    overwrite: bool = False,
    blocksize: int | None = None,
    overview_resampling: Resampling = None,
    overview_levels: Iterable[int] | None = None,
    ovr_blocksize: int | None = None,
    use_windowed_writes: bool = False,
    intermediate_compression: bool | str | dict[str, Any] = False,
    **extra_rio_opts: Any,
) -> Any:
    """Write an array with a separate geobox, as datacube's and odc-geo's ``_write_cog`` do.

    Parameters
    ----------
    pix : numpy.ndarray or dask.array.Array
        Pixels of shape (rows, columns), (bands, rows, columns), or (rows, columns, bands).
    geobox : odc.geo.geobox.GeoBox or GCPGeoBox
        Shape and georeference of the pixels.
    fname : str or os.PathLike
        Path of the file, or ``":mem:"`` for bytes.
    nodata : int, float, or None, default None
        Nodata value; ``None`` for none, or NaN for floats.
    overwrite, blocksize, overview_resampling, overview_levels, ovr_blocksize
        As in :func:`write_cog`.
    use_windowed_writes, intermediate_compression
        Have no effect, as in :func:`write_cog`.
    **extra_rio_opts
        As in :func:`write_cog`.

    Returns
    -------
    pathlib.Path, bytes, or dask.delayed.Delayed
        As :func:`write_cog`.

    Raises
    ------
    ValueError
        If the shape of the geobox is not that of the pixels, or for the reasons listed in :func:`write_cog`.
    """
    shape = tuple(geobox.shape)
    pix, valid = _raster.mask_of(pix)
    if pix.ndim not in (2, 3):
        raise ValueError("Need 2d or 3d ndarray on input")
    pix = _raster.not_empty(pix)
    if pix.ndim == 3 and pix.shape[:2] == shape:
        part = pix
    elif pix.shape[-2:] == shape:
        part = pix[:, :, None] if pix.ndim == 2 else pix.transpose((1, 2, 0))
    else:
        raise ValueError("GeoBox shape does not match image shape")
    arguments = {
        "overwrite": overwrite,
        "blocksize": blocksize,
        "ovr_blocksize": ovr_blocksize,
        "overview_resampling": overview_resampling,
        "overview_levels": overview_levels,
    }
    _check_idle_arguments(use_windowed_writes, intermediate_compression)
    raster = Raster([part], _georeference.of_geobox(geobox))
    options = {"nodata": nodata, **extra_rio_opts}
    overrides, choice = take_overrides(options), _choice.take(options)
    raster, valid = _choice.choose(raster, valid, overrides, choice)
    return _save(Levels(raster, valid), fname, arguments, overrides, options)


def _save(
    levels: Levels, fname: Any, arguments: dict[str, Any], overrides: Overrides, extra: dict[str, Any]
) -> Any:
    """The part of :func:`write_cog` after its input has been read."""
    raster = levels.raster
    progress = extra.pop("progress", None)
    # As in datacube, None means that no value was passed: nodata is then the array's. So does odc-geo's "auto".
    if overrides.nodata is None or (isinstance(overrides.nodata, str) and overrides.nodata == "auto"):
        overrides.nodata = UNSET
    is_unknown = raster.nodata.value is None and raster.nodata.error is None
    if overrides.nodata is UNSET and is_unknown and raster.dtype.kind == "f":
        overrides.nodata = float("nan")
    levels.overviews = _overviews.read(_overviews.take(extra), raster, levels.mask)
    given_options = {_options.meaning(name) for name, value in {**arguments, **extra}.items() if value is not None}
    # As an option, unlike datacube's argument, None means "auto".
    is_set = "overviews" in map(_options.meaning, extra)
    has_levels = is_set or bool(levels.overviews) or not given_options.isdisjoint(("overviews", "overview_count"))
    if not levels.overviews:
        if "resampling" not in given_options:
            arguments["overview_resampling"] = "nearest"
        if not has_levels:
            arguments["overview_levels"] = _datacube_overviews(raster) or None
    given = _merge(arguments, extra)
    request = levels.request(given)
    request.shrink = True
    request.options.level = 6
    request.options.predictor = "by type"
    request = _options.resolve(given, array_info(raster), request, write_cog)
    if request.options.overviews == [] and "resampling" not in given_options:
        request.options.resampling = []
    if not isinstance(fname, (str, os.PathLike)) or fname == MEMORY:
        # As in datacube, there is nothing to overwrite.
        request.work.overwrite = False
    resolved = resolve(raster, levels.mask, overrides, request, progress, like_datacube=True)
    if not has_levels and not _datacube_overviews(raster):
        # A small image makes options of overviews idle, which is not an error, but they must be valid.
        resolved.plan()
        options = resolved.options
        options.overviews, options.overview_tile_size, options.resampling = [], None, []
    where = resolved.georeference
    if where.crs is None or (where.transform is None and not where.gcps):
        raise ValueError(
            f"Need geo-registered array on input: its {_missing(where)} unknown; pass crs= and transform="
        )
    return run(levels, resolved, fname)


def _missing(where: Georeference) -> str:
    """Returns the missing part of a georeference, with the verb."""
    if where.crs is not None:
        return "position is"
    return "CRS is" if where.transform is not None or where.gcps else "CRS and position are"


def _datacube_overviews(raster: Raster) -> list[int]:
    """Returns the shrink factors that datacube uses."""
    return [] if min(raster.width, raster.height) < 512 else [2, 4, 8, 16, 32]


def _check_idle_arguments(use_windowed_writes: Any, intermediate_compression: Any) -> None:
    """Refuses invalid values of two arguments that have no effect."""
    if not isinstance(use_windowed_writes, (bool, np.bool_)):
        raise TypeError(f"use_windowed_writes={use_windowed_writes!r}: expected True or False")
    if not isinstance(intermediate_compression, (bool, np.bool_, str, Mapping, type(None))):
        raise TypeError(f"intermediate_compression={intermediate_compression!r}: expected a bool, a codec, or a dict")
    if isinstance(intermediate_compression, str):
        intermediate_compression = {"compress": intermediate_compression}
    if isinstance(intermediate_compression, Mapping):
        _options.check_creation_options("intermediate_compression", intermediate_compression)


def _merge(given: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the named arguments and the extra options; the latter replace arguments of the same meaning."""
    overridden = {_options.meaning(name) for name in extra}
    kept = {name: value for name, value in given.items() if _options.meaning(name) not in overridden}
    return {**kept, **extra}
