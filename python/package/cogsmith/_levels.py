"""The pixels of all levels of a file, and the function that writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import _arrays, _native, _options, _overviews, _values
from ._raster import Raster
from ._resolve import ResolvedOptions
from ._targets import check_storage_options, destination, result


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
    check_storage_options(resolved.work.storage_options, where)
    summary = _native.encode(resolved.plan(), pixels, where, resolved.work)
    if summary.get("nodata_samples"):
        _values.warn(
            f"samples that equal nodata in pixels with data in other bands: {summary['nodata_samples']}; they are data "
            "in the file"
        )
    if summary.get("masked_tiles"):
        _values.warn(
            "tiles left out although samples under the mask were not those that readers return: "
            f"{summary['masked_tiles']}"
        )
    return result(where, summary)
