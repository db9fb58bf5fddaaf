"""Write arrays, in memory or backed by Dask: :func:`write`, and datacube's :func:`write_cog` and :func:`to_cog`."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import _arrays, _georeference, _native, _options, _overviews, _raster
from ._overrides import Overrides, take_overrides
from ._plan import Georeference
from ._raster import UNSET, Raster
from ._resolve import ResolvedOptions, array_info, resolve

#: The target that returns the file as bytes.
MEMORY = ":mem:"


def write(
    array: Any,
    target: Any,
    *,
    crs: Any = None,
    transform: Any = None,
    gcps: Any = None,
    geotransform: Any = None,
    nodata: Any = UNSET,
    mask: Any = None,
    bands: str | None = None,
    band_names: Any = None,
    scale: Any = None,
    offset: Any = None,
    unit: Any = None,
    tags: Mapping[str, Any] | None = None,
    colormap: Any = None,
    colorinterp: Any = None,
    pixel_is_point: bool | None = None,
    attrs: bool | None = None,
    progress: Any = None,
    **options: Any,
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
        Path of the file, ``":mem:"`` for bytes, or an object with a method ``write(bytes)``. Dask arrays need a path or
        ``":mem:"``.
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
    mask : array_like of bool or uint8, shape (rows, columns), optional
        Mask for all bands; 0 or False marks invalid pixels. Default: the mask of a masked array, if it is one.
    bands : {"first", "last"}, optional
        Axis of the bands in a three-dimensional array without axis names. Default: "first"; an array with at most four
        entries along the last axis and more than four along the first is ambiguous and refused.
    band_names : str or sequence of str, optional
        Band descriptions, one for all bands or one per band. Default: those of the array (``long_name``, labels along
        the band axis, names of variables).
    scale, offset : float or sequence of float, optional
        Scale and offset recorded in the metadata (value = pixel * scale + offset), one for all bands or one per band;
        pixel values are unchanged. Default: those of the array, else 1 and 0.
    unit : str or sequence of str, optional
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
    **options
        Encoding options. Names and string values are taken in either case; rasterio's and GDAL's names work too.

        - ``compress`` or ``compression``: "deflate" (default), "lzw", "zstd", or "none".
        - ``level``: effort, 1 (fastest) to 9 (smallest) for DEFLATE, to 22 for ZSTD. Default: 6 for DEFLATE, 9 for
          ZSTD. ``zlevel`` (1 to 12; above 9 means 9) and ``zstd_level`` apply to one codec only.
        - ``predictor``: "auto" (default: 3 for floats; none for complex samples and color tables; for integers 2 or
          none, whichever compresses a sample of the tiles better, and 2 for Dask arrays), "none" or 1, "horizontal" or
          2, "float" or 3, "yes" (by data type).
        - ``blocksize``: side of the tiles in pixels, or (columns, rows), multiples of 16. Default: 512. Also
          ``blockxsize`` and ``blockysize``.
        - ``overview_blocksize`` or ``ovr_blocksize``: likewise, for overviews. Default: that of ``blocksize``.
        - ``interleave``: "pixel" (default), "band", or "tile".
        - ``bigtiff``: "auto" (default: if the file needs it), "yes", "no", or "if_safer".
        - ``overviews`` or ``overview_levels``: "auto" (default: halve until one tile holds the image), "none", or
          shrink factors such as ``[2, 4, 8]``. ``overviews`` also accepts a list of images, largest first, that become
          the overviews unchanged (not for Dask arrays).
        - ``overview_count``: number of overviews by the rule of "auto".
        - ``overview_resampling`` or ``resampling``: "nearest", "average", "rms", "bilinear", "cubic", "cubicspline",
          "lanczos", "mode", "gauss", "min", "max", or "median", one for all bands or a list with one per band; members
          of ``rasterio.enums.Resampling`` work too. Default: "cubic"; "nearest" for color tables and complex samples.
        - ``statistics`` or ``stats``: whether exact statistics of every band are computed and stored. Default: False.
        - ``photometric``: "minisblack", "miniswhite", "rgb", "cmyk", "cielab", or "icclab". Default: by the colors of
          the bands.
        - ``alpha``: True or "premultiplied" if the last band is alpha. Default: by ``colorinterp`` and band names.
        - ``nbits``: bits per sample, if fewer than the dtype has.
        - ``threads`` or ``num_threads``: 1 to 1024, or "ALL_CPUS" (default). For Dask arrays, threads per task
          (default 1). The file does not depend on it.
        - ``overwrite``: replace an existing file. Default: False.
        - ``sync``: wait until the file is on the disk. Default: False.
        - ``verify``: read the file back and compare all pixels before it appears. Default: False; only for paths, not
          for Dask arrays.
        - ``tile_memory``: bytes of compressed tiles held in memory before they spill to a temporary file, such as
          ``"64M"``. Default: 16 MiB.
        - ``row_memory``: bytes of pixels read at a time. Default: 16 MiB; at least one row of tiles is read.
        - ``temp_dir``: directory of the temporary file. Default: that of the target; the system's for other targets.
        - ``driver``, ``width``, ``height``, ``count``, ``dtype``, and ``tiled``, as in a rasterio profile: accepted if
          they agree with the array and the output.

    Returns
    -------
    pathlib.Path, bytes, int, or dask.delayed.Delayed
        The path; for ``":mem:"`` the bytes of the file; for an object the number of bytes written to it. For a Dask
        array, a ``Delayed`` whose ``compute()`` writes the file and returns the path or the bytes.

    Raises
    ------
    ValueError
        If an option is unknown, out of range, or in conflict with the array or another option, or if the array cannot
        be written: for example, it is empty or its coordinates are not evenly spaced.
    TypeError
        If an argument has the wrong type, or GeoTIFF has no samples of this dtype.
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
    array, masked = _raster.mask_of(array)
    if masked is not None and mask is not None:
        raise ValueError("the array is a masked array and mask= is given; omit mask=, or pass array.data")
    overrides = Overrides(
        crs=crs,
        transform=transform,
        gcps=gcps,
        geotransform=geotransform,
        nodata=nodata,
        tags=tags,
        band_names=band_names,
        scale=scale,
        offset=offset,
        unit=unit,
        pixel_is_point=pixel_is_point,
        colormap=colormap,
        colorinterp=colorinterp,
        attrs=attrs,
    )
    raster = _raster.read(array, bands, overrides.georeference)
    mask = masked if masked is not None else mask
    levels = Levels(raster, mask, _overviews.read(_overviews.take(options), raster, mask, bands))
    request = _options.resolve(options, array_info(raster), levels.request(options))
    return run(levels, resolve(raster, mask, overrides, request, progress), target)


def write_cog(
    geo_im: Any,
    fname: str | os.PathLike[str],
    overwrite: bool = False,
    blocksize: int | None = None,
    ovr_blocksize: int | None = None,
    overview_resampling: Any = None,
    overview_levels: list[int] | None = None,
    use_windowed_writes: bool = False,
    intermediate_compression: bool | str | dict[str, Any] = False,
    **extra_rio_opts: Any,
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
    **extra_rio_opts
        ``nodata`` (default: that of the array, NaN for floats without one); ``crs``, ``transform``, ``gcps``,
        ``geotransform``, ``band_names``, ``scale``, ``offset``, ``unit``, ``tags``, ``colormap``, ``colorinterp``,
        ``pixel_is_point``, ``attrs``, and ``progress`` of :func:`write`; and its encoding options, by any of their
        names. The defaults here are DEFLATE at level 6 and the predictor by data type (2 for integers, 3 for floats,
        none for complex samples).

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
        If an argument has the wrong type, or GeoTIFF has no samples of this dtype.
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
    arguments = {
        "overwrite": overwrite,
        "blocksize": blocksize,
        "ovr_blocksize": ovr_blocksize,
        "overview_resampling": overview_resampling,
        "overview_levels": overview_levels,
    }
    _check_idle_arguments(use_windowed_writes, intermediate_compression)
    array, valid = _raster.mask_of(geo_im)
    overrides = take_overrides(extra_rio_opts)
    raster = _raster.read(array, None, overrides.georeference)
    return _save(Levels(raster, valid), fname, arguments, overrides, extra_rio_opts)


def to_cog(
    geo_im: Any,
    blocksize: int | None = None,
    ovr_blocksize: int | None = None,
    overview_resampling: Any = None,
    overview_levels: list[int] | None = None,
    use_windowed_writes: bool = False,
    intermediate_compression: bool | str | dict[str, Any] = False,
    **extra_rio_opts: Any,
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
    **extra_rio_opts
        As in :func:`write_cog`.

    Returns
    -------
    bytes or dask.delayed.Delayed
        The bytes of the file; for a Dask array, a ``Delayed`` whose ``compute()`` returns them.

    Raises
    ------
    ValueError
        If the array has no CRS or no position, or for the reasons listed in :func:`write`.
    TypeError
        If an argument has the wrong type, or GeoTIFF has no samples of this dtype.

    Warns
    -----
    UserWarning
        If ``blocksize`` is not a multiple of 16, or for the reasons listed in :func:`write`.

    Examples
    --------
    >>> data = to_cog(scene.red, compress="zstd")
    >>> data = to_cog(np.zeros((600, 700), "uint8"), crs=4326, transform=(0.1, 0, 10, 0, -0.1, 60))
    """
    return write_cog(
        geo_im,
        MEMORY,
        blocksize=blocksize,
        ovr_blocksize=ovr_blocksize,
        overview_resampling=overview_resampling,
        overview_levels=overview_levels,
        use_windowed_writes=use_windowed_writes,
        intermediate_compression=intermediate_compression,
        **extra_rio_opts,
    )


