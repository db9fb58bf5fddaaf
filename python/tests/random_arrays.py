"""Random arrays drawn by hypothesis, with the expected content of their files in fractions and NumPy.

Each array is built twice: with xarray, step by step as its users do, and here with plain lists of exact coordinates and
a NumPy array (bands, rows, columns). Nothing of the package is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st
from left_by_libraries import array as recorded

#: For each CRS, an array of the records that has it, and realistic pixel sizes and origins.
GRIDS: dict[int, tuple[str, list[Fraction], list[tuple[Fraction, Fraction]]]] = {
    32633: (
        "rio_squeezed",
        [Fraction(10), Fraction(30), Fraction(1, 2), Fraction(25000)],
        [(Fraction(399960), Fraction(5000040)), (Fraction(500000), Fraction(0)), (Fraction(-30), Fraction(-6000))],
    ),
    4326: (
        "rio_lonlat",
        [Fraction(1, 10), Fraction(1, 3), Fraction(1, 100), Fraction(1, 4), Fraction(1, 120)],
        [(Fraction(-180), Fraction(90)), (Fraction(10), Fraction(50)), (Fraction(0), Fraction(-1, 3))],
    ),
}
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
COLORS = ("red", "green", "blue", "nir")
NOT_COLORS = ("a5", "scl", "b01", "quality")
ATTRIBUTES: dict[str, Any] = {
    "title": "A & B",
    "mission": '<c> "d"',
    "number": 12,
    "ratio": 0.25,
    "level": np.int16(-3),
    "accents": "Zürich",
}
PLACES_OF_NODATA = ("nodata", "_FillValue", "missing_value", "nodatavals", "fill_value")


@dataclass
class Axis:
    """Exact coordinates of pixel centers along an axis, and the pixel size of the stored transform."""

    centers: list[Fraction]
    stored: Fraction

    def line(self) -> tuple[Fraction, Fraction]:
        """Returns the pixel size and the edge of the first pixel."""
        count = len(self.centers)
        step = self.stored if count == 1 else (self.centers[-1] - self.centers[0]) / (count - 1)
        return step, self.centers[0] - step / 2


@dataclass
class Expected:
    """The expected content of a file."""

    pixels: np.ndarray
    transform: tuple[float, ...] | None
    #: The maximum error of a corner, in units of the CRS.
    tolerance: float
    crs: int | None
    nodata: Any
    names: tuple[str | None, ...]
    colors: tuple[str, ...]
    tags: dict[str, str]
    point: bool
    scale: float
    offset: float
    unit: str | None
    refused: bool = False
    gcps: list[tuple[float, float]] | None = None
    mask: np.ndarray | None = None


@dataclass
class Sample:
    """An array to write, the way to write it, and the expected result."""

    array: Any
    way: str
    options: dict[str, Any]
    expected: Expected
    story: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"{self.way}({', '.join(self.story)}, {self.options})"


@st.composite
def samples(draw: Any) -> Sample:
    """An array on a grid, after some common operations."""
    kind = draw(st.sampled_from(["grid"] * 6 + ["rotated", "gcps"]))
    crs = 32633 if kind == "rotated" else 4326 if kind == "gcps" else draw(st.sampled_from(sorted(GRIDS)))
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    rows, columns = draw(st.integers(2, 40)), draw(st.integers(2, 40))
    third = draw(st.sampled_from([None, "band", "time"]))
    count = draw(st.integers(1, 4)) if third else 1
    pixels = _pixels(draw, (count, rows, columns), dtype)
    story = [f"{kind} {crs} {dtype} {third} {pixels.shape}"]
    step, down, x, y = _grid(draw, kind, crs)
    across_axis = Axis([x + step * (Fraction(n) + Fraction(1, 2)) for n in range(columns)], step)
    down_axis = Axis([y + down * (Fraction(n) + Fraction(1, 2)) for n in range(rows)], down)
    single = kind != "grid" or (draw(st.integers(0, 4)) == 0 and crs == 4326)
    names = _names(draw, third, count)
    stored = kind != "grid" or draw(st.booleans())
    array = xr.DataArray(
        pixels if third else pixels[0],
        dims=(third, "y", "x") if third else ("y", "x"),
        coords={
            "y": _coordinate("y", down_axis, single, kind),
            "x": _coordinate("x", across_axis, single, kind),
            **({third: (third, names)} if names is not None else {}),
        },
    )
    fill = dtype.type(3)
    for operation in draw(st.lists(st.sampled_from(OPERATIONS), max_size=4)):
        array, pixels = operation(draw, array, pixels, down_axis, across_axis, fill, story)
    refused = False
    if not stored and min(len(down_axis.centers), len(across_axis.centers)) < 2:
        stored = True
    if kind == "grid" and draw(st.integers(0, 11)) == 0 and len(across_axis.centers) > 3:
        keep = [n for n in range(len(across_axis.centers)) if n != 1]
        array, pixels, refused = array.isel(x=keep), pixels[..., keep], True
        story.append("a column left out")
    if kind == "grid" and third is None and not refused and draw(st.integers(0, 7)) == 0:
        return _masked(draw, pixels, crs, _place(kind, across_axis, down_axis, False, (step, down, x, y)), story)
    array, source = _with_crs(draw, array, kind, crs, stored, (step, down, x, y), story)
    way = draw(st.sampled_from(["write", "write_cog", "to_cog", "write Dataset", "write list", ".write"]))
    options: dict[str, Any] = {}
    if source == "option":
        options["crs"] = draw(st.sampled_from([crs, f"EPSG:{crs}"]))
    if source == "none" and "cog" in way:
        way = "write"
    expected = Expected(
        pixels=pixels,
        crs=None if source == "none" else crs,
        nodata=None,
        names=(None,) * len(pixels),
        colors=(),
        tags={},
        point=False,
        scale=1.0,
        offset=0.0,
        unit=None,
        refused=refused,
        **_place(kind, across_axis, down_axis, single, (step, down, x, y)),
    )
    array = _with_nodata(draw, array, dtype, way, options, expected, story)
    array = _with_attributes(draw, array, expected)
    array = _with_names(draw, array, third, names, way, expected, story)
    expected.colors = _colors(expected, array.dtype, array.name, third, names, way)
    order = draw(st.permutations(array.dims))
    array = array.transpose(*order)
    story.append("".join(f" {dim}:{array.sizes[dim]}" for dim in array.dims))
    if draw(st.integers(0, 3)) == 0:
        array = array.chunk({dim: draw(st.integers(1, size + 3)) for dim, size in array.sizes.items()})
        story.append("Dask")
    return Sample(array, way, options, expected, story)


def _masked(draw: Any, pixels: np.ndarray, crs: int, place: dict[str, Any], story: list[str]) -> Sample:
    """A NumPy or Dask masked array, whose mask becomes that of the file."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    invalid = generator.random(pixels.shape[1:]) < draw(st.sampled_from([0.0, 0.2, 1.0]))
    array: Any = np.ma.masked_array(pixels[0], invalid)
    options = {"crs": crs, "transform": place["transform"]}
    way = draw(st.sampled_from(["write", "write_cog"]))
    story.append("masked")
    if draw(st.booleans()):
        import dask.array

        array = dask.array.from_array(array, chunks=draw(st.integers(1, 20)))
        story.append("Dask")
    nodata = float("nan") if way == "write_cog" and pixels.dtype.kind == "f" else None
    expected = Expected(
        pixels=pixels,
        crs=crs,
        nodata=nodata,
        names=(None,),
        colors=("gray",),
        tags={},
        point=False,
        scale=1.0,
        offset=0.0,
        unit=None,
        mask=~invalid,
        **place,
    )
    return Sample(array, way, options, expected, story)


