"""Resolved options: everything about a file that is known before a pixel is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _arrays, _attributes, _bands, _colors, _georeference, _native, _nodata, _options, _values
from ._bands import Band
from ._overrides import Overrides
from ._plan import Georeference, Image, Item, Options, Work
from ._progress import as_callback
from ._raster import UNSET, Raster


@dataclass
class ResolvedOptions:
    """Everything about a file except its pixels, as plain data that can be sent to other machines."""

    image: Image
    georeference: Georeference
    items: list[Item]
    options: Options
    work: Work
    fill: str | None = None

    def plan(self) -> _native.Plan:
        """Returns the plan, and warns of what it leaves out. Equal options give equal plans."""
        plan = _native.Plan(self.image, self.georeference, self.items, self.options)
        for text in plan.warnings:
            _values.warn(text)
        return plan


def check_mask(mask: Any, width: int, height: int, of: str) -> None:
    """Refuses a mask whose shape is not that of its pixels; ``of`` names them, with the verb."""
    shape = np.shape(mask)
    if len(shape) != 2:
        raise ValueError(f"the mask has shape {shape}; expected two axes, (rows, columns)")
    if shape != (height, width):
        size = _values.size(shape[1], shape[0])
        raise ValueError(f"the mask has {size}, but {of} {_values.size(width, height)}")


def array_info(raster: Raster) -> _options.Facts:
    """Returns the properties of an array that options depend on."""
    return _options.Facts(raster.width, raster.height, raster.count, raster.dtype)


def resolve(
    raster: Raster,
    mask: Any,
    overrides: Overrides,
    request: _options.Request,
    progress: Any,
    like_datacube: bool = False,
) -> ResolvedOptions:
    """Combines the properties of the raster, the overrides, and the options of the caller.

    With ``like_datacube``, bands without names get the color tags of datacube's file.
    """
    facts = array_info(raster)
    for what, number, limit in (
        ("rows", facts.height, 2**31 - 1),
        ("columns", facts.width, 2**31 - 1),
        ("bands", facts.bands, 65535),
    ):
        if number > limit:
            raise ValueError(f"the image has {number} {what}, but a GeoTIFF has at most {limit}")
    if overrides.nodata is UNSET:
        raster.nodata.settle()
    text = _nodata.text(raster.nodata.value if overrides.nodata is UNSET else overrides.nodata, raster.dtype)
    is_decoded = raster.nodata.decoded and overrides.nodata is UNSET
    bands = raster.bands or [Band() for _ in range(facts.bands)]
    for attribute, name, value in (
        ("description", "band_names", overrides.band_names),
        ("scale", "band_scale", overrides.scale),
        ("offset", "band_offset", overrides.offset),
        ("unit", "band_unit", overrides.unit),
        ("color", "colorinterp", overrides.colorinterp),
    ):
        if value is not None:
            for band, one in zip(bands, _bands.spread(name, value, facts.bands), strict=True):
                setattr(band, attribute, one)
                if attribute == "description":
                    band.names = (str(one),) if one else ()
    where = _georeference.combine(raster.georeference, overrides.georeference) or Georeference()
    metadata = _attributes.settle(raster.attributes, bands, overrides.tags, overrides.attrs)
    metadata, is_point = _attributes.take_point(metadata)
    where.point = is_point if overrides.pixel_is_point is None else bool(overrides.pixel_is_point)
    if mask is not None:
        check_mask(mask, raster.width, raster.height, "the image has")
    image = Image(
        width=raster.width,
        height=raster.height,
        bands=facts.bands,
        data_type=_arrays.data_type(raster.dtype),
        nodata=text,
        bits=request.bits,
        mask=mask is not None,
        color_map=[] if overrides.colormap is None else _colors.color_map(overrides.colormap, raster.dtype),
    )
    _colors.settle(image, bands, raster.dtype, request, raster.has_time_axis, like_datacube)
    request.work.progress = as_callback(progress)
    items = metadata + _bands.items(bands)
    return ResolvedOptions(image, where, items, request.options, request.work, text if is_decoded else None)
