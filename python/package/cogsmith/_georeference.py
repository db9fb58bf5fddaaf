"""The georeference of an array: CRS, and transform or ground control points.

It is read from coordinates, attributes, and encodings, so the result does not depend on imported libraries. Accessors
of rioxarray are used only for what they alone know: dimensions and a CRS that were set on the accessor.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import _dims, _grid_mapping, _transform, _units
from ._axes import UnevenAxis
from ._crs import crs_text
from ._grid_mapping import Stored
from ._plan import Georeference
from ._position import Position
from ._transform import Affine

_IDENTITY: Affine = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Explicit:
    """The georeference that the caller sets; it takes precedence over that of the array."""

    crs: Any = None
    transform: Any = None
    gcps: Any = None
    #: The transform in GDAL's order.
    geotransform: Any = None

    @property
    def has_position(self) -> bool:
        """Returns whether the position is set, so that the coordinates of the array are not needed."""
        return self.transform is not None or self.gcps is not None or self.geotransform is not None


#: For arrays whose position is that of another one.
ELSEWHERE = Explicit(transform=_IDENTITY)


def combine(found: Georeference | None, explicit: Explicit) -> Georeference | None:
    """Returns the georeference that was found, with the parts that the caller sets replaced."""
    if explicit.crs is None and not explicit.has_position:
        return found
    result = Georeference() if found is None else replace(found)
    if explicit.crs is not None:
        result.crs = crs_text(explicit.crs)
    if explicit.transform is not None and explicit.geotransform is not None:
        raise ValueError("transform and geotransform both set the transform; pass only one of them")
    if explicit.transform is not None:
        result.transform, result.gcps = _transform.affine(explicit.transform), []
    if explicit.geotransform is not None:
        result.transform, result.gcps = _transform.geotransform(explicit.geotransform), []
    if explicit.gcps is not None:
        result.gcps = _transform.gcps(explicit.gcps)
        if explicit.transform is None and explicit.geotransform is None:
            result.transform = None
    return result


def is_same(one: Georeference | None, other: Georeference | None, width: int, height: int) -> bool:
    """Returns whether two images of the same size have the same georeference, up to rounding."""
    if one is None or other is None or one == other:
        return one is other or one == other
    if one.crs != other.crs or one.gcps != other.gcps or one.transform is None or other.transform is None:
        return False
    return _transform.is_same(one.transform, other.transform, width, height)


def of_raster(
    raster: Any,
    explicit: Explicit | None = None,
    dataset: Any = None,
    dims: tuple[str, str] | None = None,
) -> Georeference | None:
    """Returns the georeference of a DataArray, a Dataset, or the like; ``None`` if it has none.

    Parameters
    ----------
    explicit
        The parts that the caller sets. They are not read from the array, and coordinates are converted to the unit of
        their CRS.
    dataset
        The Dataset that ``raster`` is a variable of.
    dims
        Names of the dimensions of rows and columns.

    Raises
    ------
    ValueError
        If coordinates are not evenly spaced, or their unit does not fit the CRS.
    """
    explicit = explicit or Explicit()
    geobox = geobox_of(raster)
    if not hasattr(raster, "coords"):
        return combine(None if geobox is None else of_geobox(geobox), explicit)
    dims = dims or _dims.spatial_dims(raster)
    sources = [raster] if dataset is None else [raster, dataset]
    axes = tuple(_dims.coordinate(raster, dim) for dim in dims) if dims is not None else (None, None)
    names = [str(axis.name) for axis in axes if axis is not None]
    stored = _grid_mapping.read(sources, names, quiet=explicit.crs is not None)
    result = Georeference(crs=_crs(explicit, stored, sources, axes, geobox))
    if not explicit.has_position:
        if stored.transform is None and geobox is not None:
            stored.transform = of_geobox(geobox).transform
        position = Position(raster, dims, axes, stored, result.crs)
        try:
            result.transform, result.gcps = position.read()
        except UnevenAxis:
            # Without a CRS and known names, these may be labels of something other than a map.
            if result.crs is not None or any(_dims.named_dims(source) is not None for source in sources):
                raise
    if result.crs is None and stored.transform == _IDENTITY and not result.gcps:
        # GDAL and rioxarray express a missing position as the identity.
        result.transform = None
    return combine(None if result == Georeference() else result, explicit)


def _crs(explicit: Explicit, stored: Stored, sources: Sequence[Any], axes: Sequence[Any], geobox: Any) -> str | None:
    if explicit.crs is not None:
        return crs_text(explicit.crs)
    crs = _grid_mapping.read_crs(
        stored, sources, [axis for axis in axes if axis is not None], (_meters(axes[1]), _meters(axes[0]))
    )
    if crs is None and geobox is not None:
        crs = crs_text(getattr(geobox, "crs", None))
    for source in sources:
        # After the deprecated set_crs, only the accessor knows it.
        crs = crs or crs_text(_dims.attribute(_dims.accessor(source, "rio"), "crs"))
    return crs


def _meters(coordinate: Any) -> float:
    """Returns the unit of a coordinate in meters; 1 if it is not a length."""
    try:
        unit = None if coordinate is None else _units.parse(coordinate.attrs.get("units"))
    except ValueError:
        return 1.0
    return unit.size if unit is not None and unit.kind == "length" else 1.0


def geobox_of(raster: Any) -> Any:
    """Returns the geobox of odc-geo or datacube that is attached to an object, if there is one."""
    if not hasattr(raster, "coords"):
        # Datacube's property is deprecated in favor of odc-geo's; users of this package cannot do anything about it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            geobox = _dims.attribute(raster, "geobox")
        if geobox is not None:
            return geobox
    attributes = getattr(raster, "attrs", None)
    return attributes.get("geobox") if isinstance(attributes, Mapping) else None


def of_geobox(geobox: Any) -> Georeference:
    """Returns the georeference of a GeoBox or GCPGeoBox of odc-geo."""
    crs = crs_text(getattr(geobox, "crs", None))
    points = getattr(geobox, "gcps", None)
    if callable(points):
        return Georeference(crs=crs, gcps=_transform.gcps(points()))
    transform = getattr(geobox, "transform", None)
    if transform is None:
        transform = getattr(geobox, "affine", None)
    return Georeference(crs=crs, transform=None if transform is None else _transform.affine(transform))