def _write_cog(
    pix: Any,
    geobox: Any,
    fname: str | os.PathLike[str],
    nodata: Any = None,
    overwrite: bool = False,
    blocksize: int | None = None,
    overview_resampling: Any = None,
    overview_levels: list[int] | None = None,
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
    overrides = take_overrides(options)
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
    if not levels.overviews:
        if arguments["overview_resampling"] is None:
            arguments["overview_resampling"] = "nearest"
        if arguments["overview_levels"] is None:
            arguments["overview_levels"] = _datacube_overviews(raster)
    given = _merge(arguments, extra)
    request = levels.request(given)
    request.shrink = True
    request.options.level = 6
    request.options.predictor = "by type"
    request = _options.resolve(given, array_info(raster), request)
    resolved = resolve(raster, levels.mask, overrides, request, progress, like_datacube=True)
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


@dataclass
class Levels:
    """All pixels of a file: the image, its mask, and supplied overviews."""

    raster: Raster
    mask: Any = None
    overviews: list[_overviews.Overview] = field(default_factory=list)

    def request(self, given: Mapping[str, Any]) -> _options.Request:
        """Returns a request with the sizes of the supplied overviews; an error if options conflict with them."""
        request = _options.Request()
        if self.overviews:
            _overviews.check_options(given)
            request.options.overview_sizes = [(level.raster.width, level.raster.height) for level in self.overviews]
        return request


def run(levels: Levels, resolved: ResolvedOptions, target: Any) -> Any:
    """Writes the pixels; for Dask arrays, returns a ``Delayed`` that does."""
    raster, mask = levels.raster, levels.mask
    if raster.is_dask:
        from . import _dask

        return _dask.delayed_write(raster, mask, resolved, target)
    pixels = [_arrays.pixels(raster.parts, mask, resolved.fill)]
    pixels += [_arrays.pixels(level.raster.parts, level.mask, resolved.fill) for level in levels.overviews]
    where = destination(target)
    return result(where, _native.encode(resolved.plan(), pixels, where, resolved.work))


class Memory(io.BytesIO):
    """The target ``":mem:"``; ``getvalue`` returns its bytes without a copy."""


def destination(target: Any) -> Any:
    """Returns a target as the native module takes it: a path, or an object with ``write``."""
    if isinstance(target, str) and target == MEMORY:
        return Memory()
    if isinstance(target, (str, os.PathLike)):
        return path_of(target)
    if callable(getattr(target, "write", None)):
        return target
    raise TypeError(f"target {target!r}: expected a path, ':mem:', or an object with a write method")


def path_of(target: str | os.PathLike[str]) -> Path:
    """Returns a path; URLs are refused, since they would create directories of odd names."""
    path = Path(target)
    if isinstance(target, str) and ("://" in target or (target.startswith("/vsi") and not path.parent.is_dir())):
        raise ValueError(
            f"{target!r} is not a file system path; open it with fsspec and pass the open file to cogsmith.write, or "
            "upload the bytes that to_cog returns"
        )
    return path


def result(where: Any, summary: Mapping[str, Any]) -> Any:
    """Returns what the caller gets: the bytes, the path, or the number of bytes written."""
    if isinstance(where, Memory):
        return where.getvalue()
    return where if isinstance(where, Path) else summary["bytes"]
