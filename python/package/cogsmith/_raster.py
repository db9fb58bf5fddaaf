"""What an input is: arrays of numpy and Dask, DataArrays, Datasets, and lists of them, in one form."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _dims, _georeference, _grid_mapping
from ._georeference import Explicit
from ._plan import Georeference, Item


class _Unset:
    """Says that an argument was not given, where ``None`` means something."""

    def __repr__(self) -> str:
        return "unset"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Any = _Unset()


@dataclass
class Band:
    """What is said about a band."""

    description: str | None = None
    scale: float | None = None
    offset: float | None = None
    unit: str | None = None
    #: A colour by GDAL's name, or a member of rasterio.enums.ColorInterp.
    color: Any = None


@dataclass
class Raster:
    """Arrays whose bands follow each other, each (row, column, band), and what is known about them."""

    parts: list[Any]
    georeference: Georeference | None = None
    nodata: Any = None
    #: Whether NaN stands for nodata in the arrays, since they were decoded with that value.
    decoded: bool = False
    bands: list[Band] = field(default_factory=list)

    @property
    def height(self) -> int:
        return int(self.parts[0].shape[0])

    @property
    def width(self) -> int:
        return int(self.parts[0].shape[1])

    @property
    def count(self) -> int:
        return sum(int(part.shape[2]) for part in self.parts)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self.parts[0].dtype)
        return dtype

    @property
    def is_dask(self) -> bool:
        return any(is_dask(part) for part in self.parts)


def is_dask(array: Any) -> bool:
    """Whether an array is one of Dask: the protocol says so, without an import of Dask."""
    graph = getattr(array, "__dask_graph__", None)
    return callable(graph) and graph() is not None and hasattr(array, "chunks")


def is_data_array(obj: Any) -> bool:
    """Whether an object is a DataArray, or near enough: data with attributes."""
    return not isinstance(obj, np.ndarray) and hasattr(obj, "data") and hasattr(obj, "attrs")


def is_dataset(obj: Any) -> bool:
    """Whether an object is a Dataset."""
    return hasattr(obj, "data_vars") and hasattr(obj, "attrs")


def read(source: Any, bands: str | None = None, explicit: Explicit | None = None) -> Raster:
    """Takes whatever can be written into one form; no pixel is touched.

    ``bands`` says whether the bands of arrays without names are "first" or "last" among three axes; ``None``: first,
    unless that can hardly be meant. ``explicit`` is the georeference that the caller states.
    """
    explicit = explicit or Explicit()
    if is_dataset(source):
        return _of_dataset(source, explicit)
    if isinstance(source, (list, tuple)):
        return _of_list(source, bands, explicit)
    if is_data_array(source):
        return _of_data_array(source, explicit)
    return Raster(parts=[_three_axes(_array(source), bands)])


def _array(data: Any) -> Any:
    """An array of numpy or Dask; masked ones are for :func:`mask_of`."""
    if is_dask(data):
        if any(side != side for side in data.shape):
            raise ValueError("the array has chunks of unknown size: call its compute_chunk_sizes() first")
        return _without_mask(data)
    if isinstance(data, np.ndarray):
        return _without_mask(data)
    array = np.asarray(data)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{type(data).__name__} is no array of numbers")
    return array


def _without_mask(data: Any) -> Any:
    """An array as it is, if it masks nothing: a mask that nobody has taken out would be lost."""
    if not _is_masked(data):
        return data
    if not is_dask(data) and data.mask is np.ma.nomask:
        return data.data
    raise ValueError(
        "a masked array inside of another object is not supported: pass its data, and one mask for all bands as mask="
    )


def _is_masked(data: Any) -> bool:
    """Whether an array of numpy or Dask has a mask. What chunks of Dask are is known by their meta."""
    return isinstance(getattr(data, "_meta", data) if is_dask(data) else data, np.ma.MaskedArray)


def _three_axes(array: Any, bands: str | None) -> Any:
    """An array without names for its axes as (row, column, band)."""
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim != 3:
        raise ValueError(f"Need 2d or 3d ndarray on input, got {array.ndim} axes")
    if bands is None:
        first, _, last = array.shape
        if last <= 4 < first:
            raise ValueError(
                f"an array of shape {array.shape} has either its {last} bands last or {first} bands first: "
                "say which with bands='last' or bands='first'"
            )
        bands = "first"
    if bands == "first":
        return array.transpose((1, 2, 0))
    if bands == "last":
        return array
    raise ValueError(f"bands={bands!r}: expected 'first' or 'last'")


def _of_data_array(
    raster: Any, explicit: Explicit, dataset: Any = None, dims: tuple[str, str] | None = None
) -> Raster:
    """A DataArray, which may be a variable of a Dataset whose dimensions of rows and columns are known."""
    data = _array(raster.data)
    if data.ndim not in (2, 3):
        raise ValueError(f"Need 2d or 3d ndarray on input, got {data.ndim} axes")
    dims = dims or _dims.spatial_dims(raster)
    georeference = _georeference.of_raster(raster, explicit, dataset, dims)
    names = list(getattr(raster, "dims", ()))
    if dims is not None:
        rows, columns = (names.index(dim) for dim in dims)
        if data.ndim == 2:
            part = data.transpose((rows, columns))[:, :, None]
        else:
            part = data.transpose((rows, columns, 3 - rows - columns))
    else:
        part = data[:, :, None] if data.ndim == 2 else _by_shape(data, raster)
    nodata, decoded = _nodata_of(raster)
    return Raster([part], georeference, nodata, decoded, _bands_of(raster, part.shape[2], dims))


def _by_shape(data: Any, raster: Any) -> Any:
    """Three axes without names: what the shape of the geobox says, (row, column, band) first, as datacube has it."""
    shape = getattr(_georeference.geobox_of(raster), "shape", None)
    if shape is None:
        return _three_axes(data, None)
    shape = tuple(shape)
    if data.shape[:2] == shape:
        return data
    if data.shape[-2:] == shape:
        return data.transpose((1, 2, 0))
    raise ValueError("GeoBox shape does not match image shape")


def _of_dataset(dataset: Any, explicit: Explicit) -> Raster:
    """Every variable with rows and columns is a band, in the order of the Dataset."""
    found = (_dims.spatial_dims(one) for one in (dataset, *dataset.data_vars.values()))
    dims = next((pair for pair in found if pair is not None), None)
    if dims is None:
        raise ValueError(f"no two dimensions of {tuple(dataset.dims)} are rows and columns")
    mappings = _grid_mapping.mapping_names(dataset)
    bands = {name: variable for name, variable in dataset.data_vars.items() if str(name) not in mappings}
    variables = [variable for variable in bands.values() if set(dims) <= set(variable.dims)]
    if not variables:
        raise ValueError(f"no variable of the Dataset lies along {dims}")
    return _joined([_of_data_array(variable, explicit, dataset, dims) for variable in variables])


def _of_list(sources: Sequence[Any], bands: str | None, explicit: Explicit) -> Raster:
    """Several rasters of one place, one after the other as bands."""
    if not sources:
        raise ValueError("an empty list has no bands")
    if all(isinstance(source, (numbers.Number, list, tuple)) for source in sources):
        # A nested list is an array.
        return read(np.asarray(sources), bands, explicit)
    return _joined([read(source, bands, explicit) for source in sources])


def _joined(rasters: Sequence[Raster]) -> Raster:
    """The bands of several rasters as one."""
    first = rasters[0]
    georeference = next((raster.georeference for raster in rasters if raster.georeference is not None), None)
    for index, other in enumerate(rasters[1:], 2):
        if (other.height, other.width) != (first.height, first.width):
            raise ValueError(
                f"band {index} has {other.height}x{other.width} pixels, the first {first.height}x{first.width}"
            )
        if other.dtype.newbyteorder("=") != first.dtype.newbyteorder("="):
            raise ValueError(
                f"band {index} is {other.dtype}, the first {first.dtype}: a GeoTIFF has one type; convert with .astype"
            )
        place = other.georeference
        if place is not None and not _georeference.is_same(place, georeference, first.width, first.height):
            raise ValueError(f"band {index} lies elsewhere than the first")
        if not same_value(other.nodata, first.nodata):
            raise ValueError(
                f"band {index} has nodata {other.nodata}, the first {first.nodata}: a GeoTIFF has one; pass nodata="
            )
    described = [band for raster in rasters for band in (raster.bands or [Band()] * raster.parts[0].shape[2])]
    return Raster(
        parts=[part for raster in rasters for part in raster.parts],
        georeference=georeference,
        nodata=first.nodata,
        decoded=any(raster.decoded for raster in rasters),
        bands=described,
    )


# What attributes say --------------------------------------------------------------------------------------------------


def _nodata_of(raster: Any) -> tuple[Any, bool]:
    """The nodata value, and whether the array was decoded with it, so that NaN stands for it."""
    attributes, encoding = raster.attrs, getattr(raster, "encoding", {})
    for name in ("nodata", "_FillValue", "missing_value"):
        if attributes.get(name) is not None:
            return _one(attributes[name], name), False
    for name in ("nodata", "_FillValue", "missing_value"):
        if encoding.get(name) is not None:
            return _one(encoding[name], name), True
    return None, False


def _one(value: Any, name: str) -> Any:
    """One value of a list as rioxarray and odc-geo keep one a band."""
    if isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) > 0:
        values = list(value)
        if not values or any(not same_value(other, values[0]) for other in values):
            raise ValueError(f"{name}={value!r}: a GeoTIFF has one nodata value for all bands; pass nodata=")
        return values[0]
    return value


def same_value(one: Any, other: Any) -> bool:
    """Whether two nodata values are the same; NaN is itself here."""
    if one is None or other is None:
        return one is other
    return bool(one == other or (one != one and other != other))


def _bands_of(raster: Any, count: int, dims: tuple[str, str] | None) -> list[Band]:
    attributes: Mapping[str, Any] = raster.attrs
    bands = [Band() for _ in range(count)]
    for band, name in zip(bands, _names(raster, count, dims), strict=False):
        band.description = name
    # `scales` and its kin are odc-geo's and rasterio's names, the others those of CF.
    for field_, names, convert in (
        ("scale", ("scale_factor", "scales"), float),
        ("offset", ("add_offset", "offsets"), float),
        ("unit", ("units", "units_metadata", "unit"), str),
    ):
        value = next((attributes[name] for name in names if attributes.get(name) is not None), None)
        if value is None:
            continue
        for band, one in zip(bands, spread(names[0], value, count), strict=True):
            setattr(band, field_, None if one is None else convert(one))
    return bands


def spread(name: str, value: Any, count: int) -> list[Any]:
    """One value for each band, from one for all or a list of them."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0):
        if len(value) != count:
            raise ValueError(f"{name}: {len(value)} values for {count} bands")
        return list(value)
    return [value] * count


