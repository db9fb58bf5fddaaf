"""Options of :func:`cogsmith.create` for the input, its georeference, and its metadata, by all their names."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _native, _values
from . import _nodata as _nodata_values
from . import _transform as _transforms
from ._crs import crs_text
from ._plan import FileOverrides, Input, PixelChoice

Numbers = tuple[float, float, float, float, float, float]


@dataclass
class FileOptions:
    """The options in resolved form."""

    input: Input = field(default_factory=Input)
    pixels: PixelChoice = field(default_factory=PixelChoice)
    overrides: FileOverrides = field(default_factory=FileOverrides)
    mask: str = "auto"
    header_room: int = 0
    quiet: bool = False
    storage_options: dict[str, str] = field(default_factory=dict, repr=False)


def take(options: dict[str, Any]) -> FileOptions:
    """Removes the options of the table below, in either case, and returns them in resolved form."""
    result = FileOptions()
    meanings = {name: meaning for name, (meaning, _) in FILE_OPTIONS.items()}
    for name, _, value in _values.take_known(options, meanings):
        _, apply = FILE_OPTIONS[name.lower()]
        apply(result, name, value)
    return result


# Single options ------------------------------------------------------------------------------------------------------


def _image(result: FileOptions, name: str, value: Any) -> None:
    try:
        result.input.image = _values.integer(name, value, 1, 2**31 - 1)
    except ValueError:
        raise ValueError(f"{name}={value!r}: expected the number of an image, counted from 1") from None


def _nodata(result: FileOptions, name: str, value: Any) -> None:
    if value is None or (isinstance(value, str) and value.strip().lower() == "none"):
        result.input.nodata = "none"
    else:
        result.input.nodata = _nodata_values.text(value, np.dtype("f8"))


def _crs(result: FileOptions, name: str, value: Any) -> None:
    # Text is parsed as in the command.
    result.input.crs = value if isinstance(value, str) else crs_text(value)


def _crs_wkt(result: FileOptions, name: str, value: Any) -> None:
    result.input.crs_wkt = _values.flag(name, value)


def _mask(result: FileOptions, name: str, value: Any) -> None:
    result.mask = _values.choice(name, value, {mask: mask for mask in _native.MASKS})


def _header_room(result: FileOptions, name: str, value: Any) -> None:
    # The library names the limit.
    result.header_room = 0 if value is None else min(_values.byte_count(name, value), 2**32 - 1)


def _ignore_aux(result: FileOptions, name: str, value: Any) -> None:
    result.input.ignore_aux = _values.flag(name, value)


def _vrt_root(result: FileOptions, name: str, value: Any) -> None:
    result.input.vrt_root = None if value is None else os.fspath(value)


def _bits(result: FileOptions, name: str, value: Any) -> None:
    if _values.word(value) in ("keep", "widen"):
        result.input.widen = _values.word(value) == "widen"
        return
    try:
        result.pixels.bits = _values.integer(name, value, 1, 64)
    except ValueError:
        raise ValueError(f"{name}={value!r}: expected 'keep', 'widen', or a number of bits") from None


def _transform(result: FileOptions, name: str, value: Any) -> None:
    if isinstance(value, str):
        # In the command, text is in GDAL's order.
        _geotransform(result, name, value)
    else:
        result.overrides.transform = _transforms.affine(value)


def _geotransform(result: FileOptions, name: str, value: Any) -> None:
    numbers = _numbers(name, value, (6,), "six numbers in GDAL's order") if isinstance(value, str) else value
    result.overrides.transform = _transforms.geotransform(numbers)


def _bounds(result: FileOptions, name: str, value: Any) -> None:
    left, bottom, right, top = _numbers(name, value, (4,), "left, bottom, right, top")
    result.overrides.bounds = (left, bottom, right, top)


def _gcps(result: FileOptions, name: str, value: Any) -> None:
    # rasterio's dataset.gcps is a pair of points and their CRS.
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], (list, tuple)):
        points, crs = value
        if crs and result.input.crs is None:
            result.input.crs = crs_text(crs)
        value = points
    if isinstance(value, str):
        value = [value]
    expected = "column, row, x, y, and optionally z"
    points = [_numbers(name, one, (4, 5), expected) if isinstance(one, str) else one for one in value]
    result.overrides.gcps = _transforms.gcps(points)


def _point(result: FileOptions, name: str, value: Any) -> None:
    result.overrides.point = _values.flag(name, value)


def _pixel_is(result: FileOptions, name: str, value: Any) -> None:
    result.overrides.point = _values.choice(name, value, {"area": "area", "point": "point"}) == "point"


def _description(result: FileOptions, name: str, value: Any) -> None:
    result.overrides.description = [(band, str(one)) for band, one in _by_band(name, value)]
    if any(band is None for band, _ in result.overrides.description):
        raise ValueError(f"{name}={value!r}: expected a list with one per band, or a dict such as {{1: 'red'}}")


def _of_bands(attribute: str, convert: Callable[[str, Any], Any]) -> Callable[[FileOptions, str, Any], None]:
    def apply(result: FileOptions, name: str, value: Any) -> None:
        values = [(band, convert(name, one)) for band, one in _by_band(name, value)]
        setattr(result.overrides, attribute, values)

    return apply


def _colors(result: FileOptions, name: str, value: Any) -> None:
    colors = value.split(",") if isinstance(value, str) else value
    if isinstance(colors, enum.Enum) or not isinstance(colors, Iterable):
        colors = [colors]
    names = (color.name if isinstance(color, enum.Enum) else str(color).strip() for color in colors)
    result.overrides.color_interpretation = [color.replace("grey", "gray") for color in names]


def _metadata(result: FileOptions, name: str, value: Any) -> None:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        expected = f"{name}={value!r}: expected a dict, or strings such as 'KEY=VALUE'"
        if not all(isinstance(one, str) and "=" in one for one in value):
            raise ValueError(expected)
        pairs = [tuple(one.split("=", 1)) for one in value]
    items: list[tuple[str | None, str, str]] = []
    for key, text in pairs:
        if isinstance(text, Mapping):
            items += [(str(key), str(inner), str(one)) for inner, one in text.items()]
            continue
        # The name of a domain such as xml:NAME contains a colon.
        domain, _, key = str(key).rpartition(":")
        items.append((domain or None, key, str(text)))
    result.overrides.items += items


def _wrap_longitude(result: FileOptions, name: str, value: Any) -> None:
    result.pixels.wrap_longitude = None if value is None else _values.finite(name, value)


def _window(result: FileOptions, name: str, value: Any) -> None:
    if hasattr(value, "col_off"):
        # rasterio.windows.Window
        value = (value.col_off, value.row_off, value.width, value.height)
    expected = "column, row, width, height in whole pixels, from 0"
    numbers = _numbers(name, value, (4,), expected)
    if any(number < 0 or not number.is_integer() for number in numbers):
        raise ValueError(f"{name}={value!r}: expected {expected}")
    column, row, width, height = (int(number) for number in numbers)
    result.pixels.window = (column, row, width, height)


def _bbox(result: FileOptions, name: str, value: Any) -> None:
    left, bottom, right, top = _numbers(name, value, (4,), "left, bottom, right, top")
    result.pixels.bbox = (left, bottom, right, top)


def _bands(result: FileOptions, name: str, value: Any) -> None:
    parts = value.split(",") if isinstance(value, str) else value
    if isinstance(parts, (int, np.integer)) or not isinstance(parts, Iterable):
        parts = [parts]
    chosen: list[int | str] = []
    for part in parts:
        text = part.strip() if isinstance(part, str) else part
        is_name = isinstance(text, str) and not text.isdigit()
        chosen.append(text if is_name else _band(name, text))
    result.pixels.bands = chosen


def _expand_palette(result: FileOptions, name: str, value: Any) -> None:
    result.pixels.expand_palette = _values.choice(name, value, {colors: colors for colors in _native.PALETTE_COLORS})


def _unscale(result: FileOptions, name: str, value: Any) -> None:
    result.pixels.unscale = _values.flag(name, value)


def _rescale(result: FileOptions, name: str, value: Any) -> None:
    expected = "minimum and maximum, optionally with the two values that they become; or one such mapping per band"
    is_one = isinstance(value, str) or all(np.ndim(one) == 0 and not isinstance(one, str) for one in value)
    mappings = []
    for one in [value] if is_one else value:
        low, high, *to = _numbers(name, one, (2, 4), expected)
        mappings.append((low, high, (to[0], to[1]) if to else None))
    result.pixels.rescale = mappings


def _dtype(result: FileOptions, name: str, value: Any) -> None:
    # The words of the command, or whatever NumPy takes.
    result.pixels.data_type = value if isinstance(value, str) else np.dtype(value).name


def _size(result: FileOptions, name: str, value: Any) -> None:
    expected = f"{name}={value!r}: expected columns and rows, such as (1024, 768)"
    parts = value.lower().split("x") if isinstance(value, str) else value
    try:
        width, height = (int(_values.integer(name, int(part) if isinstance(part, str) else part, 1, 2**31 - 1)) for part in parts)
    except (TypeError, ValueError):
        raise ValueError(expected) from None
    result.pixels.size = (width, height)


def _size_resampling(result: FileOptions, name: str, value: Any) -> None:
    result.pixels.size_resampling = _values.choice(name, value, {kernel: kernel for kernel in _native.RESAMPLINGS})


def _strip(result: FileOptions, name: str, value: Any) -> None:
    result.overrides.strip_metadata = _values.flag(name, value)


def _quiet(result: FileOptions, name: str, value: Any) -> None:
    result.quiet = _values.flag(name, value)


def _storage(key: str) -> Callable[[FileOptions, str, Any], None]:
    def apply(result: FileOptions, _: str, value: Any) -> None:
        result.storage_options[key] = str(value)

    return apply


def _storage_flag(key: str) -> Callable[[FileOptions, str, Any], None]:
    def apply(result: FileOptions, name: str, value: Any) -> None:
        if _values.flag(name, value):
            result.storage_options[key] = "true"

    return apply


def _store_option(result: FileOptions, name: str, value: Any) -> None:
    for pair in [value] if isinstance(value, str) else value:
        key, equals, text = str(pair).partition("=")
        if not equals:
            raise ValueError(f"{name}: expected strings such as 'timeout=600s'")
        result.storage_options[key] = text


def _json(result: FileOptions, name: str, value: Any) -> None:
    if not _values.flag(name, value):
        raise ValueError(f"option '{name}'={value!r} is not supported: create always returns the summary")


# Values per band, numbers, and text -----------------------------------------------------------------------------------


def _by_band(name: str, value: Any) -> list[tuple[int | None, Any]]:
    """Returns pairs of a band, counted from 0, and its value.

    Accepts one value for all bands, a list with one per band (``None`` leaves a band unchanged), a dict by band counted
    from 1, or strings as in the command, such as ``1=red``.
    """
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, (list, tuple)) and texts and all(isinstance(one, str) for one in texts):
        matches = [re.fullmatch(r"(\d+)=(.*)", one, re.DOTALL) for one in texts]
        if all(matches):
            return [(_band(name, match[1]), match[2]) for match in matches if match is not None]
    if isinstance(value, Mapping):
        return [(_band(name, band), one) for band, one in value.items()]
    if isinstance(value, (list, tuple, np.ndarray)) and np.ndim(np.asarray(value, object)) > 0:
        return [(band, one) for band, one in enumerate(value) if one is not None]
    return [(None, value)]


def _band(name: str, number: Any) -> int:
    try:
        return _values.integer(name, number, 1, 65535) - 1
    except ValueError:
        raise ValueError(f"{name}: band {number!r}: expected a number from 1 to 65535") from None


def _numbers(name: str, value: Any, counts: tuple[int, ...], expected: str) -> tuple[float, ...]:
    """Returns numbers from a sequence, or from text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    try:
        numbers = tuple(_values.finite(name, one) for one in parts)
    except TypeError:
        numbers = ()
    if len(numbers) not in counts:
        raise ValueError(f"{name}={value!r}: expected {expected}")
    return numbers


