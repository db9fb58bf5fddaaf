"""The position of an array: from its coordinates, or else from what is stored with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _axes, _dims, _grid_mapping, _native, _transform, _units
from ._axes import Axis, UnevenAxis
from ._crs import satellite_height
from ._grid_mapping import Stored
from ._transform import Affine, Gcp


@dataclass
class Position:
    """Reads the position of a raster from its coordinates, or else from what is stored with it."""

    raster: Any
    dims: tuple[str, str] | None
    #: The coordinates of rows and columns.
    axes: tuple[Any, ...]
    stored: Stored
    crs: str | None

    def read(self) -> tuple[Affine | None, list[Gcp]]:
        """Returns the transform, or ground control points."""
        down, across = self.axes
        if any(axis is not None and axis.size == 0 for axis in self.axes):
            return None, []
        if down is None or across is None:
            return self._without_axes()
        crs_unit = None if self.crs is None else _native.crs_unit(self.crs)
        if self._has_pixel_positions():
            return self._of_pixels()
        x, y = self._axis(across, crs_unit, 0), self._axis(down, crs_unit, 4)
        transform = self.stored.transform
        if transform is not None and _transform.is_axis_aligned(transform):
            a, _, c, _, e, f = transform
            # The stored numbers have no rounding errors.
            if x.is_same(c, a) and y.is_same(f, e):
                return transform, []
        return (x.step, 0.0, x.edge, 0.0, y.step, y.edge), []

    def _has_pixel_positions(self) -> bool:
        """Returns whether coordinates count pixels of the stored transform or of the ground control points."""
        units = [_units_or_none(axis) for axis in self.axes]
        if any(_grid_mapping.pixel_transform(axis) is not None for axis in self.axes):
            return True
        if any(unit is not None for unit in units):
            return any(unit is not None and unit.kind == "pixel" for unit in units)
        transform = self.stored.transform
        return bool(self.stored.gcps) or (transform is not None and not _transform.is_axis_aligned(transform))

    def _of_pixels(self) -> tuple[Affine | None, list[Gcp]]:
        down, across = self.axes
        outer = _grid_mapping.pixel_transform(across) or _grid_mapping.pixel_transform(down) or self.stored.transform
        if not self.stored.gcps and outer is None:
            return None, []
        if not self.stored.gcps and outer is not None and outer[0] == outer[4] == 0:
            # Rotated by 90 degrees: rioxarray gives such grids coordinates that are all the same.
            if all(len(np.unique(axis.values)) == 1 for axis in self.axes):
                return outer, []
        x, y = (_axes.read(str(axis.name), axis.values, 1.0) for axis in (across, down))
        if self.stored.gcps:
            points = self.stored.gcps
            return None, [((p[0] - x.edge) / x.step, (p[1] - y.edge) / y.step, *p[2:]) for p in points]
        if x.is_same(0, 1) and y.is_same(0, 1):
            return outer, []
        assert outer is not None
        return _transform.compose(outer, (x.step, 0.0, x.edge, 0.0, y.step, y.edge)), []

    def _axis(self, coordinate: Any, crs_unit: tuple[str, float] | None, place: int) -> Axis:
        """Returns the axis in the unit of the CRS; ``place`` is the index of its step in the stored transform."""
        name = str(coordinate.name)
        factor = _factor(coordinate, crs_unit, self.crs)
        transform = self.stored.transform
        # odc-geo also keeps the size with the coordinates.
        size = _number(coordinate.attrs.get("resolution"))
        if transform is not None and _transform.is_axis_aligned(transform):
            size = transform[place] / factor
        degrees = crs_unit is None or crs_unit[0] == "angle"
        return _axes.read(name, coordinate.values, size, degrees).scaled(factor)

    def _without_axes(self) -> tuple[Affine | None, list[Gcp]]:
        """Returns the position without coordinates of both axes: as stored, or from two-dimensional coordinates."""
        if self.stored.gcps:
            return None, self.stored.gcps
        plane = self._of_plane()
        transform = self.stored.transform
        if plane is not None:
            if transform is not None and _transform.is_same(plane, transform, *self._size()):
                return transform, []
            return plane, []
        down, across = self.axes
        if transform is None and self.dims is not None and (down is None) != (across is None) and self.crs is not None:
            raise UnevenAxis(
                f"the axis '{self.dims[0] if down is None else self.dims[1]}' has no numeric coordinates, "
                "but the other axis has; assign them, or pass transform= or gcps="
            )
        if transform is None or not _transform.is_axis_aligned(transform):
            return transform, []
        # One of the two may still have coordinates.
        a, b, c, d, e, f = transform
        crs_unit = None if self.crs is None else _native.crs_unit(self.crs)
        if across is not None and not (x := self._axis(across, crs_unit, 0)).is_same(c, a):
            a, c = x.step, x.edge
        if down is not None and not (y := self._axis(down, crs_unit, 4)).is_same(f, e):
            e, f = y.step, y.edge
        return (a, b, c, d, e, f), []

    def _size(self) -> tuple[int, int]:
        """Returns width and height."""
        assert self.dims is not None
        return self.raster.sizes[self.dims[1]], self.raster.sizes[self.dims[0]]

    def _of_plane(self) -> Affine | None:
        """Returns the transform of two-dimensional coordinates, such as rioxarray's for rotated grids."""
        found: dict[str, Any] = {"x": None, "y": None}
        if self.dims is None or any(axis is not None for axis in self.axes):
            return None
        for coordinate in self.raster.coords.values():
            if coordinate.ndim == 2 and set(coordinate.dims) == set(self.dims) and coordinate.dtype.kind in "iuf":
                role = _dims.role(coordinate) or _role_by_name(str(coordinate.name))
                # Coordinates of the map take precedence over longitudes and latitudes next to them.
                if role is not None and (found[role] is None or str(coordinate.name).lower() in ("xc", "yc", "x", "y")):
                    found[role] = coordinate
        x, y = found["x"], found["y"]
        if x is None or y is None or 0 in x.shape:
            return None
        crs_unit = None if self.crs is None else _native.crs_unit(self.crs)
        factors = [1.0, 1.0]
        plane = None
        # Longitudes and latitudes of the pixels of a map are not coordinates in its CRS.
        is_beside = crs_unit is not None and crs_unit[0] == "length" and "lon" in str(x.name).lower()
        if not is_beside:
            try:
                factors = [_factor(coordinate, crs_unit, self.crs) for coordinate in (x, y)]
                plane = _axes.read_plane(*(_Rows(coordinate.transpose(*self.dims)) for coordinate in (x, y)))
            except ValueError:
                plane = None
        if plane is None:
            if self.stored.transform is not None:
                return None
            raise UnevenAxis(
                f"the coordinates '{y.name}' and '{x.name}' are two-dimensional and do not form an even grid; resample "
                "to an even grid, or pass transform= or gcps="
            )
        a, b, c, d, e, f = plane
        return a * factors[0], b * factors[0], c * factors[0], d * factors[1], e * factors[1], f * factors[1]


