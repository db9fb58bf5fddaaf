"""One file per step of a dimension, such as time: targets with a field, ``"{time:%Y-%m-%d}.tif"``."""

from __future__ import annotations

import datetime
import os
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _dims, _native, _raster, _targets, _values


@dataclass
class Steps:
    """The files of a target with a field."""

    #: The dimension that the field names.
    dim: str
    #: One path per step, or the address of an object, in their order.
    paths: list[Path | str]

    def of(self, array: Any) -> Iterator[Any]:
        """Returns the steps of an array, or the array itself for each if it does not have the dimension."""
        for index in range(len(self.paths)):
            yield array.isel({self.dim: index}) if self.dim in getattr(array, "dims", ()) else array

    def write(
        self, array: Any, mask: Any, options: Mapping[str, Any], write: Callable[[Any, Any, Path | str], Any]
    ) -> Any:
        """Writes all steps; returns their paths, or for Dask arrays a delayed list of them."""
        if not options.get("overwrite"):
            # Before the first file is written: no job stops half done because of a file that was there from the start.
            for path in self.paths:
                if self._exists(path, array, options):
                    raise FileExistsError(f"'{path}' exists already; pass overwrite=True to replace it")
        results = [
            write(step, masked, path)
            for step, masked, path in zip(self.of(array), self.of(mask), self.paths, strict=True)
        ]
        if any(_raster.is_dask(result) or hasattr(result, "dask") for result in results):
            from dask.delayed import delayed

            return delayed(list)(results)
        return results


    @staticmethod
    def _exists(path: Path | str, array: Any, options: Mapping[str, Any]) -> bool:
        if not isinstance(path, str):
            return os.path.lexists(path)
        if _raster.is_dask(getattr(array, "data", array)):
            # The credentials may be those of the workers: the first task of each file asks.
            return False
        given = options.get("storage_options")
        storage = {} if given is None else _values.storage_options("storage_options", given)
        return _native.Connection(path, storage, False).exists()


def read(target: Any, array: Any) -> Steps | None:
    """Returns the steps that a target asks for; ``None`` if it is an ordinary target."""
    if not isinstance(target, (str, os.PathLike)) or "{" not in os.fspath(target):
        return None
    pattern = os.fspath(target)
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None]
    except ValueError as error:
        raise ValueError(f"target {pattern!r}: {error}; double a brace that is part of the name") from None
    dims = [dim for dim in getattr(array, "dims", ()) if isinstance(dim, str)]
    spatial = _dims.spatial_dims(array) or ()
    steps = [dim for dim in dims if dim not in spatial]
    if not fields:
        return None
    if len(set(fields)) != 1 or fields[0] not in steps:
        has = f"it has {', '.join(steps)}" if steps else "it has none; xarray.DataArray names the axes of an array"
        raise ValueError(
            f"target {pattern!r}: expected one field that names a dimension of the array other than rows and columns; "
            f"{has}. Double a brace that is part of the name"
        )
    dim = fields[0]
    coordinate = array.coords[dim].values if dim in array.coords else range(array.sizes[dim])
    paths: list[Path | str] = []
    seen: dict[Path | str, Any] = {}
    for value in map(_value, coordinate):
        try:
            path = _targets.place_of(pattern.format(**{dim: value}))
        except (ValueError, TypeError) as error:
            raise ValueError(f"target {pattern!r}: {error} ({dim}={value})") from None
        if path in seen:
            raise ValueError(f"target {pattern!r}: '{path}' would be the file of both {dim}={seen[path]} and {dim}={value}")
        seen[path] = value
        paths.append(path)
    return Steps(dim, paths)


def _value(value: Any) -> Any:
    """Returns a coordinate as an object that format strings know."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":
        moment = value.astype("datetime64[us]").item()
        return moment if isinstance(moment, datetime.datetime) else str(value)
    if hasattr(value, "strftime") and not hasattr(value, "isoformat"):
        return value
    return value.item() if hasattr(value, "item") else value