def _names(raster: Any, count: int, dims: tuple[str, str] | None) -> list[str | None]:
    long_name = raster.attrs.get("long_name")
    if isinstance(long_name, (list, tuple)):
        return list(map(str, spread("long_name", list(long_name), count))) if long_name else [None] * count
    if isinstance(long_name, str) and long_name and count == 1:
        return [long_name]
    # Names along the axis of the bands, as odc-geo's colorize gives.
    if dims is not None:
        for dim in raster.dims:
            values = raster.coords[dim].values if dim not in dims and dim in raster.coords else None
            if values is not None and values.ndim == 1 and all(isinstance(value, str) for value in values.tolist()):
                return [str(value) for value in values]
    name = getattr(raster, "name", None)
    # xarray takes the name that Dask made up for its array.
    if isinstance(name, str) and name and count == 1 and name != getattr(raster.data, "name", None):
        return [name]
    if isinstance(long_name, str) and long_name:
        return [long_name] * count
    return [None] * count


# What goes into the file ----------------------------------------------------------------------------------------------


def nodata_text(value: Any, dtype: np.dtype[Any]) -> str | None:
    """A nodata value as exact text, after the check that the type can hold it."""
    if value is None:
        return None
    if isinstance(value, str):
        value = float(value) if value.strip().lstrip("+-").lower() in ("nan", "inf", "infinity") else _number(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, complex) and value.imag == 0:
        value = value.real
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, (int, float)):
        raise TypeError(f"nodata={value!r} is no number")
    kind = "u" if dtype.kind == "b" else dtype.kind
    beyond = False
    if kind in "ui":
        limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
        beyond = value != value or not limits.min <= value <= limits.max
    elif value == value and abs(value) != float("inf"):
        real = np.dtype(f"f{dtype.itemsize // 2}") if kind == "c" else dtype
        # Values just beyond the largest are texts of it with few digits.
        beyond = abs(float(value)) > float(np.finfo(real).max) * (1 + 1e-6)
    if beyond:
        raise ValueError(f"Given nodata value, {value}, is beyond the valid range of its data type, {dtype}.")
    return str(value) if isinstance(value, int) else repr(value)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise TypeError(f"nodata={text!r} is no number") from None


def items(bands: Sequence[Band], tags: Mapping[str, Any] | None) -> list[Item]:
    """GDAL's metadata: the caller's tags, and what is said about the bands."""
    result = [Item(str(name), str(value)) for name, value in (tags or {}).items()]
    for index, band in enumerate(bands):
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


def mask_of(source: Any) -> tuple[Any, Any]:
    """The data of a masked array of numpy or Dask, and its mask in the sense of GeoTIFF (True = valid); else the source."""
    if not _is_masked(source):
        return source, None
    if not is_dask(source) and source.mask is np.ma.nomask:
        return np.asarray(source.data), None
    if source.ndim != 2:
        raise ValueError(
            "a masked array of several bands is not supported: a GeoTIFF has one mask for all bands; pass "
            "array.data and mask=, or array.filled(value) and nodata=value"
        )
    if is_dask(source):
        import dask.array

        masks = dask.array.ma
        return masks.getdata(source), ~masks.getmaskarray(source)
    return np.asarray(source.data), ~np.ma.getmaskarray(source)


__all__ = ["UNSET", "Band", "Raster", "items", "mask_of", "nodata_text", "read", "same_value", "spread"]
