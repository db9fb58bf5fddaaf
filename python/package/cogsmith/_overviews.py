"""Supplied overviews, as odc-geo's ``overviews=``: images that become levels unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _georeference, _nodata, _options, _raster
from ._raster import Raster


@dataclass
class Overview:
    """The image of a level, and its mask, if any."""

    raster: Raster
    mask: Any = None


def take(options: dict[str, Any]) -> list[Any]:
    """Removes images from the option ``overviews``, in either case, and returns them; none for shrink factors."""
    name = next((name for name in options if name.lower() == "overviews"), None)
    value = None if name is None else options[name]
    if name is None or value is None or isinstance(value, (str, bool, Mapping)) and not _raster.is_dataset(value):
        return []
    if _is_image(value) and not isinstance(value, (list, tuple)):
        raise ValueError(f"{name}: expected a list of images, largest first, got one {type(value).__name__}")
    try:
        # An iterator can be consumed only once.
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
    """Returns whether a value is an image, or a list of images that are its bands."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(_is_image, value))
    return _raster.is_dataset(value) or getattr(value, "ndim", 0) > 1


def check_options(given: Mapping[str, Any]) -> None:
    """Refuses shrink factors, which are another value of the same option."""
    for name, value in given.items():
        if _options.meaning(name) == "overviews" and value is not None:
            raise ValueError(f"option '{name}' conflicts with supplied overviews; pass only one of them")


def read(images: list[Any], raster: Raster, mask: Any, bands: str | None = None) -> list[Overview]:
    """Returns the overviews of an image; an error if one does not match it."""
    return [_one(f"overview {number}", image, raster, mask, bands) for number, image in enumerate(images, 1)]


def _one(name: str, image: Any, raster: Raster, mask: Any, bands: str | None) -> Overview:
    masked = isinstance(image, np.ma.MaskedArray)
    data, valid = _raster.mask_of(image)
    # A level has the position of the image, whatever its coordinates are.
    found = _raster.read(data, bands, _georeference.ELSEWHERE)
    if raster.is_dask or found.is_dask:
        raise ValueError("supplied overviews are not supported for Dask arrays; compute the image and overviews first")
    if masked and valid is None:
        valid = np.broadcast_to(np.True_, (found.height, found.width))
    if (valid is None) != (mask is None):
        one, other = ("the image", name) if valid is None else (name, "the image")
        raise ValueError(f"{one} has a mask, but {other} has none; pass masked arrays for all levels or for none")
    if found.dtype.newbyteorder("=") != raster.dtype.newbyteorder("="):
        raise ValueError(f"{name} is {found.dtype}, but the image is {raster.dtype}; convert it with .astype(...)")
    if found.count != raster.count:
        raise ValueError(f"{name} has {found.count} bands, but the image has {raster.count}")
    values = found.nodata.value, raster.nodata.value
    if values[0] is not None and not _nodata.same_value(*values, raster.dtype):
        raise ValueError(f"{name} has nodata {values[0]}, but the image has {values[1]}; a GeoTIFF has one value")
    places = [where.crs for where in (found.georeference, raster.georeference) if where is not None]
    if len(places) == 2 and None not in places and places[0] != places[1]:
        raise ValueError(f"{name} has a different CRS than the image")
    return Overview(found, valid)
