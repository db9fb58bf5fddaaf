"""Names, labels, scale, offset, and unit of bands, from arrays and callers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _options
from ._plan import Item

#: Names of dimensions whose bands are dates, in lowercase.
TIME = ("time", "t", "date", "datetime")
#: Names of dimensions whose labels name bands, also after one band was selected.
BAND = ("band", "bands", "variable")


@dataclass
class Band:
    """The properties of a band."""

    description: str | None = None
    #: Names of this band alone: its description, variable, and label. One of them may be a color.
    names: tuple[str, ...] = ()
    scale: float | None = None
    offset: float | None = None
    unit: str | None = None
    #: A color, by GDAL's name or as a member of rasterio.enums.ColorInterp.
    color: Any = None
    #: GDAL metadata of this band.
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Described:
    """The bands of a DataArray, and the names of the attributes that their properties come from."""

    bands: list[Band]
    used: set[str]
    name: str | None = None
    has_time_axis: bool = False


def of_array(raster: Any, count: int, dims: tuple[str, str] | None) -> Described:
    """Returns the properties of the bands of a DataArray.

    Parameters
    ----------
    raster
        The DataArray.
    count
        The number of bands.
    dims
        The dimensions of rows and columns.
    """
    attributes: Mapping[str, Any] = raster.attrs
    result = Described([Band() for _ in range(count)], set())
    axis = next((dim for dim in getattr(raster, "dims", ()) if dim not in dims), None) if dims is not None else None
    labels = _labels(raster, axis, count)
    _describe(result, raster, labels, count)
    result.has_time_axis = axis is not None and _is_time(raster, axis)
    # The lists of rioxarray and odc-geo come first, as in rioxarray; the other names are CF's.
    for property_, names, convert in (
        ("scale", ("scales", "scale_factor"), float),
        ("offset", ("offsets", "add_offset"), float),
        ("unit", ("units", "unit"), str),
    ):
        name = next((name for name in names if attributes.get(name) is not None), None)
        if name is None:
            continue
        result.used.update(names)
        for band, one in zip(result.bands, _of_bands(raster, name, attributes[name], count), strict=True):
            setattr(band, property_, None if one is None else convert(one))
    return result


def _describe(result: Described, raster: Any, labels: list[str | None] | None, count: int) -> None:
    """Sets descriptions and names: from lists of names, else labels, else a name of all bands."""
    attributes: Mapping[str, Any] = raster.attrs
    long_name, name = attributes.get("long_name"), _own_name(raster)
    result.name = name
    listed = "long_name" if isinstance(long_name, (list, tuple)) else "descriptions"
    names: Sequence[Any] | None = attributes.get(listed)
    if isinstance(names, (list, tuple)) and any(names):
        names = _of_bands(raster, listed, names, count)
        result.used.add(listed)
    else:
        names = None
    shared = long_name if isinstance(long_name, str) and long_name else None
    for index, band in enumerate(result.bands):
        own = [names[index] if names is not None else None, labels[index] if labels is not None else None]
        if count == 1:
            # A band that was selected by its label keeps the label as a scalar coordinate.
            own += [shared, _selected(raster), name]
            if own[1] is not None and shared is not None:
                own[2] = None
        band.names = tuple(str(one) for one in own if one)
        band.description = band.names[0] if band.names else shared
    if shared is not None and all(band.description == shared for band in result.bands):
        result.used.add("long_name")


def qualify(bands: Sequence[Band], name: str | None) -> None:
    """Puts the name of a variable before the labels of its bands, since other variables may have the same labels."""
    if name is None or len(bands) < 2:
        return
    for band in bands:
        band.description = f"{name} {band.description}" if band.description else name
        band.names = band.names or (name,)


def _coordinates(raster: Any) -> Mapping[Any, Any]:
    coordinates: Mapping[Any, Any] = getattr(raster, "coords", {})
    return coordinates


def _own_name(raster: Any) -> str | None:
    """Returns the name of a DataArray, unless it is the generated name of its Dask array, which xarray adopts."""
    name = getattr(raster, "name", None)
    return name if isinstance(name, str) and name and name != getattr(raster.data, "name", None) else None


def _selected(raster: Any) -> str | None:
    for dim, coordinate in _coordinates(raster).items():
        if coordinate.ndim == 0 and str(dim).lower() in BAND:
            value = coordinate.values.item()
            if isinstance(value, str) and value:
                return value
    return None


def _labels(raster: Any, axis: Any, count: int) -> list[str | None] | None:
    """Returns the labels along the band axis as text; ``None`` for none, or for GDAL's numbers 1, 2, 3, …"""
    if axis is None or axis not in _coordinates(raster):
        return None
    values = raster.coords[axis].values
    if values.ndim != 1 or len(values) != count:
        return None
    is_counted = values.dtype.kind in "ui" and values.tolist() == list(range(1, count + 1))
    if is_counted and str(axis).lower() in BAND:
        return None
    return _texts(values)


