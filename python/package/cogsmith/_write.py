"""Writing what is in memory or behind Dask: :func:`write`, and datacube's :func:`write_cog` and :func:`to_cog`."""

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

#: The target that means memory.
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
    """Writes an image as a Cloud Optimized GeoTIFF, with the defaults of the library.

    ``array`` is an array of numpy or Dask, a DataArray, a Dataset whose variables become bands, or a list of any of
    these. ``target`` is a path, ``":mem:"``, or an object with a method ``write``.

    Returns the path, the bytes for ``":mem:"``, or the number of bytes given to an object; for arrays of Dask a
    ``Delayed`` that does the work and then returns that. All arguments and options: ``docs/python.md``.
    """
    array, masked = _raster.mask_of(array)
    if masked is not None and mask is not None:
        raise ValueError("the array has a mask of its own: leave mask= out, or pass array.data")
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
    """Saves a DataArray as a Cloud Optimized GeoTIFF: ``datacube.utils.cog.write_cog``, in one pass.

    If ``geo_im`` is backed by Dask, the result is a ``Delayed``, and nothing is read or written before its
    ``.compute()``. Then each task takes one block of the image, and the image is never in one place::

        write_cog(xx.isel(time=0).red, "red.tif").compute()

    :param geo_im: DataArray with a georeference (of odc-geo, rioxarray, datacube or CF), or any array with ``crs=`` and
        ``transform=``
    :param fname: path, or ``":mem:"`` to compress in memory and return bytes
    :param overwrite: replace an existing file; otherwise it is an ``IOError``
    :param blocksize: side of tiles, 512 by default; tiles shrink to the sides of smaller images
    :param ovr_blocksize: side of the overviews' tiles, that of ``blocksize`` by default
    :param overview_resampling: kernel of the overviews, "nearest" by default: a name of GDAL or rasterio, or a member of
        ``rasterio.enums.Resampling``
    :param overview_levels: shrink factors, ``[2, 4, 8, 16, 32]`` by default, or none where a side is shorter than 512;
        ``[]`` for no overviews
    :param use_windowed_writes: no longer needed: an array is always read stripe by stripe
    :param intermediate_compression: no longer needed: there is no intermediate file
    :param extra_rio_opts: ``nodata`` (by default that of the array, NaN for floats without one), and options by
        rasterio's and GDAL's names in either case

    :returns: the path; bytes for ``":mem:"``; a ``Delayed`` for arrays of Dask
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
    """Compresses a DataArray into the bytes of a Cloud Optimized GeoTIFF: :func:`write_cog` with ``":mem:"``.

    :returns: bytes; a ``Delayed`` for arrays of Dask
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
    """The half of datacube's and odc-geo's function that takes an array and a geobox apart from each other."""
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
    """:func:`write_cog` once its input is understood."""
    raster = levels.raster
    progress = extra.pop("progress", None)
    # As datacube has it, None is as good as no value here: nodata is then the array's. So is odc-geo's "auto".
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
    """What a georeference lacks, with the verb."""
    if where.crs is not None:
        return "position, which coordinates or a transform tell, is"
    return "CRS is" if where.transform is not None or where.gcps else "CRS and its position are"


def _datacube_overviews(raster: Raster) -> list[int]:
    """The overviews that datacube makes."""
    return [] if min(raster.width, raster.height) < 512 else [2, 4, 8, 16, 32]


def _check_idle_arguments(use_windowed_writes: Any, intermediate_compression: Any) -> None:
    """Refuses wrong values of two arguments that no longer change anything."""
    if not isinstance(use_windowed_writes, (bool, np.bool_)):
        raise TypeError(f"use_windowed_writes={use_windowed_writes!r}: expected True or False")
    if not isinstance(intermediate_compression, (bool, np.bool_, str, Mapping, type(None))):
        raise TypeError(f"intermediate_compression={intermediate_compression!r}: expected a bool, a name or a dict")
    if isinstance(intermediate_compression, str):
        intermediate_compression = {"compress": intermediate_compression}
    if isinstance(intermediate_compression, Mapping):
        _options.check_creation_options("intermediate_compression", intermediate_compression)


def _merge(given: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The named arguments, with what extra options say in another way in place of them."""
    overridden = {_options.meaning(name) for name in extra}
    kept = {name: value for name, value in given.items() if _options.meaning(name) not in overridden}
    return {**kept, **extra}


@dataclass
class Levels:
    """All pixels of a file: the image, its mask, and overviews that are finished."""

    raster: Raster
    mask: Any = None
    overviews: list[_overviews.Overview] = field(default_factory=list)

    def request(self, given: Mapping[str, Any]) -> _options.Request:
        """What the overviews ask for, next to the options that are given."""
        request = _options.Request()
        if self.overviews:
            _overviews.check_options(given)
            request.options.overview_sizes = [(level.raster.width, level.raster.height) for level in self.overviews]
        return request


def run(levels: Levels, resolved: ResolvedOptions, target: Any) -> Any:
    """Writes, or says how to where Dask holds the pixels."""
    raster, mask = levels.raster, levels.mask
    if raster.is_dask:
        from . import _dask

        return _dask.delayed_write(raster, mask, resolved, target)
    pixels = [_arrays.pixels(raster.parts, mask, resolved.fill)]
    pixels += [_arrays.pixels(level.raster.parts, level.mask, resolved.fill) for level in levels.overviews]
    where = destination(target)
    return result(where, _native.encode(resolved.plan(), pixels, where, resolved.work))


class Memory(io.BytesIO):
    """The target ``":mem:"``; it gives its bytes away without a copy."""


def destination(target: Any) -> Any:
    """What the native half takes: a path, or an object with ``write``."""
    if isinstance(target, str) and target == MEMORY:
        return Memory()
    if isinstance(target, (str, os.PathLike)):
        return path_of(target)
    if callable(getattr(target, "write", None)):
        return target
    raise TypeError(f"{target!r} is no target: give a path, ':mem:', or an object that can write bytes")


def path_of(target: str | os.PathLike[str]) -> Path:
    """A path; addresses of other kinds are none, and would make strange folders."""
    path = Path(target)
    if isinstance(target, str) and ("://" in target or (target.startswith("/vsi") and not path.parent.is_dir())):
        raise ValueError(
            f"{target!r} is no path of a file system: open it with fsspec and pass that to cogsmith.write, or send the "
            "bytes that to_cog returns"
        )
    return path


def result(where: Any, summary: Mapping[str, Any]) -> Any:
    """What a caller gets for a target."""
    if isinstance(where, Memory):
        return where.getvalue()
    return where if isinstance(where, Path) else summary["bytes"]
