"""Nodata of an array: the places that keep it, their order of precedence, and its text in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _options

#: Attributes that keep nodata of the pixels in memory, by precedence: ``nodata`` of odc-geo, odc-stac, and datacube,
#: the two of CF, and those of rioxarray and rasterio.
ATTRIBUTES = ("nodata", "_FillValue", "missing_value", "fill_value", "nodatavals")
#: Entries of the encoding, which describes the file that an array came from or goes to. Zarr's ``fill_value`` is not
#: one of them: it is the value of chunks that were never written.
ENCODING = ("nodata", "_FillValue", "missing_value")


@dataclass
class Nodata:
    """The nodata value of an array, and the error or warning about it unless the caller sets another."""

    value: Any = None
    #: Whether NaN represents the value in memory.
    decoded: bool = False
    error: Exception | None = None
    warning: str | None = None

    def settle(self) -> None:
        """Raises the error or issues the warning, if any; for callers that need the array's value."""
        if self.error is not None:
            raise self.error
        if self.warning is not None:
            _options.warn(self.warning)


@dataclass
class _Found:
    """A nodata value and where it was found."""

    place: str
    value: Any


def of_array(raster: Any, dtype: np.dtype[Any]) -> Nodata:
    """Returns the nodata value of a DataArray.

    If places disagree, the first one in this order takes precedence, with a ``UserWarning``: the value of
    ``rio.set_nodata``, the attributes, the encoding.

    If the encoding has a value and the samples are floats, the array was decoded, and NaN represents nodata. NaN in the
    attributes then describes memory and the encoding describes the file; they do not disagree. If the array was
    unpacked as well (``scale_factor``, ``add_offset``), the packed value has no meaning among the unpacked ones, and
    nodata is NaN.
    """
    try:
        return _of_array(raster, dtype)
    except (TypeError, ValueError) as error:
        return Nodata(error=error)


def _of_array(raster: Any, dtype: np.dtype[Any]) -> Nodata:
    attributes, encoding = raster.attrs, getattr(raster, "encoding", {})
    found = list(_read(attributes, ATTRIBUTES, "attribute", dtype))
    encoded = list(_read(encoding, ENCODING, "encoding", dtype))
    decoded = bool(encoded) and dtype.kind == "f"
    if decoded and _is_unpacked(encoding):
        encoded = [_Found(f"{one.place} of the packed samples", float("nan")) for one in encoded]
    elif decoded and any(not _is_nan(one.value) for one in encoded):
        found = [one for one in found if not _is_nan(one.value)]
    found += encoded
    state = _of_rioxarray(raster)
    # When asked, rioxarray derives a value from the same places and keeps it; only a different value was set.
    if state is not None and not any(same_value(state, one.value, dtype) for one in found) and not (
        _is_nan(state) and (decoded or dtype.kind in "uib")
    ):
        found.insert(0, _Found("rio.nodata", state))
    if not found:
        return Nodata()
    first = found[0]
    if isinstance(first.value, list):
        raise ValueError(
            f"{first.place} is {first.value!r}, but a GeoTIFF has one nodata value for all bands; pass nodata="
        )
    other = next((one for one in found if not same_value(one.value, first.value, dtype)), None)
    warning = None
    if other is not None:
        warning = (
            f"conflicting nodata values: {first.value} in {first.place}, {other.value} in {other.place}; using "
            f"{first.value}, pass nodata= to choose another"
        )
    return Nodata(first.value, decoded and not _is_nan(first.value), warning=warning)


def join(several: Sequence[Nodata], dtype: np.dtype[Any]) -> Nodata:
    """Returns the nodata value of several arrays that become bands of one file, which has one value."""
    first = several[0]
    result = Nodata(first.value, any(one.decoded for one in several))
    result.error = next((one.error for one in several if one.error is not None), None)
    result.warning = next((one.warning for one in several if one.warning is not None), None)
    for index, other in enumerate(several[1:], 2):
        if result.error is None and not same_value(other.value, first.value, dtype):
            result.error = ValueError(
                f"band {index} has nodata {other.value}, but the first band has {first.value}; a GeoTIFF has one value "
                "for all bands, pass it as nodata="
            )
    return result


