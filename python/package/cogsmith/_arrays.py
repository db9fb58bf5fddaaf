"""NumPy arrays as the native module reads them: in place, without a copy, whatever their strides and byte order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._plan import Pixels

Array = np.ndarray[Any, Any]


def data_type(dtype: np.dtype[Any]) -> str:
    """Returns the library's name of a NumPy dtype; bool is written as u8 with 0 and 1."""
    kind, size = dtype.kind, dtype.itemsize
    if kind == "b":
        return "u8"
    if (kind in "ui" and size <= 8) or (kind == "f" and size <= 8):
        return f"{kind}{8 * size}"
    if kind == "c" and size <= 16:
        return f"cf{4 * size}"
    raise TypeError(
        f"arrays of {dtype} cannot be written: a GeoTIFF has integers and floats of up to 64 bits, complex64, and "
        "complex128; convert the array with .astype(...)"
    )


def pixels(parts: Sequence[Array], mask: Array | None = None, fill: str | None = None) -> Pixels:
    """Returns arrays (row, column, band), whose bands follow each other, as the native module takes them.

    ``mask`` is (row, column), 0 or False = invalid; ``fill`` is a value that replaces NaN.
    """
    truth = parts[0].dtype.kind == "b"
    native = [_native(part) for part in parts]
    if mask is not None:
        mask = as_mask(mask)
    one, swapped = native[0]
    if len(native) == 1 and _is_regular(one):
        return Pixels(array=one, parts=[], mask=mask, swapped=swapped, truth=truth, fill=fill)
    views = [(_as_bytes(part), swapped) for part, swapped in native]
    return Pixels(array=None, parts=views, mask=mask, truth=truth, fill=fill)


def _native(array: Array) -> tuple[Array, bool]:
    """Returns a view of the same bytes in this machine's byte order, and whether they must be swapped."""
    array = np.asarray(array)
    if array.dtype.kind == "b":
        return array.view(np.uint8), False
    if array.dtype.isnative:
        return array, False
    return array.view(array.dtype.newbyteorder("=")), True


def _is_regular(array: Array) -> bool:
    """Returns whether the array is aligned and all strides are whole samples."""
    return bool(array.flags.aligned) and all(step % array.itemsize == 0 for step in array.strides)


class _Bytes:
    """A view of an array as bytes along one more axis, by NumPy's array interface, which accepts any strides."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.__array_interface__ = {
            **array.__array_interface__,
            "typestr": "|u1",
            "descr": [("", "|u1")],
            "shape": (*array.shape, array.itemsize),
            "strides": (*array.strides, 1),
        }


def _as_bytes(array: Array) -> Array:
    return np.asarray(_Bytes(array))


def as_mask(mask: Any) -> Array:
    """Returns a mask as bytes, 0 = invalid."""
    array: Array = np.asarray(mask)
    if array.dtype.kind == "b" or array.dtype == np.int8:
        return array.view(np.uint8)
    if array.dtype == np.uint8:
        return array
    raise TypeError(f"the mask is {array.dtype}, expected bool or uint8 (0 = invalid)")
