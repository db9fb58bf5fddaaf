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
from ._plan import Georeference, Image, Item, Options, Work
from ._progress import as_callback
from ._raster import UNSET, Band, Raster

#: The target that means memory.
MEMORY = ":mem:"


@dataclass
class Job:
    """Everything about a file but its pixels; plain data that can be sent to other machines."""

    image: Image
    georeference: Georeference
    items: list[Item]
    options: Options
    work: Work
    fill: str | None = None

    def plan(self) -> _native.Plan:
        """The plan, made anew wherever it is needed: the same from the same job."""
        return _native.Plan(self.image, self.georeference, self.items, self.options)


@dataclass
class Said:
    """What the caller says about the raster, in place of what it says itself."""

    crs: Any = None
    transform: Any = None
    gcps: Any = None
    nodata: Any = UNSET
    tags: Mapping[str, Any] | None = None
    band_names: Any = None
    scale: Any = None
    offset: Any = None
    unit: Any = None
    pixel_is_point: bool = False
    colormap: Any = None
    colorinterp: Any = None


def write(
    array: Any,
    target: Any,
    *,
    crs: Any = None,
    transform: Any = None,
    gcps: Any = None,
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
    pixel_is_point: bool = False,
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
    said = Said(
        crs=crs,
        transform=transform,
        gcps=gcps,
        nodata=nodata,
        tags=tags,
        band_names=band_names,
        scale=scale,
        offset=offset,
        unit=unit,
        pixel_is_point=pixel_is_point,
        colormap=colormap,
        colorinterp=colorinterp,
    )
    raster = _raster.read(array, bands)
    mask = masked if masked is not None else mask
    pictures = Pictures(raster, mask, _overviews.read(_overviews.take(options), raster, mask, bands))
    request = _options.resolve(options, _facts(raster), pictures.request(options))
    return run(pictures, prepare(raster, mask, said, request, progress), target)


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
    return _save(Pictures(_raster.read(array), valid), fname, arguments, extra_rio_opts)


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
    return _save(Pictures(raster, valid), fname, arguments, {"nodata": nodata, **extra_rio_opts})


def _save(pictures: Pictures, fname: Any, arguments: dict[str, Any], extra: dict[str, Any]) -> Any:
    """:func:`write_cog` once its input is understood."""
    raster = pictures.raster
    said = _said(extra)
    progress = extra.pop("progress", None)
    # As datacube has it, None is as good as no value here: nodata is then the array's. So is odc-geo's "auto".
    if said.nodata is None or (isinstance(said.nodata, str) and said.nodata == "auto"):
        said.nodata = UNSET
    if said.nodata is UNSET and raster.nodata is None and raster.dtype.kind == "f":
        said.nodata = float("nan")
    pictures.overviews = _overviews.read(_overviews.take(extra), raster, pictures.mask)
    if not pictures.overviews:
        if arguments["overview_resampling"] is None:
            arguments["overview_resampling"] = "nearest"
        if arguments["overview_levels"] is None:
            arguments["overview_levels"] = _levels(raster)
    given = _merge(arguments, extra)
    request = pictures.request(given)
    request.shrink = True
    request.options.level = 6
    request.options.predictor = "by type"
    request = _options.resolve(given, _facts(raster), request)
    if request.photometric is None and raster.dtype != np.uint8 and said.colorinterp is None:
        # GTiff takes three or four bands for colours where they are bytes, and only there.
        request.photometric = "minisblack"
    job = prepare(raster, pictures.mask, said, request, progress)
    where = job.georeference
    if where.crs is None or (where.transform is None and not where.gcps):
        raise ValueError(
            "Need geo-registered array on input: neither odc-geo nor rioxarray nor coordinates say where it lies; "
            "pass crs= and transform="
        )
    return run(pictures, job, fname)


def _facts(raster: Raster) -> _options.Facts:
    return _options.Facts(raster.width, raster.height, raster.count, raster.dtype)


def _levels(raster: Raster) -> list[int]:
    """The overviews that datacube makes."""
    return [] if min(raster.width, raster.height) < 512 else [2, 4, 8, 16, 32]


def _check_idle_arguments(use_windowed_writes: Any, intermediate_compression: Any) -> None:
    """These two change nothing any more, but a wrong value is still a mistake."""
    if not isinstance(use_windowed_writes, (bool, np.bool_)):
        raise TypeError(f"use_windowed_writes={use_windowed_writes!r}: expected True or False")
    if not isinstance(intermediate_compression, (bool, str, Mapping, type(None))):
        raise TypeError(f"intermediate_compression={intermediate_compression!r}: expected a bool, a name or a dict")


#: Keywords that say something about the raster, by the names of `Said`.
_SAID = {
    "crs": "crs", "transform": "transform", "gcps": "gcps", "nodata": "nodata", "tags": "tags",
    "band_names": "band_names", "descriptions": "band_names", "scale": "scale", "scales": "scale", "offset": "offset",
    "offsets": "offset", "unit": "unit", "units": "unit", "pixel_is_point": "pixel_is_point", "colormap": "colormap",
    "colorinterp": "colorinterp",
}  # fmt: skip


def _said(options: dict[str, Any]) -> Said:
    """Takes what is said about the raster out of options, whatever their case."""
    said = Said()
    for name in list(options):
        attribute = _SAID.get(name.lower())
        if attribute is not None:
            setattr(said, attribute, options.pop(name))
    return said


def _merge(given: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The named arguments, with what extra options say in another way in place of them."""
    said = {_options.meaning(name) for name in extra}
    kept = {name: value for name, value in given.items() if _options.meaning(name) not in said}
    return {**kept, **extra}


def prepare(raster: Raster, mask: Any, said: Said, request: _options.Request, progress: Any) -> Job:
    """Puts together what the raster and the caller say."""
    facts = _facts(raster)
    for what, number, limit in (
        ("rows", facts.height, 2**31 - 1),
        ("columns", facts.width, 2**31 - 1),
        ("bands", facts.bands, 65535),
    ):
        if number > limit:
            raise ValueError(f"the image has {number} {what}, a GeoTIFF at most {limit}")
    nodata = raster.nodata if said.nodata is UNSET else said.nodata
    text = _raster.nodata_text(nodata, raster.dtype)
    decoded = raster.decoded and said.nodata is UNSET and raster.dtype.kind == "f" and nodata == nodata
    described = raster.bands or [Band() for _ in range(facts.bands)]
    for attribute, name, value in (
        ("description", "band_names", said.band_names),
        ("scale", "scale", said.scale),
        ("offset", "offset", said.offset),
        ("unit", "unit", said.unit),
        ("color", "colorinterp", said.colorinterp),
    ):
        if value is not None:
            for band, one in zip(described, _raster.spread(name, value, facts.bands), strict=True):
                setattr(band, attribute, one)
    where = _georeference.explicit(raster.georeference, said.crs, said.transform, said.gcps) or Georeference()
    where.point = bool(said.pixel_is_point)
    if mask is not None and tuple(np.shape(mask)) != (raster.height, raster.width):
        raise ValueError(f"the mask has the shape {np.shape(mask)}, the image {(raster.height, raster.width)}")
    image = Image(
        width=raster.width,
        height=raster.height,
        bands=facts.bands,
        data_type=_arrays.data_type(raster.dtype),
        nodata=text,
        bits=request.bits,
        mask=mask is not None,
        photometric=request.photometric,
        extra_samples=_extra_samples(request, facts),
        color_map=[] if said.colormap is None else _color_map(said.colormap, facts),
    )
    if image.color_map:
        image.photometric, image.extra_samples = "palette", None
    request.work.progress = as_callback(progress)
    items = _raster.items(described, said.tags)
    return Job(image, where, items, request.options, request.work, text if decoded else None)


def _extra_samples(request: _options.Request, facts: _options.Facts) -> list[str] | None:
    """What the bands beyond the colours mean, where the caller says something about alpha."""
    if request.extra_samples is None:
        return None
    colors = {"rgb": 3, "cielab": 3, "icclab": 3, "cmyk": 4}.get(request.photometric or "", 1)
    if request.photometric is None and facts.bands in (3, 4) and facts.dtype.str[1:] in ("u1", "u2"):
        colors = 3
    extra = facts.bands - colors
    if extra < 1:
        if request.extra_samples == ["unspecified"]:
            return None
        raise ValueError(f"alpha: all {facts.bands} bands are colours")
    return ["unspecified"] * (extra - 1) + request.extra_samples


def _color_map(colormap: Mapping[int, Any], facts: _options.Facts) -> list[int]:
    """rasterio's colormap, a dict of red, green, blue (and alpha) of 8 bits by index, as the values of tag 320."""
    if facts.dtype.str[1:] not in ("u1", "u2"):
        raise ValueError(f"a colormap needs uint8 or uint16 indices, the array is {facts.dtype}")
    entries = 1 << (8 * facts.dtype.itemsize)
    table = np.zeros((3, entries), np.int64)
    for index, color in colormap.items():
        if not 0 <= int(index) < entries or len(color) not in (3, 4) or any(not 0 <= value <= 255 for value in color):
            raise ValueError(f"colormap: entry {index}: {color!r} is no colour of 0 to 255 of an index below {entries}")
        table[:, int(index)] = color[:3]
    values: list[int] = (table * 257).ravel().tolist()
    return values


@dataclass
class Pictures:
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


def run(pictures: Pictures, job: Job, target: Any) -> Any:
    """Writes, or says how to where Dask holds the pixels."""
    raster, mask = pictures.raster, pictures.mask
    if raster.is_dask:
        from . import _dask

        return _dask.delayed_write(raster, mask, job, target)
    pixels = [_arrays.pixels(raster.parts, mask, job.fill)]
    pixels += [_arrays.pixels(level.raster.parts, level.mask, job.fill) for level in pictures.overviews]
    where = destination(target)
    return result(where, _native.encode(job.plan(), pixels, where, job.work))


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