def _texts(values: np.ndarray[Any, Any]) -> list[str | None]:
    """Returns labels as text: dates by ISO 8601, as short as all of them allow; numbers as short as possible."""
    if values.dtype.kind == "M":
        days = values.astype("datetime64[D]")
        whole = bool(((values == days) | np.isnat(values)).all())
        texts = np.datetime_as_string(days if whole else values, unit="D" if whole else _unit(values))
        return [None if text == "NaT" else str(text) for text in texts]
    if values.dtype.kind == "m":
        return [_duration(value) for value in values.astype("m8[ns]")]
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    return [_text(value) for value in values]


def _unit(values: np.ndarray[Any, Any]) -> Any:
    """Returns the coarsest unit, starting at seconds, that represents all times exactly."""
    kept = (unit for unit in ("s", "ms", "us") if ((values.astype(f"M8[{unit}]") == values) | np.isnat(values)).all())
    return next(kept, "ns")


def _duration(value: np.timedelta64) -> str | None:
    """Returns a time span by ISO 8601, in hours if they are whole."""
    if np.isnat(value):
        return None
    seconds, rest = divmod(int(value.astype("int64")), 10**9)
    if rest:
        return f"PT{seconds + rest / 1e9!r}S"
    return f"PT{seconds // 3600}H" if seconds % 3600 == 0 else f"PT{seconds}S"


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, (float, np.floating)) and value != value):
        return None
    # Dates of Python and of cftime.
    if isinstance(value, (datetime.date, datetime.datetime)) or callable(getattr(value, "isoformat", None)):
        return str(value.isoformat())
    return str(value) or None


def _is_time(raster: Any, axis: Any) -> bool:
    if str(axis).lower() in TIME:
        return True
    if axis not in _coordinates(raster):
        return False
    values = raster.coords[axis].values
    return bool(values.dtype.kind == "M" or (values.size and callable(getattr(values.ravel()[0], "isoformat", None))))


def _of_bands(raster: Any, name: str, value: Any, count: int) -> list[Any]:
    """Returns an attribute with one value per band, for the bands of the array.

    rioxarray does not change such lists when bands are selected, and numbers bands from 1 along ``band``.
    """
    if not _is_list(value):
        return spread(name, value, count)
    values = list(value)
    if "band" in _coordinates(raster) and (numbers := np.atleast_1d(raster.coords["band"].values)).dtype.kind in "ui":
        chosen = [int(number) - 1 for number in numbers]
        if len(chosen) == count and all(0 <= one < len(values) for one in chosen):
            if len(values) != count:
                return [values[one] for one in chosen]
            if chosen != list(range(count)) and any(values[one] != values[at] for at, one in enumerate(chosen)):
                _options.warn(
                    f"'{name}' has one value per band, applied by position, but the bands are numbered "
                    f"{', '.join(str(one + 1) for one in chosen)}"
                )
    return spread(name, values, count)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def spread(name: str, value: Any, count: int) -> list[Any]:
    """Returns one value per band, from one value for all bands or a list."""
    if not _is_list(value):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name}: expected one value per band, got {len(value)} for {count} bands")
    return list(value)


def items(bands: Sequence[Band]) -> list[Item]:
    """Returns the properties of bands as GDAL metadata items."""
    result = []
    for index, band in enumerate(bands):
        result += [Item(name, value, index) for name, value in band.metadata.items()]
        scale = 1.0 if band.scale is None else float(band.scale)
        offset = 0.0 if band.offset is None else float(band.offset)
        if scale != 1.0 or offset != 0.0:
            result.append(Item("OFFSET", repr(offset), index, "offset"))
            result.append(Item("SCALE", repr(scale), index, "scale"))
        if band.unit:
            result.append(Item("UNITTYPE", str(band.unit), index, "unittype"))
        if band.color is not None:
            result.append(Item("COLORINTERP", str(getattr(band.color, "name", band.color)), index, "colorinterp"))
        if band.description:
            result.append(Item("DESCRIPTION", str(band.description), index, "description"))
    return result


__all__ = ["Band", "Described", "items", "of_array", "qualify", "spread"]