def of_dataset(variables: Nodata, attributes: Mapping[str, Any], dtype: np.dtype[Any]) -> Nodata:
    """Returns the nodata value of a Dataset: that of its variables, else that of its own attributes."""
    if variables.value is not None or variables.error is not None:
        return variables
    try:
        found = next(_read(attributes, ATTRIBUTES, "attribute of the Dataset", dtype), None)
    except TypeError as error:
        return Nodata(error=error)
    return variables if found is None or isinstance(found.value, list) else Nodata(found.value)


def _read(values: Mapping[str, Any], names: tuple[str, ...], where: str, dtype: np.dtype[Any]) -> Iterator[_Found]:
    for name in names:
        value = values.get(name)
        if value is None:
            continue
        place = f"the {where} '{name}'"
        value = _one_or_list(value)
        if isinstance(value, list):
            value = [_number(one, place) for one in value]
        else:
            value = _number(value, place)
        # NaN of the file, or of rasterio for "none", is not a value of integers.
        if dtype.kind in "uib" and _is_nan(value) and (where == "encoding" or name == "nodatavals"):
            continue
        if value is not None:
            yield _Found(place, value)


def _one_or_list(value: Any) -> Any:
    """Returns the value that all bands of a list share, or else the list."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.dtype.kind in "OSU" else list(value.ravel())
    if not isinstance(value, (list, tuple)):
        return value
    values = list(value)
    if values and all(other is None if values[0] is None else same_value(other, values[0]) for other in values):
        return values[0]
    return values or None


def _of_rioxarray(raster: Any) -> Any:
    """Returns the value of ``rio.set_nodata``, which rioxarray keeps only on its accessor."""
    if not hasattr(type(raster), "rio"):
        return None
    try:
        # The public property would compute and keep a value: reading an array would change it.
        state = getattr(raster.rio, "_nodata", None)
    except Exception:  # noqa: BLE001 - the accessor raises its own errors for arrays that it does not accept
        return None
    return None if state is None or state is False else _number(state, "rio.nodata")


def _is_unpacked(encoding: Mapping[str, Any]) -> bool:
    scale, offset = encoding.get("scale_factor"), encoding.get("add_offset")
    return (scale is not None and scale != 1) or (offset is not None and offset != 0)


def _is_nan(value: Any) -> bool:
    return not isinstance(value, list) and value is not None and bool(value != value)


def same_value(one: Any, other: Any, dtype: np.dtype[Any] | None = None) -> bool:
    """Returns whether two nodata values are the same number, as samples of ``dtype`` if given; NaN equals NaN."""
    if one is None or other is None or isinstance(one, list) or isinstance(other, list):
        return one is other or (isinstance(one, list) and isinstance(other, list) and repr(one) == repr(other))
    if one == other or (one != one and other != other):
        return True
    if dtype is None or dtype.kind != "f":
        return False
    with np.errstate(over="ignore"):
        return bool(dtype.type(one) == dtype.type(other))


def text(value: Any, dtype: np.dtype[Any]) -> str | None:
    """Returns a nodata value as exact text."""
    value = _number(value, "nodata")
    if value is None:
        return None
    if isinstance(value, complex):
        if value.imag != 0:
            raise TypeError(f"nodata={value!r} is not a real number")
        value = value.real
    return str(value) if isinstance(value, int) else repr(value)


def _number(value: Any, place: str) -> int | float | complex | None:
    """Returns a number as a Python number, from a NumPy number or text."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        for convert in (int, float):
            try:
                return convert(value.strip())
            except ValueError:
                pass
        raise TypeError(f"{place}={value!r} is not a number")
    if isinstance(value, bool):
        raise TypeError(f"{place}={value!r} is not a number; use a number, or None for no nodata value")
    if value is not None and not isinstance(value, (int, float, complex)):
        raise TypeError(f"{place}={value!r} is not a number")
    return value


__all__ = ["ATTRIBUTES", "ENCODING", "Nodata", "join", "of_array", "of_dataset", "same_value", "text"]
