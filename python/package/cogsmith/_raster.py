"""Inputs in a common form: NumPy and Dask arrays, DataArrays, Datasets, and lists of these."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _attributes, _bands, _dims, _georeference, _grid_mapping, _nodata, _values
from ._attributes import Attributes
from ._bands import Band
from ._defaults import Default
from ._georeference import Explicit
from ._nodata import Nodata
from ._plan import Georeference


class _Unset(Default):
    """The default of arguments for which ``None`` has a meaning."""

    def __init__(self) -> None:
        super().__init__(None)

    def __repr__(self) -> str:
        return "unset"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Any = _Unset()


@dataclass
class Raster:
    """Arrays (row, column, band) whose bands follow each other, and their properties."""

    parts: list[Any]
    georeference: Georeference | None = None
    nodata: Nodata = field(default_factory=Nodata)
    bands: list[Band] = field(default_factory=list)
    #: Whether bands are dates.
    has_time_axis: bool = False
    attributes: Attributes = field(default_factory=Attributes)
    name: str | None = None

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
    """Returns whether an array is a Dask array, by its protocol, without importing Dask."""
    graph = getattr(array, "__dask_graph__", None)
    return callable(graph) and graph() is not None and hasattr(array, "chunks")


def is_data_array(obj: Any) -> bool:
    """Returns whether an object is a DataArray or similar: data with attributes."""
    return not isinstance(obj, np.ndarray) and hasattr(obj, "data") and hasattr(obj, "attrs")


def is_dataset(obj: Any) -> bool:
    """Returns whether an object is a Dataset."""
    return hasattr(obj, "data_vars") and hasattr(obj, "attrs")


def read(source: Any, bands: str | None = None, explicit: Explicit | None = None) -> Raster:
    """Converts any input to the common form, without reading a pixel.

    ``bands`` is the axis of the bands, "first" or "last", of three-dimensional arrays without axis names; ``None``
    means "first", with an error if that is doubtful. ``explicit`` is the georeference that the caller sets.
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
    """Returns a NumPy or Dask array; :func:`mask_of` handles masked arrays."""
    if is_dask(data):
        if any(side != side for side in data.shape):
            raise ValueError("the array has chunks of unknown size; call its compute_chunk_sizes() first")
        return _without_mask(not_empty(data))
    if isinstance(data, np.ndarray):
        return _without_mask(not_empty(data))
    array = np.asarray(data)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"an object of type {type(data).__name__} is not an array of numbers")
    return not_empty(array)


def not_empty(array: Any) -> Any:
    """Returns an array; an error if it has no pixels."""
    if 0 in array.shape:
        raise ValueError(f"the array is empty (shape {tuple(array.shape)}): there are no pixels to write")
    return array


def _without_mask(data: Any) -> Any:
    """Returns an array unchanged if it masks nothing; otherwise its mask would be lost, which is an error."""
    if not _is_masked(data):
        return data
    if not is_dask(data) and data.mask is np.ma.nomask:
        return data.data
    raise ValueError(
        "a masked array inside another object is not supported; pass its data, and one mask for all bands as mask="
    )


def _is_masked(data: Any) -> bool:
    """Returns whether a NumPy or Dask array is a masked array; the meta of a Dask array has the type of its chunks."""
    return isinstance(getattr(data, "_meta", data) if is_dask(data) else data, np.ma.MaskedArray)