def _pixels(draw: Any, shape: tuple[int, int, int], dtype: np.dtype) -> np.ndarray:
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if dtype.kind == "f":
        return generator.normal(0, 1000, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def _grid(draw: Any, kind: str, crs: int) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Signed pixel width and height, and the first corner; in pixels if coordinates count pixels."""
    if kind != "grid":
        return Fraction(1), Fraction(1), Fraction(0), Fraction(0)
    _, sizes, origins = GRIDS[crs]
    size, (x, y) = draw(st.sampled_from(sizes)), draw(st.sampled_from(origins))
    square = draw(st.sampled_from([Fraction(1), Fraction(2)]))
    return size * draw(st.sampled_from([1, 1, 1, -1])), size * square * draw(st.sampled_from([-1, -1, 1])), x, y


def _coordinate(dim: str, axis: Axis, single: bool, kind: str) -> Any:
    values = np.array([float(center) for center in axis.centers], "f4" if single else "f8")
    return dim, values, {"units": "pixel"} if kind != "grid" else {}


def _names(draw: Any, third: str | None, count: int) -> Any:
    if third == "time":
        days = draw(st.lists(st.integers(0, 5000), min_size=count, max_size=count, unique=True))
        return np.datetime64("2015-01-01", "ns") + np.array(sorted(days)).astype("m8[D]")
    if third == "band":
        return draw(
            st.sampled_from(
                [None, [*range(1, count + 1)], list(NOT_COLORS[:count]), draw(st.permutations(COLORS))[:count]]
            )
        )
    return None


# Operations on arrays -------------------------------------------------------------------------------------------------


def _axes(draw: Any, down: Axis, across: Axis) -> tuple[str, int, Axis]:
    return draw(st.sampled_from([("y", 1, down), ("x", 2, across)]))


def _taken(pixels: np.ndarray, place: int, key: slice) -> np.ndarray:
    return pixels[(slice(None),) * place + (key,)]


def cut(draw: Any, array: Any, pixels: Any, down: Axis, across: Axis, fill: Any, story: list[str]) -> Any:
    dim, place, axis = _axes(draw, down, across)
    first = draw(st.integers(0, len(axis.centers) - 1))
    last = draw(st.integers(first + 1, len(axis.centers)))
    key = slice(first, last, draw(st.integers(1, 4)))
    axis.centers = axis.centers[key]
    story.append(f"{dim}[{first}:{last}:{key.step}]")
    return array.isel({dim: key}), _taken(pixels, place, key)


def flip(draw: Any, array: Any, pixels: Any, down: Axis, across: Axis, fill: Any, story: list[str]) -> Any:
    dim, place, axis = _axes(draw, down, across)
    axis.centers = axis.centers[::-1]
    # A single pixel has only the direction of the stored transform.
    story.append(f"{dim}[::-1]")
    return array.isel({dim: slice(None, None, -1)}), _taken(pixels, place, slice(None, None, -1))


def sort(draw: Any, array: Any, pixels: Any, down: Axis, across: Axis, fill: Any, story: list[str]) -> Any:
    dim, place, axis = _axes(draw, down, across)
    story.append(f"sortby {dim}")
    if axis.centers != sorted(axis.centers):
        axis.centers = sorted(axis.centers)
        pixels = _taken(pixels, place, slice(None, None, -1))
    return array.sortby(dim), pixels


def coarsen(draw: Any, array: Any, pixels: Any, down: Axis, across: Axis, fill: Any, story: list[str]) -> Any:
    dim, place, axis = _axes(draw, down, across)
    by = draw(st.integers(2, 3))
    count = len(axis.centers) // by
    if count < 2:
        return array, pixels
    axis.centers = [sum(axis.centers[n * by : n * by + by], Fraction(0)) / by for n in range(count)]
    pixels = np.maximum.reduceat(_taken(pixels, place, slice(0, count * by)), np.arange(0, count * by, by), axis=place)
    story.append(f"coarsen {dim} by {by}")
    return array.coarsen({dim: by}, boundary="trim").max(), pixels


def pad(draw: Any, array: Any, pixels: Any, down: Axis, across: Axis, fill: Any, story: list[str]) -> Any:
    dim, place, axis = _axes(draw, down, across)
    if len(axis.centers) < 2:
        return array, pixels
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    step = axis.centers[1] - axis.centers[0]
    axis.centers = [axis.centers[0] + step * n for n in range(-before, len(axis.centers) + after)]
    values = np.array([float(center) for center in axis.centers], array[dim].dtype)
    widths = [(0, 0)] * place + [(before, after)] + [(0, 0)] * (2 - place)
    story.append(f"pad {dim} {before}, {after}")
    attributes = dict(array[dim].attrs)
    padded = array.pad({dim: (before, after)}, constant_values=fill).assign_coords({dim: (dim, values, attributes)})
    return padded, np.pad(pixels, widths, constant_values=fill)


OPERATIONS = [cut, cut, flip, sort, coarsen, pad]


# Properties of arrays -------------------------------------------------------------------------------------------------

ROTATION = (8.0, -3.0, 399960.0, 4.0, -9.0, 5000040.0)
POINTS = [(0, 0, 10.0, 50.0), (32, 0, 11.0, 50.1), (0, 24, 10.1, 49.0), (32, 24, 11.1, 49.1)]


def _place(kind: str, across: Axis, down: Axis, single: bool, grid: Any) -> dict[str, Any]:
    (a, c), (e, f) = across.line(), down.line()
    if kind == "rotated":
        sa, sb, sc, sd, se, sf = map(Fraction, ROTATION)
        exact = (sa * a, sb * e, sa * c + sb * f + sc, sd * a, se * e, sd * c + se * f + sf)
        return {"transform": tuple(map(float, exact)), "tolerance": 1e-6}
    if kind == "gcps":
        points = [(float((column - c) / a), float((row - f) / e)) for column, row, _, _ in POINTS]
        return {"transform": None, "tolerance": 1e-6, "gcps": points}
    magnitude = max(abs(float(center)) for axis in (across, down) for center in axis.centers)
    # Coordinates in single precision are exact only up to their rounding.
    slack = 4 * np.spacing(np.float32(magnitude)) if single else 1e-9 * magnitude
    pixel = min(abs(float(a)), abs(float(e)))
    return {"transform": tuple(map(float, (a, 0, c, 0, e, f))), "tolerance": float(slack) + 1e-6 * pixel}


def _with_crs(draw: Any, array: Any, kind: str, crs: int, stored: bool, grid: Any, story: list[str]) -> tuple[Any, str]:
    """The CRS in one of the places where libraries keep it, and possibly the transform of the opened file."""
    name = {"rotated": "odc_rotated", "gcps": "odc_gcps"}.get(kind, GRIDS[crs][0])
    like = dict(recorded(name).spatial_ref.attrs)
    if kind == "rotated":
        a, b, c, d, e, f = ROTATION
        like["GeoTransform"] = f"{c} {a} {b} {f} {d} {e}"
    elif kind == "gcps":
        import json

        features = [
            {
                "type": "Feature",
                "properties": {"id": str(n), "info": "", "row": row, "col": column},
                "geometry": {"type": "Point", "coordinates": [x, y]},
            }
            for n, (column, row, x, y) in enumerate(POINTS)
        ]
        like["gcps"] = json.dumps({"type": "FeatureCollection", "features": features})
    elif stored:
        step, down, x, y = map(float, grid)
        like["GeoTransform"] = f"{x!r} {step!r} 0.0 {y!r} 0.0 {down!r}"
    else:
        like.pop("GeoTransform", None)
    sources = ["spatial_ref", "attribute", "encoding", "other name", "crs_wkt alone"]
    if kind == "grid" and not stored:
        sources += ["attribute crs", "option", "none"]
    source = draw(st.sampled_from(sources))
    story.append(f"CRS from {source}, stored transform {stored}")
    variable = xr.Variable((), np.int32(0), like)
    if source in ("attribute crs", "option", "none"):
        return array.assign_attrs(crs=f"EPSG:{crs}") if source == "attribute crs" else array, source
    if source == "crs_wkt alone":
        variable.attrs.pop("spatial_ref", None)
    coordinate = "projection" if source == "other name" else "spatial_ref"
    array = array.assign_coords({coordinate: variable})
    if source in ("encoding", "other name"):
        array.encoding["grid_mapping"] = coordinate
    elif source == "attribute":
        array = array.assign_attrs(grid_mapping=coordinate)
    return array, source


def _with_nodata(
    draw: Any, array: Any, dtype: np.dtype, way: str, options: dict[str, Any], expected: Expected, story: list[str]
) -> Any:
    value: Any = (
        draw(st.sampled_from([0, 3, 127])) if dtype.kind != "f" else draw(st.sampled_from([-9999.0, 3.0, float("nan")]))
    )
    source = draw(st.sampled_from(["none", *PLACES_OF_NODATA, "encoding", "option", "decoded"]))
    if source == "decoded" and (dtype.kind != "f" or value != value):
        source = "none"
    story.append(f"nodata from {source}: {value}")
    expected.nodata = None if source == "none" else value
    if source == "none":
        expected.nodata = float("nan") if "cog" in way and dtype.kind == "f" else None
    elif source == "nodatavals":
        array = array.assign_attrs(nodatavals=(float(value),) * len(expected.pixels))
    elif source in PLACES_OF_NODATA:
        array = array.assign_attrs({source: draw(st.sampled_from([value, dtype.type(value)]))})
    elif source == "encoding":
        array.encoding[draw(st.sampled_from(["_FillValue", "missing_value", "nodata"]))] = value
    elif source == "option":
        options["nodata"] = value
    elif source == "decoded":
        # NaN where the file had its nodata value, which is in the encoding.
        chosen = expected.pixels > 500
        expected.pixels = np.where(chosen, dtype.type(value), expected.pixels)
        dims = [dim for dim in array.dims if dim not in ("y", "x")]
        holes = xr.DataArray(chosen if dims else chosen[0], dims=(*dims, "y", "x"))
        encoding = dict(array.encoding)
        array = array.where(~holes.drop_vars(list(holes.coords)))
        array.encoding.update({**encoding, "_FillValue": value})
    return array


def _with_attributes(draw: Any, array: Any, expected: Expected) -> Any:
    chosen = draw(st.sets(st.sampled_from(sorted(ATTRIBUTES)), max_size=3))
    array = array.assign_attrs({name: ATTRIBUTES[name] for name in sorted(chosen)})
    expected.tags = {name: str(ATTRIBUTES[name]) for name in chosen}
    if draw(st.integers(0, 3)) == 0:
        array = array.assign_attrs(AREA_OR_POINT="Point")
        expected.point = True
    if draw(st.integers(0, 3)) == 0:
        array = array.assign_attrs(scale_factor=0.5, add_offset=-2.0, units="m s-1")
        expected.scale, expected.offset, expected.unit = 0.5, -2.0, "m s-1"
    return array


def _with_names(
    draw: Any, array: Any, third: str | None, labels: Any, way: str, expected: Expected, story: list[str]
) -> Any:
    count = len(expected.pixels)
    name = draw(st.sampled_from([None, "elevation", "red"]))
    if way == "write Dataset" and name is None:
        name = "variable"
    array = array.rename(name)
    story.append(f"name {name}, labels {labels}")
    if third == "time":
        expected.names = tuple(str(value)[:10] for value in labels.astype("M8[D]"))
    elif third == "band" and labels is not None and isinstance(labels[0], str):
        expected.names = tuple(labels)
    elif count == 1:
        expected.names = (name,)
    return array


#: GDAL's color interpretation of names that are colors.
BY_NAME = {"red": "red", "green": "green", "blue": "blue", "nir": "nir"}


def _colors(expected: Expected, dtype: Any, name: str | None, third: str | None, labels: Any, way: str) -> tuple[str, ...]:
    count = len(expected.pixels)
    plain = ("gray", *("undefined",) * (count - 1))
    if any(expected.names):
        found = [BY_NAME.get(text or "") for text in expected.names]
        if count == 1 and found[0] is None:
            # The label of a single band is the description, and the variable name may still be a color.
            found = [BY_NAME.get(name or "")]
        return tuple(color or default for color, default in zip(found, plain, strict=True))
    unnamed = third != "time" and (labels is None or not isinstance(labels[0], str))
    if dtype == np.uint8 and count == 3 and unnamed:
        return "red", "green", "blue"
    if dtype == np.uint8 and count == 4 and "cog" in way:
        return "red", "green", "blue", "alpha"
    return plain
