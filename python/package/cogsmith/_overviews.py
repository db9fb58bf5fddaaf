"""Overviews that are finished already: odc-geo's ``overviews=``, images that become levels as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _georeference, _nodata, _options, _raster
from ._raster import Raster


@dataclass
class Overview:
    """The image of a level, and its mask where the image has one."""

    raster: Raster
    mask: Any = None


def take(options: dict[str, Any]) -> list[Any]:
    """Takes images out of ``overviews``, whatever its case; none where it says which ones to compute."""
    name = next((name for name in options if name.lower() == "overviews"), None)
    value = None if name is None else options[name]
    if name is None or value is None or isinstance(value, (str, bool, Mapping)) and not _raster.is_dataset(value):
        return []
    if _is_image(value) and not isinstance(value, (list, tuple)):
        raise ValueError(f"{name}: expected a list of images, the largest first, got one {type(value).__name__}")
    try:
        # An iterator can be gone through only once.
        values = options[name] = list(value)
    except TypeError:
        return []
    images = [_is_image(one) for one in values]
    if not any(images):
        return []
    if not all(images):
        raise ValueError(f"{name}: expected shrink factors or images, not both")
    del options[name]
    return values


def _is_image(value: Any) -> bool:
    """Whether it is an image, or a list of images that are its bands."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_image, value))
    return _raster.is_dataset(value) or getattr(value, "ndim", 0) > 1


def check_options(given: Mapping[str, Any]) -> None:
    """Refuses what says something else about overviews; a kernel says how they were made."""
    for name, value in given.items():
        option = _options.meaning(name)
        if option in ("overviews", "overview_count") and value is not None:
            raise ValueError(f"option '{name}' contradicts finished overviews; give one of them")


def read(images: list[Any], raster: Raster, mask: Any, bands: str | None = None) -> list[Overview]:
    """The levels behind an image; an error where one doesn't go with it."""
    return [_one(f"overview {number}", image, raster, mask, bands) for number, image in enumerate(images, 1)]


def _one(name: str, image: Any, raster: Raster, mask: Any, bands: str | None) -> Overview:
    masked = isinstance(image, np.ma.MaskedArray)
    data, valid = _raster.mask_of(image)
    # A level lies where the image lies, whatever its coordinates are.
    found = _raster.read(data, bands, _georeference.ELSEWHERE)
    if raster.is_dask or found.is_dask:
        raise ValueError("finished overviews are not supported for arrays of Dask: compute image and overviews first")
    if masked and valid is None:
        valid = np.broadcast_to(np.True_, (found.height, found.width))
    if (valid is None) != (mask is None):
        one, other = ("the image", name) if valid is None else (name, "the image")
        raise ValueError(f"{one} has a mask, {other} has none: give masked arrays for all, or for none")
    if found.dtype.newbyteorder("=") != raster.dtype.newbyteorder("="):
        raise ValueError(f"{name} is {found.dtype}, the image {raster.dtype}; convert it with .astype")
    if found.count != raster.count:
        raise ValueError(f"{name} has {found.count} bands, the image {raster.count}")
    values = found.nodata.value, raster.nodata.value
    if values[0] is not None and not _nodata.same_value(*values, raster.dtype):
        raise ValueError(f"{name} has nodata {values[0]}, the image {values[1]}: a GeoTIFF has one")
    places = [where.crs for where in (found.georeference, raster.georeference) if where is not None]
    if len(places) == 2 and None not in places and places[0] != places[1]:
        raise ValueError(f"{name} has another CRS than the image")
    return Overview(found, valid)
