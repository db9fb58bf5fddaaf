"""The pixels of an array that are written: bands, a window or bounds, and where a global grid begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from . import _georeference, _native, _values
from ._bands import Band
from ._file_options import FILE_OPTIONS, FileOptions
from ._overrides import Overrides
from ._plan import Georeference, PixelChoice
from ._raster import Raster, is_dask
from ._resolve import check_mask

#: Keywords of functions for arrays, which mean the same as in ``create``.
CHOICES = ("bands", "window", "bbox", "wrap_longitude")


def take_axis(options: dict[str, Any]) -> str | None:
    """Removes the option ``bands``, in either case, if it is the axis of the bands, "first" or "last", and returns it."""
    for name in [name for name in options if name.lower() == "bands"]:
        if isinstance(options[name], str) and options[name].lower() in ("first", "last"):
            return str(options.pop(name)).lower()
    return None


def take(options: dict[str, Any]) -> PixelChoice:
    """Removes the options of ``CHOICES``, in either case, and returns the choice; the default is all pixels."""
    result = FileOptions()
    for name, meaning, value in _values.take_known(options, {name: name for name in CHOICES}):
        if value is not None:
            _, apply = FILE_OPTIONS[meaning]
            apply(result, name, value)
    return result.pixels


def choose(raster: Raster, mask: Any, overrides: Overrides, choice: PixelChoice) -> tuple[Raster, Any]:
    """Returns the chosen pixels, with their georeference and bands, and their part of the mask. No pixel is read.

    The georeference in ``overrides`` is that of all pixels; it moves to the result.
    """
    if choice == PixelChoice():
        return raster, mask
    if mask is not None:
        check_mask(mask, raster.width, raster.height, "the image has")
    raster = replace(raster, georeference=_georeference.combine(raster.georeference, overrides.georeference))
    overrides.crs = overrides.transform = overrides.gcps = overrides.geotransform = None
    if choice.wrap_longitude is not None:
        raster, mask = _turned(raster, mask, PixelChoice(wrap_longitude=choice.wrap_longitude))
    if choice.window is not None or choice.bbox is not None:
        raster, mask = _cut(raster, mask, PixelChoice(window=choice.window, bbox=choice.bbox))
    if choice.bands:
        raster = _selected(raster, choice.bands)
    return raster, mask


def _located(raster: Raster, choice: PixelChoice) -> tuple[Georeference, int, int, int, int]:
    """Returns the georeference of the chosen pixels, column and row of the first one, and the numbers of columns and rows."""
    before = raster.georeference or Georeference()
    transform, gcps, width, height = _native.choose(raster.width, raster.height, before, choice)
    column, row = choice.window[:2] if choice.window is not None else (0, 0)
    if choice.window is None and before.transform is not None and transform is not None:
        # Bounds and longitudes need a transform without rotation.
        column = round((transform[2] - before.transform[2]) / before.transform[0])
        row = round((transform[5] - before.transform[5]) / before.transform[4])
    return replace(before, transform=transform, gcps=gcps), column, row, width, height


def _turned(raster: Raster, mask: Any, choice: PixelChoice) -> tuple[Raster, Any]:
    georeference, column, *_ = _located(raster, choice)
    first = column % raster.width
    if first:
        raster = replace(raster, parts=[_rolled(part, first) for part in raster.parts])
        mask = None if mask is None else _rolled(mask, first)
    return replace(raster, georeference=georeference), mask


def _rolled(array: Any, first: int) -> Any:
    """Returns an array that begins with another column."""
    array = getattr(array, "data", array) if is_dask(getattr(array, "data", None)) else array
    if is_dask(array):
        import dask.array

        columns: Any = dask.array
        return columns.concatenate([array[:, first:], array[:, :first]], axis=1)
    return np.roll(np.asarray(array), -first, axis=1)


def _cut(raster: Raster, mask: Any, choice: PixelChoice) -> tuple[Raster, Any]:
    georeference, column, row, width, height = _located(raster, choice)
    rows, columns = slice(row, row + height), slice(column, column + width)
    if mask is not None:
        mask = (mask if hasattr(mask, "shape") else np.asarray(mask))[rows, columns]
    return replace(raster, parts=[part[rows, columns] for part in raster.parts], georeference=georeference), mask


def _selected(raster: Raster, chosen: Iterable[int | str]) -> Raster:
    """Returns bands in the order of their numbers, counted from 0, or of their names."""
    own = raster.bands or [Band() for _ in range(raster.count)]
    numbers = [band if isinstance(band, int) else _named(band, own) for band in chosen]
    for number in numbers:
        if number >= raster.count:
            raise ValueError(f"bands: there is no band {number + 1}; the array has {raster.count}")
    sources = [(part, band) for part, array in enumerate(raster.parts) for band in range(array.shape[2])]
    runs: list[tuple[int, int, int]] = []
    for number in numbers:
        # Neighbors of one array stay together.
        part, band = sources[number]
        if runs and (runs[-1][0], runs[-1][2]) == (part, band):
            runs[-1] = (part, runs[-1][1], band + 1)
        else:
            runs.append((part, band, band + 1))
    parts = [raster.parts[part][:, :, start:end] for part, start, end in runs]
    bands = [replace(own[number], metadata=dict(own[number].metadata)) for number in numbers]
    return replace(raster, parts=parts, bands=bands if raster.bands else [])


def _named(name: str, bands: list[Band]) -> int:
    """Returns the number of the only band with this name; if no name is equal, case is ignored."""
    for same in (str, str.casefold):
        found = [
            number
            for number, band in enumerate(bands)
            if same(name) in {same(one) for one in (*band.names, band.description) if one}
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f"bands: {len(found)} bands are named {name!r}; give their numbers, counted from 1")
    known = ", ".join(str(band.description) for band in bands if band.description)
    if not known:
        raise ValueError(
            f"bands={name!r}: the bands have no names; expected numbers, counted from 1 "
            "(cogsmith.write also takes 'first' or 'last', the axis of the bands)"
        )
    raise ValueError(f"bands: no band is named {name!r}; there are {known}")


__all__ = ["CHOICES", "choose", "take", "take_axis"]
