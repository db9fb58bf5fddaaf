"""Properties of a raster that the caller sets with keywords."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ._georeference import Explicit
from ._raster import UNSET
from ._values import take_known


@dataclass
class Overrides:
    """Properties of the raster that the caller sets; they take precedence over those of the array."""

    crs: Any = None
    transform: Any = None
    gcps: Any = None
    geotransform: Any = None
    nodata: Any = UNSET
    tags: Mapping[str, Any] | None = None
    band_names: Any = None
    scale: Any = None
    offset: Any = None
    unit: Any = None
    #: ``None``: that of the attributes and tags.
    pixel_is_point: bool | None = None
    colormap: Any = None
    colorinterp: Any = None
    #: Whether attributes become metadata; ``None``: those that fit.
    attrs: bool | None = None

    @property
    def georeference(self) -> Explicit:
        """The part of the georeference that the caller sets."""
        return Explicit(self.crs, self.transform, self.gcps, self.geotransform)


#: Keywords in lowercase, and the attributes of `Overrides` that they set.
OVERRIDES = {
    "crs": "crs", "transform": "transform", "gcps": "gcps", "geotransform": "geotransform",
    "nodata": "nodata", "tags": "tags", "band_names": "band_names", "descriptions": "band_names",
    "band_scale": "scale", "band_offset": "offset", "band_unit": "unit", "pixel_is_point": "pixel_is_point",
    "colormap": "colormap", "colorinterp": "colorinterp", "attrs": "attrs",
}  # fmt: skip


def take_overrides(options: dict[str, Any], lacked: Collection[str] = ()) -> Overrides:
    """Removes overrides from options, in either case, except those that a function lacks, and returns them."""
    overrides = Overrides()
    known = {name: attribute for name, attribute in OVERRIDES.items() if name not in lacked}
    for _, attribute, value in take_known(options, known):
        setattr(overrides, attribute, value)
    return overrides
