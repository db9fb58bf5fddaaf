"""One file per step of a dimension: targets such as ``"ndvi/{time:%Y-%m-%d}.tif"``."""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def dimension(array: Any, target: Any) -> str | None:
    """Returns the dimension of an xarray object that a target names in braces; ``None`` if it names none."""
    dims = getattr(array, "dims", None)
    if dims is None or not isinstance(target, (str, os.PathLike)):
        return None
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(os.fspath(target)) if field}
    except ValueError:
        return None
    named = [dim for dim in dims if dim in fields]
    if not named:
        return None
    if len(fields) > 1:
        raise ValueError(f"target {os.fspath(target)!r}: expected one name in braces, got {', '.join(sorted(fields))}")
    return str(named[0])


def write(array: Any, target: Any, dim: str, mask: Any, write_one: Callable[[Any, Path, Any], Any]) -> Any:
    """Writes each step of a dimension with `write_one`, and returns the paths, or a Delayed of them."""
    values = array[dim].values if dim in array.coords else np.arange(array.sizes[dim])
    paths = [Path(os.fspath(target).format(**{dim: _formatted(value)})) for value in values]
    twice = next((path for index, path in enumerate(paths) if path in paths[:index]), None)
    if twice is not None:
        raise ValueError(f"target {os.fspath(target)!r}: two steps of {dim!r} are '{twice}'; format {dim!r} more precisely")
    written = []
    for index, path in enumerate(paths):
        of_step = mask.isel({dim: index}) if dim in getattr(mask, "dims", ()) else mask
        # Without its coordinate, the step is an image like any other.
        step = array.isel({dim: index}, drop=True)
        written.append(write_one(step, path, of_step))
    if any(hasattr(one, "compute") for one in written):
        from dask.delayed import delayed

        return delayed(list)(written)
    return written


def _formatted(value: Any) -> Any:
    """Returns a coordinate as an object whose format codes people know."""
    if isinstance(value, np.datetime64):
        # Nanoseconds would become an integer.
        return value.astype("datetime64[us]").item()
    return value.item() if isinstance(value, np.generic) else value
