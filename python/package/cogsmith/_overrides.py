"""Properties of a raster that the caller sets with keywords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._georeference import Explicit
from ._raster import UNSET


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
_OVERRIDES = {
    "crs": "crs", "transform": "transform", "gcps": "gcps", "geotransform": "geotransform",
    "nodata": "nodata", "tags": "tags",
    "band_names": "band_names", "descriptions": "band_names", "scale": "scale", "scales": "scale", "offset": "offset",
    "offsets": "offset", "unit": "unit", "units": "unit", "pixel_is_point": "pixel_is_point", "colormap": "colormap",
    "colorinterp": "colorinterp", "attrs": "attrs",
}  # fmt: skip


def take_overrides(options: dict[str, Any]) -> Overrides:
    """Removes overrides from options, in either case, and returns them."""
    overrides = Overrides()
    for name in list(options):
        attribute = _OVERRIDES.get(name.lower())
        if attribute is not None:
            setattr(overrides, attribute, options.pop(name))
    return overrides
