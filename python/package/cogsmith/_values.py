"""Option values, given as text, numbers, or enum members, and the errors about them."""

from __future__ import annotations

import enum
import math
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from . import _native

#: rasterio.enums.Resampling, whose numbers are GDAL's.
_RESAMPLING_NUMBERS = (
    "nearest", "bilinear", "cubic", "cubic_spline", "lanczos", "average", "mode", "gauss", "max", "min", "med", "q1",
    "q3", "sum", "rms",
)  # fmt: skip
_RESAMPLING_NAMES = {"near": "nearest", "cubic_spline": "cubicspline", "med": "median"}
_RESAMPLINGS_LACKED = ("q1", "q3", "sum")
_BYTE_UNITS = {"": 0, "k": 10, "m": 20, "g": 30}


def warn(text: str) -> None:
    """Warns with a ``UserWarning`` at the line of the caller of this package."""
    level = 1
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("cogsmith."):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, UserWarning, stacklevel=level)


def not_supported(name: str, value: Any) -> ValueError:
    """Returns the error for a feature that GDAL has and this writer lacks."""
    return ValueError(f"option '{name}'={show(value)} is not supported: this writer has no such feature")


def show(value: Any) -> str:
    """Returns a value as errors show it; enum members by name."""
    return repr(value.name if isinstance(value, enum.Enum) else value)


def word(value: Any) -> str:
    """Returns a value as GDAL sees it, lowercase; members of rasterio's enums by their meaning."""
    if isinstance(value, enum.Enum):
        value = value.value if isinstance(value.value, str) else value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip().lower()


def integer(name: str, value: Any, smallest: int, largest: int) -> int:
    """Returns an integer within a range."""
    try:
        number = int(value)
        exact = not isinstance(value, bool) and number == float(value)
    except (TypeError, ValueError, OverflowError):
        exact = False
        number = 0
    if not exact or not smallest <= number <= largest:
        raise ValueError(f"{name}={value!r}: expected an integer from {smallest} to {largest}")
    return number


def flag(name: str, value: Any) -> bool:
    """Returns a bool, also from GDAL's words for it."""
    text = word(value)
    if text in ("yes", "true", "on", "1"):
        return True
    if text in ("no", "false", "off", "0", "none"):
        return False
    raise ValueError(f"{name}={value!r}: expected True or False")


def spellings(known: Mapping[str, str]) -> str:
    """Returns the words to list in an error: the first of each meaning, which is this package's own."""
    own: dict[str, str] = {}
    for word, meaning in known.items():
        own.setdefault(meaning, word)
    return ", ".join(own.values())


def size(width: int, height: int) -> str:
    """Returns the size of an image in words, because NumPy and images disagree about the order of its sides."""
    return f"{width} columns x {height} rows"


def choice(name: str, value: Any, known: Mapping[str, str], lacked: Sequence[str] = ()) -> str:
    """Returns the meaning of one of the known words, in either case."""
    text = word(value)
    if text in known:
        return known[text]
    if text in lacked:
        raise ValueError(f"option '{name}'={show(value)} is not supported; use one of {spellings(known)}")
    raise ValueError(f"{name}={show(value)}: expected one of {spellings(known)}")


def take_known(options: dict[str, Any], meanings: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    """Removes the options that have a meaning, in either case, and returns name, meaning, and value of each.

    ``None`` means that an option was not passed, except for nodata. Two options of the same meaning are an error.
    """
    seen: dict[str, str] = {}
    for name in [name for name in options if name.lower() in meanings]:
        meaning, value = meanings[name.lower()], options.pop(name)
        if value is None and meaning != "nodata":
            continue
        if meaning in seen:
            raise ValueError(f"options '{seen[meaning]}' and '{name}' mean the same; pass only one of them")
        seen[meaning] = name
        yield name, meaning, value


def storage_options(name: str, value: Any) -> dict[str, str]:
    """Returns options of a connection as text; booleans are ``true`` and ``false``."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}: expected a dict of names and values, not {type(value).__name__}")
    # Values may be secrets, so no message shows them.
    return {str(key): str(one).lower() if isinstance(one, bool) else str(one) for key, one in value.items() if one is not None}


def byte_count(name: str, value: Any) -> int:
    """Returns a number of bytes, also from text with K, M, or G for powers of 1024."""
    match = re.fullmatch(r"(\d+)\s*([kmg]?)", word(value))
    if match is None:
        raise ValueError(f"{name}={value!r}: expected a number of bytes, such as 1000000 or '64M'")
    return integer(name, int(match[1]) << _BYTE_UNITS[match[2]], 0, 2**63 - 1)


def tile_size(name: str, value: Any) -> tuple[int, int]:
    """Returns columns and rows of a tile: one side, a pair, or text such as ``512x256``."""
    if isinstance(value, str) and "x" in value.lower():
        value = value.lower().split("x")
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ValueError(f"{name}={value!r}: expected one side, or (columns, rows)")
        width, height = (integer(name, side, 0, 2**32 - 1) for side in value)
        return width, height
    side = integer(name, value, 0, 2**32 - 1)
    return side, side


def align(side: int) -> int:
    """Rounds a number of pixels up to a multiple of 16."""
    return -(-side // 16) * 16


def block_size(value: Any, name: str) -> int:
    """Returns the side of a block as datacube takes it: adjusted to a multiple of 16, with its warning."""
    side = integer(name, value, 0, 2**32 - 16)
    if side % 16:
        warn("Block size must be a multiple of 16, will be adjusted")
    return align(side)


def resampling(name: str, value: Any) -> str:
    """Returns a kernel by the names of GDAL, rasterio (also as enum members or their numbers), and this package."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, enum.Enum)):
        if not 0 <= value < len(_RESAMPLING_NUMBERS):
            raise ValueError(f"Bad resampling parameter: {value}")
        value = _RESAMPLING_NUMBERS[int(value)]
    text = str(value.name if isinstance(value, enum.Enum) else value).strip().lower()
    if text in _RESAMPLINGS_LACKED:
        raise ValueError(f"Bad resampling parameter: {text} is not supported for overviews")
    text = _RESAMPLING_NAMES.get(text, text)
    if text not in _native.RESAMPLINGS:
        known = ", ".join(_native.RESAMPLINGS)
        raise ValueError(f"Bad resampling parameter: {name}={value!r}, expected one of {known}")
    return text


def predictor_by_type(dtype: np.dtype[Any]) -> str:
    """Returns the meaning of PREDICTOR=YES; none for complex samples, which other readers cannot read with one."""
    return {"f": "float", "c": "none"}.get(dtype.kind, "horizontal")


def finite(name: str, value: Any) -> float:
    """Returns a finite number, also from text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(f"{name}={value!r}: expected a finite number")
    return number
