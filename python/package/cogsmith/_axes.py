"""Axes of pixel centers: the test for even spacing, and the line they lie on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ._transform import Affine

#: Maximum distance of a coordinate from the line, in pixels.
_TOLERANCE = 1e-3
#: Distance, in pixels, within which two lines are the same.
_SAME = 1e-5
#: Largest denominator of a step of 1/n degree: a hundredth of an arc second.
_MAX_DENOMINATOR = 360_000
#: A decimal counts as intended if it is this close, in units of its last digit; others only start with the same digits.
_COINCIDENCE = 0.01
#: Number of two-dimensional coordinates that are checked at a time.
_BLOCK = 1 << 20


class UnevenAxis(ValueError):
    """Coordinates that do not fit an affine transform."""


@dataclass(frozen=True)
class Axis:
    """Evenly spaced pixels: the outer edge of the first pixel, and the distance from one to the next."""

    edge: float
    step: float
    #: Number of pixels.
    count: int = 1
    #: Maximum distance by which rounding may have moved a coordinate.
    rounding: float = 0.0

    def scaled(self, factor: float) -> Axis:
        """Returns the axis in another unit."""
        if factor == 1:
            return self
        return Axis(self.edge * factor, self.step * factor, self.count, abs(self.rounding * factor))

    def is_same(self, edge: float, step: float) -> bool:
        """Returns whether an axis with this edge and step has the same pixels, up to rounding."""
        tolerance = max(_SAME * abs(self.step), self.rounding)
        ends = (0.5, self.count - 0.5)
        return all(abs(self.edge + self.step * at - edge - step * at) <= tolerance for at in ends)


def read(name: str, centers: Any, size: float | None = None, degrees: bool = False) -> Axis:
    """Returns the line through the first and the last pixel center of an axis.

    Parameters
    ----------
    name : str
        Name of the axis, for errors.
    centers : array_like
        One-dimensional coordinates of the pixel centers. NaN at the ends, which padding leaves, is extrapolated.
    size : float, optional
        Distance from one pixel to the next, for axes of a single pixel.
    degrees : bool
        Whether a step may be 1/n.

    Raises
    ------
    UnevenAxis
        If a coordinate is farther from the line than both 0.001 pixels and two units in the last place.
    """
    raw = np.asarray(centers)
    values = raw.astype(np.float64)
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) == 0:
        raise UnevenAxis(f"the coordinates of '{name}' are not finite numbers; {_remedies(name)}")
    lead, count = int(finite[0]), int(finite[-1] - finite[0] + 1)
    middle = values[lead : lead + count]
    if len(finite) != count:
        gap = lead + int(np.flatnonzero(~np.isfinite(middle))[0])
        raise UnevenAxis(f"the coordinate of '{name}' at index {gap} is {values[gap]:g}; {_remedies(name)}")
    if count == 1:
        if not size:
            raise UnevenAxis(
                f"the axis '{name}' has only one coordinate, {middle[0]:.15g}, so its pixel size is unknown; pass "
                "transform="
            )
        return Axis(float(middle[0]) - size / 2 - lead * size, size, len(values))
    step = float(middle[-1] - middle[0]) / (count - 1)
    rounding = 2 * _spacing(middle, raw.dtype)
    distances = np.abs(middle - (middle[0] + step * np.arange(count)))
    double = 2 * _spacing(middle, np.dtype(np.float64))
    if count > 2 and float(distances.max()) <= 2 * double:
        # Numbers that the type holds exactly.
        rounding = double
    elif raw.dtype == np.float64 and float(distances.max()) > rounding and _is_single(middle):
        # Widened single precision keeps its old rounding; other numbers may look like that by chance.
        rounding = min(2 * _spacing(middle, np.dtype(np.float32)), 10 * _TOLERANCE * abs(step))
    tolerance = max(_TOLERANCE * abs(step), rounding)
    if step == 0 or float(distances.max()) > tolerance:
        raise UnevenAxis(_describe(name, middle, lead, distances, tolerance))
    edge, step = _simplified(float(middle[0]), float(middle[-1]), step, count, rounding, degrees)
    return Axis(edge - lead * step, step, len(values), rounding)


def _spacing(values: Any, dtype: np.dtype[Any]) -> float:
    """Returns one unit in the last place of a type, at the largest magnitude of the values."""
    largest = np.abs(values).max()
    return float(np.spacing(largest.astype(dtype if dtype.kind == "f" else np.float64)))


def _is_single(values: Any) -> bool:
    return bool((values.astype(np.float32).astype(np.float64) == values).all())


def _simplified(
    first: float, last: float, step: float, count: int, rounding: float, degrees: bool
) -> tuple[float, float]:
    """Returns edge and step without the rounding of the coordinates: the step is a short decimal or 1/n.

    No coordinate moves by more than its rounding, or a millionth of a pixel.
    """
    slack = max(rounding, 1e-6 * abs(step))
    middle = (first + last) / 2
    for short, unit in _candidates(step, degrees):
        error = abs(float(short) - step)
        allowed = min(max(_COINCIDENCE * unit, rounding / (count - 1)), _TOLERANCE * abs(step))
        if error * (count - 1) <= slack and error <= allowed:
            break
    else:
        return first - step / 2, step
    simple = float(short)
    edge = middle - simple * count / 2
    # An edge is usually a multiple of half a step, or a short decimal too.
    if slack < abs(step) / 8:
        half = short / 2
        for exact, unit in ((half * round(Fraction(edge) / half), abs(step)), *_decimals(edge, range(1, 13))):
            near = float(exact) + simple / 2
            error = max(abs(near - first), abs(near + simple * (count - 1) - last))
            if error <= slack and error <= max(_COINCIDENCE * unit, rounding):
                return float(exact), simple
    return edge, simple


def _candidates(step: float, degrees: bool) -> Iterator[tuple[Fraction, float]]:
    """Yields simple numbers near a step, and the distance to their neighbors."""
    yield from _decimals(step, range(1, 4))
    if degrees and 1 / _MAX_DENOMINATOR <= abs(step) < 1:
        yield Fraction(1 if step > 0 else -1, round(1 / abs(step))), step * step
    yield from _decimals(step, range(4, 8))


def _decimals(value: float, digits: range) -> Iterator[tuple[Fraction, float]]:
    """Yields decimals near a number, from few digits to many, and the unit of their last digit."""
    exponent = math.floor(math.log10(abs(value))) if value else 0
    for count in digits:
        yield Fraction(f"{value:.{count - 1}e}"), 10.0 ** (exponent - count + 1)


def _describe(name: str, values: Any, lead: int, distances: Any, tolerance: float) -> str:
    """Returns the error for an uneven axis, with the first place where the step changes."""
    steps = np.diff(values)
    changes = np.flatnonzero(np.abs(steps - steps[0]) > tolerance)
    if len(changes):
        at = int(changes[0])
        before = f"not {steps[at - 1]:.9g} as before"
    elif steps[0] == 0:
        at, before = 0, "so all pixels coincide"
    else:
        # Steps that change so slowly that none differs much from the first.
        at = max(0, int(np.flatnonzero(distances > tolerance)[0]) - 1)
        before = f"not {(values[-1] - values[0]) / (len(values) - 1):.9g} as on average"
    kind = "not sorted" if (steps > 0).any() and (steps < 0).any() else "not evenly spaced"
    return (
        f"the coordinates of '{name}' are {kind}: the step from index {lead + at} to {lead + at + 1} "
        f"({values[at]:.9g} to {values[at + 1]:.9g}) is {steps[at]:.9g}, {before}; "
        f"{_remedies(name, _is_even_when_sorted(values))}"
    )


def _is_even_when_sorted(values: Any) -> bool:
    steps = np.diff(np.sort(values))
    return bool(steps[0] > 0 and np.abs(steps - steps.mean()).max() <= 1e-2 * steps.mean())


def _remedies(name: str, sorting: bool = False) -> str:
    if sorting:
        return f"sort them with .sortby('{name}'), or pass transform= or gcps="
    return (
        f"sort them with .sortby('{name}') if they are out of order, resample to an even grid, for example with "
        f".interp({name}=...), or pass transform= or gcps="
    )


def read_plane(x: Any, y: Any) -> Affine | None:
    """Returns the affine transform of two-dimensional coordinates; ``None`` if they do not fit one.

    Parameters
    ----------
    x, y
        Coordinates of the pixel centers, (row, column), sliced by rows; at least two of each.
    """
    rows, columns = x.shape
    if rows < 2 or columns < 2:
        return None
    (x0, x1, x2), (y0, y1, y2) = (_corners(centers) for centers in (x, y))
    a, b = (x1 - x0) / (columns - 1), (x2 - x0) / (rows - 1)
    d, e = (y1 - y0) / (columns - 1), (y2 - y0) / (rows - 1)
    if not all(map(math.isfinite, (a, b, d, e))) or a * e == b * d:
        return None
    size = min(math.hypot(a, d), math.hypot(b, e))
    step = max(1, _BLOCK // columns)
    for centers, origin, across, down in ((x, x0, a, b), (y, y0, d, e)):
        for first in range(0, rows, step):
            block = np.asarray(centers[first : first + step])
            values = block.astype(np.float64)
            index = np.arange(first, first + len(values))[:, None]
            distances = np.abs(values - (origin + across * np.arange(columns) + down * index))
            tolerance = max(_TOLERANCE * size, 2 * _spacing(values, block.dtype))
            if not float(distances.max()) <= tolerance:
                return None
    return a, b, x0 - (a + b) / 2, d, e, y0 - (d + e) / 2


def _corners(centers: Any) -> list[float]:
    """Returns the upper left, upper right, and lower left of two-dimensional coordinates."""
    top, bottom = (np.asarray(centers[rows], dtype=np.float64)[0] for rows in (slice(0, 1), slice(-1, None)))
    return [float(top[0]), float(top[-1]), float(bottom[0])]