def _three_axes(array: Any, bands: str | None) -> Any:
    """Returns an array without axis names as (row, column, band)."""
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim != 3:
        raise ValueError(f"Need 2d or 3d ndarray on input, got {array.ndim} axes")
    if bands is None:
        first, _, last = array.shape
        if last <= 4 < first:
            raise ValueError(
                f"an array of shape {array.shape} may have {last} bands last or {first} bands first; pass bands='last' "
                "or bands='first'"
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
    """Reads a DataArray, or a variable of a Dataset whose dimensions of rows and columns are known."""
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
    count = part.shape[2]
    nodata = _nodata.of_array(raster, part.dtype)
    described = _bands.of_array(raster, count, dims)
    attributes = _attributes.of_array(raster.attrs, described.used, described.bands)
    return Raster(
        [part], georeference, nodata, described.bands, described.has_time_axis, attributes, described.name
    )


def _by_shape(data: Any, raster: Any) -> Any:
    """Orders three axes without names by the shape of the geobox, trying (row, column, band) first, as in datacube."""
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
    """Reads a Dataset: each variable with rows and columns is a band, in their order."""
    found = (_dims.spatial_dims(one) for one in (dataset, *dataset.data_vars.values()))
    dims = next((pair for pair in found if pair is not None), None)
    if dims is None:
        raise ValueError(f"no two of the dimensions {tuple(dataset.dims)} are rows and columns; rename them to y and x")
    mappings = _grid_mapping.mapping_names(dataset)
    bands = {name: variable for name, variable in dataset.data_vars.items() if str(name) not in mappings}
    variables = [variable for variable in bands.values() if set(dims) <= set(variable.dims)]
    if not variables:
        raise ValueError(f"no variable of the Dataset has the dimensions {dims}")
    result = _joined([_of_data_array(variable, explicit, dataset, dims) for variable in variables])
    result.nodata = _nodata.of_dataset(result.nodata, dataset.attrs, result.dtype)
    _attributes.add_dataset(result.attributes, dataset.attrs, result.bands)
    return result


def _of_list(sources: Sequence[Any], bands: str | None, explicit: Explicit) -> Raster:
    """Reads several rasters of the same georeference, as bands in their order."""
    if not sources:
        raise ValueError("the list is empty: there are no bands to write")
    if all(isinstance(source, (numbers.Number, list, tuple)) for source in sources):
        # A nested list is an array.
        return read(np.asarray(sources), bands, explicit)
    return _joined([read(source, bands, explicit) for source in sources])


def _joined(rasters: Sequence[Raster]) -> Raster:
    """Joins several rasters into one with the bands of all."""
    first = rasters[0]
    georeference = next((raster.georeference for raster in rasters if raster.georeference is not None), None)
    for index, other in enumerate(rasters[1:], 2):
        if (other.height, other.width) != (first.height, first.width):
            raise ValueError(
                f"band {index} has {_values.size(other.width, other.height)}, but the first has "
                f"{_values.size(first.width, first.height)}"
            )
        if other.dtype.newbyteorder("=") != first.dtype.newbyteorder("="):
            raise ValueError(
                f"band {index} is {other.dtype}, but the first is {first.dtype}; convert one of them with .astype(...)"
            )
        place = other.georeference
        if place is not None and not _georeference.is_same(place, georeference, first.width, first.height):
            raise ValueError(f"band {index} has a different georeference than the first; align them or pass transform=")
    bands_of = [raster.bands or [Band() for _ in range(raster.count)] for raster in rasters]
    for raster, its_bands in zip(rasters, bands_of, strict=True):
        _bands.qualify(its_bands, raster.name if len(rasters) > 1 else None)
    return Raster(
        parts=[part for raster in rasters for part in raster.parts],
        georeference=georeference,
        nodata=_nodata.join([raster.nodata for raster in rasters], first.dtype),
        bands=[band for its_bands in bands_of for band in its_bands],
        has_time_axis=any(raster.has_time_axis for raster in rasters),
        attributes=_attributes.merge([raster.attributes for raster in rasters], bands_of),
    )


def mask_of(source: Any) -> tuple[Any, Any]:
    """Returns the data of a NumPy or Dask masked array, and its mask as in GeoTIFF (True = valid); else the source."""
    if not _is_masked(source):
        return source, None
    if not is_dask(source) and source.mask is np.ma.nomask:
        return np.asarray(source.data), None
    if source.ndim != 2:
        raise ValueError(
            "a masked array of several bands is not supported, since a GeoTIFF has one mask for all bands; pass "
            "array.data and mask=, or array.filled(value) and nodata=value"
        )
    if is_dask(source):
        import dask.array

        masks = dask.array.ma
        return masks.getdata(source), ~masks.getmaskarray(source)
    return np.asarray(source.data), ~np.ma.getmaskarray(source)


__all__ = ["UNSET", "Raster", "is_dask", "is_data_array", "is_dataset", "mask_of", "not_empty", "read"]
