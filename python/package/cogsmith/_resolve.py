"""Resolved options: everything that is known about a file before a pixel is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _arrays, _georeference, _native, _options, _raster
from ._overrides import Overrides
from ._plan import Georeference, Image, Item, Options, Work
from ._progress import as_callback
from ._raster import UNSET, Band, Raster


@dataclass
class ResolvedOptions:
    """Everything about a file except its pixels; plain data that can be sent to other machines."""

    image: Image
    georeference: Georeference
    items: list[Item]
    options: Options
    work: Work
    fill: str | None = None

    def plan(self) -> _native.Plan:
        """Returns the plan. Equal options give equal plans, so each machine makes its own."""
        return _native.Plan(self.image, self.georeference, self.items, self.options)


def array_info(raster: Raster) -> _options.Facts:
    """Returns the size and type of an array, which options depend on."""
    return _options.Facts(raster.width, raster.height, raster.count, raster.dtype)


def resolve(
    raster: Raster, mask: Any, overrides: Overrides, request: _options.Request, progress: Any
) -> ResolvedOptions:
    """Combines the properties of the raster, the overrides and the options of the caller."""
    facts = array_info(raster)
    for what, number, limit in (
        ("rows", facts.height, 2**31 - 1),
        ("columns", facts.width, 2**31 - 1),
        ("bands", facts.bands, 65535),
    ):
        if number > limit:
            raise ValueError(f"the image has {number} {what}, a GeoTIFF at most {limit}")
    nodata = raster.nodata if overrides.nodata is UNSET else overrides.nodata
    text = _raster.nodata_text(nodata, raster.dtype)
    decoded = raster.decoded and overrides.nodata is UNSET and raster.dtype.kind == "f" and nodata == nodata
    described = raster.bands or [Band() for _ in range(facts.bands)]
    for attribute, name, value in (
        ("description", "band_names", overrides.band_names),
        ("scale", "scale", overrides.scale),
        ("offset", "offset", overrides.offset),
        ("unit", "unit", overrides.unit),
        ("color", "colorinterp", overrides.colorinterp),
    ):
        if value is not None:
            for band, one in zip(described, _raster.spread(name, value, facts.bands), strict=True):
                setattr(band, attribute, one)
    where = _georeference.combine(raster.georeference, overrides.georeference) or Georeference()
    where.point = bool(overrides.pixel_is_point)
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
        color_map=[] if overrides.colormap is None else _color_map(overrides.colormap, facts),
    )
    if image.color_map:
        image.photometric, image.extra_samples = "palette", None
    request.work.progress = as_callback(progress)
    items = _raster.items(described, overrides.tags)
    return ResolvedOptions(image, where, items, request.options, request.work, text if decoded else None)


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