#: By name: the option of the command, and its handler.
FILE_OPTIONS: dict[str, tuple[str, Callable[[FileOptions, str, Any], None]]] = {
    "image": ("image", _image),
    "nodata": ("nodata", _nodata),
    "mask": ("mask", _mask),
    "header_room": ("header_room", _header_room),
    "wrap_longitude": ("wrap_longitude", _wrap_longitude),
    "window": ("window", _window),
    "bbox": ("bbox", _bbox),
    "bands": ("bands", _bands),
    "expand_palette": ("expand_palette", _expand_palette),
    "unscale": ("unscale", _unscale),
    "rescale": ("rescale", _rescale),
    "dtype": ("dtype", _dtype),
    "size": ("size", _size),
    "size_resampling": ("size_resampling", _size_resampling),
    "nbits": ("nbits", _bits),
    "ignore_aux": ("ignore_aux", _ignore_aux),
    "vrt_root": ("vrt_root", _vrt_root),
    "crs": ("crs", _crs),
    "crs_wkt": ("crs_wkt", _crs_wkt),
    "transform": ("transform", _transform),
    "geotransform": ("transform", _geotransform),
    "bounds": ("bounds", _bounds),
    "gcp": ("gcp", _gcps),
    "gcps": ("gcp", _gcps),
    "pixel_is": ("pixel_is", _pixel_is),
    "pixel_is_point": ("pixel_is", _point),
    "band_description": ("band_description", _description),
    "band_names": ("band_description", _description),
    "descriptions": ("band_description", _description),
    "band_scale": ("band_scale", _of_bands("scale", _values.finite)),
    "band_offset": ("band_offset", _of_bands("offset", _values.finite)),
    "band_unit": ("band_unit", _of_bands("unit", lambda _, value: str(value))),
    "color_interpretation": ("color_interpretation", _colors),
    "colorinterp": ("color_interpretation", _colors),
    "metadata": ("metadata", _metadata),
    "tags": ("metadata", _metadata),
    "strip_metadata": ("strip_metadata", _strip),
    "aws_profile": ("aws_profile", _storage("profile")),
    "region": ("region", _storage("region")),
    "endpoint": ("endpoint", _storage("endpoint")),
    "no_sign_request": ("no_sign_request", _storage_flag("skip_signature")),
    "store_option": ("store_option", _store_option),
    "contiguous_parts": ("contiguous_parts", _storage_flag("contiguous_parts")),
    "quiet": ("quiet", _quiet),
    "json": ("json", _json),
}
