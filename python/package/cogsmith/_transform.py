"""Affine transforms, geotransforms, and ground control points as plain numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

#: a, b, c, d, e, f: x = a * column + b * row + c, y = d * column + e * row + f.
Affine = tuple[float, float, float, float, float, float]
#: Column, row, x, y, z.
Gcp = tuple[float, float, float, float, float]

#: Pixels with a larger aspect ratio, or a smaller angle between their sides (as a sine), are not what anyone means.
_MAX_ASPECT = 100.0
_MIN_SINE = 0.1


def affine(transform: Any) -> Affine:
    """Returns the six numbers of an ``affine.Affine``, or of a sequence in the same order: a, b, c, d, e, f.

    Raises ValueError for six plain numbers that only make sense in GDAL's order.
    """
    values = _numbers("transform", transform, "a, b, c, d, e, f")
    if len(values) == 9 and values[6:] == [0.0, 0.0, 1.0]:
        a, b, c, d, e, f = values[:6]
        is_plain = False
    elif len(values) == 6:
        a, b, c, d, e, f = values
        is_plain = not hasattr(transform, "to_gdal")
    else:
        raise ValueError(f"transform={transform!r}: expected six numbers a, b, c, d, e, f")
    read = (a, b, c, d, e, f)
    other = _of_gdal(read)
    if is_plain and _is_other_order(read, other):
        raise ValueError(
            f"transform={_show(values)} is in GDAL's order: as a, b, c, d, e, f it means {_describe(read)}, as a "
            f"geotransform {_describe(other)}; pass it as geotransform=, or transform={_show(other)}"
        )
    _check(f"transform={transform!r}", read)
    return read


def geotransform(transform: Any) -> Affine:
    """Returns a, b, c, d, e, f from six numbers in GDAL's order: c, a, b, f, d, e.

    Raises ValueError for numbers that only make sense in the order of ``affine.Affine``.
    """
    if hasattr(transform, "to_gdal"):
        raise TypeError(f"geotransform={transform!r} is an Affine; pass it as transform=")
    values = _numbers("geotransform", transform, "c, a, b, f, d, e, as of GDAL's GetGeoTransform")
    if len(values) != 6:
        raise ValueError(f"geotransform={transform!r}: expected six numbers c, a, b, f, d, e")
    c, a, b, f, d, e = values
    read = (a, b, c, d, e, f)
    other = (values[0], values[1], values[2], values[3], values[4], values[5])
    if _is_other_order(read, other):
        raise ValueError(
            f"geotransform={_show(values)} is in the order of affine.Affine: in GDAL's order it means "
            f"{_describe(read)}, as a, b, c, d, e, f {_describe(other)}; pass it as transform="
        )
    _check(f"geotransform={transform!r}", read)
    return read


def _numbers(name: str, transform: Any, order: str) -> list[float]:
    try:
        values = [float(value) for value in transform]
    except (TypeError, ValueError):
        raise TypeError(f"{name}={transform!r}: expected six numbers {order}") from None
    if not all(map(math.isfinite, values)):
        raise ValueError(f"{name}={transform!r} contains numbers that are not finite")
    return values


def _check(said: str, transform: Affine) -> None:
    a, b, _, d, e, _ = transform
    if a * e == b * d:
        raise ValueError(f"{said} places all pixels on a line; a and e are the pixel size")


def _of_gdal(values: Affine) -> Affine:
    c, a, b, f, d, e = values
    return a, b, c, d, e, f


def _is_other_order(read: Affine, other: Affine) -> bool:
    """Returns whether the numbers make no sense as read, but do in the other order."""
    if is_axis_aligned(read) and read[0] != 0 and read[4] != 0:
        return False
    if not _is_sound(other) and not (is_axis_aligned(other) and other[0] != 0 and other[4] != 0):
        return False
    # A pixel that is sheared, not just rotated, is as unlikely as a stretched one.
    return not _is_sound(read) or (is_axis_aligned(other) and not _is_rectangular(read))


def _sides(transform: Affine) -> tuple[float, float, float, float]:
    """Returns the sides of a pixel, and the sine and cosine of the angle between them."""
    a, b, _, d, e, _ = transform
    across, down = math.hypot(a, d), math.hypot(b, e)
    if across == 0 or down == 0:
        return across, down, 0.0, 1.0
    return across, down, abs(a * e - b * d) / (across * down), (a * b + d * e) / (across * down)


def _is_sound(transform: Affine) -> bool:
    across, down, sine, _ = _sides(transform)
    return sine >= _MIN_SINE and 1 / _MAX_ASPECT <= across / down <= _MAX_ASPECT


def _is_rectangular(transform: Affine) -> bool:
    return abs(_sides(transform)[3]) < 1e-6


def _describe(transform: Affine) -> str:
    a, b, c, d, e, f = transform
    if is_axis_aligned(transform):
        return f"pixels of {a:g} x {e:g} from ({c:g}, {f:g})"
    return f"pixels with sides ({a:g}, {d:g}) and ({b:g}, {e:g}) from ({c:g}, {f:g})"


def _show(values: Iterable[float]) -> str:
    return f"({', '.join(f'{value:.15g}' for value in values)})"


def is_axis_aligned(transform: Affine) -> bool:
    """Returns whether rows and columns run along the axes of the CRS."""
    return transform[1] == 0 and transform[3] == 0


def is_same(one: Affine, other: Affine, width: int, height: int) -> bool:
    """Returns whether two transforms place an image of this size equally, up to a thousandth of a pixel."""
    tolerance = 1e-3 * max(abs(one[place]) for place in (0, 1, 3, 4))
    corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1)])
    return bool(np.abs(np.subtract(one, other).reshape(2, 3) @ corners.T).max() <= tolerance)


def compose(outer: Affine, inner: Affine) -> Affine:
    """Returns the transform that applies ``inner``, then ``outer``."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f


def gcps(points: Iterable[Any]) -> list[Gcp]:
    """Returns ground control points, from rasterio's objects or (column, row, x, y[, z])."""
    result = []
    for point in points:
        if hasattr(point, "row"):
            z = getattr(point, "z", None)
            values = [point.col, point.row, point.x, point.y, 0.0 if z is None else z]
        else:
            values = [*point, 0.0][:5] if len(point) == 4 else [*point]
        if len(values) != 5:
            raise ValueError(f"{point!r} is not a ground control point; pass column, row, x, y, and optionally z")
        column, row, x, y, z = (float(value) for value in values)
        result.append((column, row, x, y, z))
    return result