class _Rows:
    """A two-dimensional coordinate, read a few rows at a time."""

    def __init__(self, coordinate: Any) -> None:
        self._coordinate = coordinate
        self.shape = coordinate.shape

    def __getitem__(self, rows: slice) -> Any:
        return self._coordinate[rows].values


def _role_by_name(name: str) -> str | None:
    name = name.lower()
    if name in ("x", "xc", "easting") or "lon" in name:
        return "x"
    return "y" if name in ("y", "yc", "northing") or "lat" in name else None


def _units_or_none(coordinate: Any) -> _units.Unit | None:
    try:
        return _units.parse(coordinate.attrs.get("units"))
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _factor(coordinate: Any, crs_unit: tuple[str, float] | None, crs: str | None) -> float:
    """Returns the factor that converts coordinates to the unit of the CRS."""
    text = coordinate.attrs.get("units")
    if crs is None or crs_unit is None:
        return 1.0
    hint = f"correct .{coordinate.name}.attrs['units'], convert the coordinates, or pass transform="
    try:
        unit = _units.parse(text)
    except ValueError as error:
        raise ValueError(f"the coordinates of '{coordinate.name}' have units={text!r}: {error}; {hint}") from None
    factor = _units.factor(unit, crs_unit, satellite_height(crs))
    if factor is None:
        kind = "lengths" if crs_unit[0] == "length" else "angles"
        raise ValueError(
            f"the coordinates of '{coordinate.name}' have units={text!r}, but the CRS uses {kind}; {hint}"
        )
    return factor
