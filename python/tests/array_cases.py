"""Arrays as users have them, built with xarray alone, and the expected properties of their files.

The expected values come from users' bug reports, CF, GDAL's data model, or arithmetic, and are written by hand; none
comes from the package. ``test_ways.py`` writes each array in every way that the package has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cf_cases
import numpy as np
import xarray as xr
from left_by_libraries import COLUMNS, ROWS, array, pixels

Affine = tuple[float, float, float, float, float, float]

#: rasterio's order: pixel width, rotation, left, rotation, pixel height, top.
UTM: Affine = (10, 0, 399960, 0, -10, 5000040)
DEGREES: Affine = (0.1, 0, 10, 0, -0.1, 50)
SIN, COS = 0.5, 0.75**0.5
ROTATED: Affine = (10 * COS, -10 * SIN, 399960, -10 * SIN, -10 * COS, 5000040)
NAN = float("nan")


@dataclass(frozen=True)
class Case:
    """An array, and the expected properties of its file.

    ``tags`` is the GDAL metadata except ``AREA_OR_POINT``. ``cog_colors`` and ``cog_nodata`` are the values of
    `write_cog` and `to_cog` if they differ from `write`.
    """

    name: str
    build: Callable[[], Any]
    transform: Affine | None = UTM
    crs: Any = 32633
    gcps: list[tuple[float, float, float, float]] | None = None
    nodata: Any = None
    cog_nodata: Any = "as write"
    names: tuple[str | None, ...] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    point: bool = False
    scales: float = 1.0
    offsets: float = 0.0
    units: str | None = None
    colors: tuple[str, ...] | None = None
    cog_colors: tuple[str, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    #: The `UserWarning` of each way of writing.
    warning: str | None = None
    #: The exception of each way of writing, by type and message.
    error: tuple[str, str] | None = None
    #: Whether NaN becomes the nodata value again, so that pixels differ from those of the array.
    decoded: bool = False


def turned(transform: Affine, columns: float, rows: float, across: float = 1, down: float = 1) -> Affine:
    """A transform whose origin moves by pixels and whose pixels grow."""
    a, b, c, d, e, f = transform
    return (a * across, b * down, c + a * columns + b * rows, d * across, e * down, f + d * columns + e * rows)


def located(values: Any, dims: tuple[str, ...] = ("y", "x"), **coords: Any) -> xr.DataArray:
    """An array on the 10 m grid with a CRS as rioxarray keeps it, without attributes."""
    like = array("rio_squeezed")
    return xr.DataArray(values, dims=dims, coords={"y": like.y, "x": like.x, "spatial_ref": like.spatial_ref, **coords})


def bands(count: int, dtype: str = "uint8", **attributes: Any) -> xr.DataArray:
    return located(pixels(count, dtype), ("band", "y", "x")).assign_attrs(attributes)


def one(dtype: str = "int16", **attributes: Any) -> xr.DataArray:
    return located(pixels(1, dtype)[0]).assign_attrs(attributes)


def encoded(value: xr.DataArray, **encoding: Any) -> xr.DataArray:
    value.encoding.update(encoding)
    return value


def plain(x: Any, y: Any, dtype: str = "int16", dims: tuple[str, str] = ("y", "x"), **attributes: Any) -> xr.DataArray:
    """An array with only coordinates."""
    rows, columns = len(y), len(x)
    return xr.DataArray(
        pixels(1, dtype, rows, columns)[0], dims=dims, coords={dims[0]: y, dims[1]: x}, attrs=attributes
    )


rio: dict[str, Any] = {"nodata": -999}
CENTERS = 399965 + 10.0 * np.arange(COLUMNS)
POINTS = [
    (column, row, 10 + column / 32 + row / 240, 50 - row / 24 + column / 320)
    for row in (0, ROWS)
    for column in (0, COLUMNS)
]

PLACES = [
    Case("rioxarray", lambda: array("rio"), **rio),
    Case("rioxarray, squeezed", lambda: array("rio_squeezed"), **rio),
    Case("coarsened", lambda: array("rio").coarsen(x=2, y=2).mean(), turned(UTM, 0, 0, 2, 2), **rio),
    Case(
        "coarsened by 3 and 5",
        lambda: array("rio").coarsen(x=3, y=5, boundary="trim").max(),
        turned(UTM, 0, 0, 3, 5),
        **rio,
    ),
    Case("strided", lambda: array("rio")[:, ::4, ::4], turned(UTM, -1.5, -1.5, 4, 4), **rio),
    Case("strided by 3 and 2", lambda: array("rio")[:, ::2, ::3], turned(UTM, -1, -0.5, 3, 2), **rio),
    Case("sorted by rows", lambda: array("rio").sortby("y"), turned(UTM, 0, ROWS, 1, -1), **rio),
    Case("rows reversed", lambda: array("rio")[:, ::-1], turned(UTM, 0, ROWS, 1, -1), **rio),
    Case("columns reversed", lambda: array("rio")[:, :, ::-1], turned(UTM, COLUMNS, 0, -1, 1), **rio),
    Case("both reversed", lambda: array("rio")[:, ::-1, ::-1], turned(UTM, COLUMNS, ROWS, -1, -1), **rio),
    Case("subset", lambda: array("rio").isel(y=slice(3, 15), x=slice(5, 30)), turned(UTM, 5, 3), **rio),
    Case("selected by coordinates", lambda: array("rio").sel(x=slice(400000, 400200)), turned(UTM, 4, 0), **rio),
    Case("columns by number", lambda: array("rio").isel(x=[4, 6, 8, 10]), turned(UTM, 3.5, 0, 2, 1), **rio),
    Case(
        "reindexed",
        lambda: array("rio").reindex(x=CENTERS[0] + 10 * np.arange(-4.0, 40), fill_value=-999),
        turned(UTM, -4, 0),
        **rio,
    ),
    Case(
        "padded, new coordinates",
        lambda: (
            array("rio").pad(x=(3, 0), constant_values=-999).assign_coords(x=CENTERS[0] + 10 * np.arange(-3.0, COLUMNS))
        ),
        turned(UTM, -3, 0),
        **rio,
    ),
    Case("padded", lambda: array("rio").pad(y=2, x=3), turned(UTM, -3, -2), **rio),
    Case("rolled mean", lambda: array("rio").rolling(x=3, center=True).mean(), **rio),
    Case("joined", lambda: xr.concat([array("rio")[:, :10], array("rio")[:, 10:]], "y"), **rio),
    Case("shifted coordinates", lambda: array("rio").assign_coords(x=CENTERS + 5), turned(UTM, 0.5, 0), **rio),
    Case("one row", lambda: array("rio").isel(y=[3]), turned(UTM, 0, 3), **rio),
    Case("one column", lambda: array("rio").isel(x=[3]), turned(UTM, 3, 0), **rio),
    Case("one pixel", lambda: array("rio").isel(y=[2], x=[3]), turned(UTM, 3, 2), **rio),
    Case("columns before rows", lambda: array("rio").transpose("x", "band", "y"), **rio),
    Case("bands last", lambda: array("rio").transpose("y", "x", "band"), **rio),
    Case("degrees of rioxarray", lambda: array("rio_lonlat"), DEGREES, 4326),
    Case("degrees, strided", lambda: array("rio_lonlat")[:, ::2, ::2], turned(DEGREES, -0.5, -0.5, 2, 2), 4326),
    Case("a transform and no coordinates", lambda: array("rio_written")),
    Case(
        "reprojected",
        lambda: array("rio_reprojected"),
        (14.174683828409385, 0, 1528132.7819251418, 0, -14.174683828409385, 5644660.635002443),
        3857,
        **rio,
    ),
    Case("odc-geo", lambda: array("odc")),
    Case("odc-geo, coarsened", lambda: array("odc").coarsen(x=4, y=4).mean(), turned(UTM, 0, 0, 4, 4), cog_nodata=NAN),
    Case("odc-geo, reversed", lambda: array("odc")[::-1], turned(UTM, 0, ROWS, 1, -1)),
    Case("odc-geo, one row", lambda: array("odc")[4:5], turned(UTM, 0, 4)),
    Case("odc-geo in degrees", lambda: array("odc_lonlat"), DEGREES, 4326),
    Case("odc-geo in degrees, strided", lambda: array("odc_lonlat")[1::3, 2::3], turned(DEGREES, 1, 0, 3, 3), 4326),
    Case("rotated", lambda: array("odc_rotated"), ROTATED),
    Case("rotated, a part", lambda: array("odc_rotated")[5:, 7:], turned(ROTATED, 7, 5)),
    Case("rotated, strided", lambda: array("odc_rotated")[1::2, ::4], turned(ROTATED, -1.5, 0.5, 4, 2)),
    Case("rotated, reversed", lambda: array("odc_rotated")[::-1], turned(ROTATED, 0, ROWS, 1, -1)),
    Case("rotated, one row", lambda: array("odc_rotated")[7:8], turned(ROTATED, 0, 7)),
    Case(
        "rotated, coarsened",
        lambda: array("odc_rotated").coarsen(x=2, y=3).mean(),
        turned(ROTATED, 0, 0, 2, 3),
        cog_nodata=NAN,
    ),
    Case("rotated, of rioxarray", lambda: array("rio_rotated"), ROTATED),
    Case("rotated, of rioxarray, a part", lambda: array("rio_rotated")[:, 2:, 3:], turned(ROTATED, 3, 2)),
    Case("ground control points", lambda: array("rio_gcps"), None, 4326, POINTS),
    Case("ground control points of odc-geo", lambda: array("odc_gcps"), None, 4326, POINTS),
    Case(
        "ground control points, a part",
        lambda: array("odc_gcps")[4:, 6:],
        None,
        4326,
        [(column - 6, row - 4, x, y) for column, row, x, y in POINTS],
    ),
    Case(
        "ground control points, strided",
        lambda: array("odc_gcps")[::2, ::4],
        None,
        4326,
        # The first center does not move: 0.5 of the old pixels, and of the new ones.
        [((column + 1.5) / 4, (row + 0.5) / 2, x, y) for column, row, x, y in POINTS],
    ),
    Case(
        "ground control points, reversed",
        lambda: array("odc_gcps")[::-1],
        None,
        4326,
        [(column, ROWS - row, x, y) for column, row, x, y in POINTS],
    ),
    Case("datacube", lambda: array("datacube"), nodata=-999, names=("red",), colors=("red",), units="1"),
    Case("axes in single precision", lambda: cf_cases.global_grid("float32"), cf_cases.GLOBAL, 4326, cog_nodata=NAN),
    Case("axes in double precision", lambda: cf_cases.global_grid("float64"), cf_cases.GLOBAL, 4326, cog_nodata=NAN),
    Case("a third of a degree", lambda: cf_cases.thirds("float32"), cf_cases.THIRDS, 4326, cog_nodata=NAN),
    Case(
        "axes of integers",
        lambda: plain(np.arange(5, 325, 10), np.arange(235, -5, -10), crs="EPSG:32633"),
        (10, 0, 0, 0, -10, 240),
    ),
    Case("a CRS in an attribute", lambda: plain(CENTERS, 5000035 - 10.0 * np.arange(ROWS), crs="epsg:32633")),
    Case(
        "names of axes",
        lambda: plain(
            10.05 + 0.1 * np.arange(COLUMNS), 49.95 - 0.1 * np.arange(ROWS), dims=("lat", "lon"), crs="EPSG:4326"
        ),
        DEGREES,
        4326,
    ),
    Case(
        "a CRS that the caller gives", lambda: plain(CENTERS, 5000035 - 10.0 * np.arange(ROWS)), options={"crs": 32633}
    ),
    Case(
        "a transform that the caller gives",
        lambda: array("rio")[:, ::4, ::4],
        (20, 0, 1000, 0, -20, 2000),
        options={"transform": (20, 0, 1000, 0, -20, 2000)},
        **rio,
    ),
    Case(
        "GDAL's order",
        lambda: array("rio"),
        (20, 0, 1000, 0, -20, 2000),
        options={"geotransform": (1000, 20, 0, 2000, 0, -20)},
        **rio,
    ),
    Case(
        "uneven axes and a transform",
        lambda: array("rio").assign_coords(x=CENTERS**2),
        UTM,
        options={"transform": UTM},
        **rio,
    ),
    Case("no georeference", lambda: xr.DataArray(pixels(1, "int16")[0], dims=("y", "x")), None, None),
    Case("a band without georeference", lambda: xr.DataArray(pixels(3, "int16"), dims=("band", "y", "x")), None, None),
]

REFUSED = [
    Case(
        "uneven",
        lambda: array("rio").assign_coords(x=399965 + np.arange(COLUMNS, dtype="f8") ** 2),
        error=("ValueError", r"(?s)'?x'?.*even.*transform="),
    ),
    Case(
        "a column left out",
        lambda: array("rio").isel(x=[0, 1, 3, 4]),
        error=("ValueError", r"(?s)'?x'?.*even.*transform="),
    ),
    Case("not sorted", lambda: array("rio").isel(y=[5, 1, 2, 3, 4, 0]), error=("ValueError", r"(?s)'?y'?.*sortby")),
    Case("Gaussian latitudes", cf_cases.gaussian, error=("ValueError", r"(?s)'?lat'?.*even.*transform=")),
    Case("longitudes wrapped", cf_cases.wrapped, error=("ValueError", r"(?s)'?lon'?.*sortby")),
    Case("two-dimensional latitudes", cf_cases.curvilinear, error=("ValueError", r"(?s)(lat|lon).*gcps=")),
    Case(
        "the other order",
        lambda: one(),
        options={"transform": (399960, 10, 0, 5000040, 0, -10)},
        error=("ValueError", "geotransform="),
    ),
    Case("nodata=True", lambda: one(), options={"nodata": True}, error=("TypeError", "nodata")),
    Case("nodata=False", lambda: one(), options={"nodata": False}, error=("TypeError", "nodata")),
]


def masked() -> xr.DataArray:
    """As rioxarray opens a file with ``masked=True``: NaN where the file has its nodata value."""
    result = array("rio_masked")
    result.values[result.values < 10] = np.nan
    return result


NODATA = [
    *(
        Case(f"nodata in attribute {name}", lambda name=name, value=value: one(**{name: value}), nodata=-999)
        for name, value in (
            ("nodata", -999),
            ("_FillValue", np.int16(-999)),
            ("missing_value", -999.0),
            ("fill_value", -999),
            ("nodatavals", (-999.0,)),
        )
    ),
    Case("nodata as text", lambda: one(nodata="-999"), nodata=-999),
    *(
        Case(f"nodata in encoding {name}", lambda name=name: encoded(one(), **{name: -999}), nodata=-999)
        for name in ("_FillValue", "missing_value", "nodata")
    ),
    Case("nodata NaN", lambda: one("float32", _FillValue=NAN), nodata=NAN),
    Case("nodata of many bands", lambda: bands(2, "int16", nodatavals=(-1.0, -1.0)), nodata=-1),
    Case("nodata twice the same", lambda: one(nodata=-999, _FillValue=np.int16(-999)), nodata=-999),
    Case("nodata of masked", masked, nodata=-999, decoded=True),
    Case("unpacked by rioxarray", lambda: array("rio_scaled"), nodata=NAN, units="K"),
    Case("nodata of the caller", lambda: one(nodata=-999), nodata=-1, options={"nodata": -1}),
    Case(
        "nodata written by rioxarray",
        lambda: array("rio_nodata"),
        nodata=255,
        names=("red", "green", "blue"),
        colors=("red", "green", "blue"),
    ),
    Case("floats without nodata", lambda: one("float32"), nodata=None, cog_nodata=NAN),
    Case(
        "two values of nodata",
        lambda: one(nodata=-999, _FillValue=np.int16(-1)),
        nodata=-999,
        warning=r"(?s)nodata.*-999.*-1|-1.*-999",
    ),
    Case(
        "nodata in attribute and encoding",
        lambda: encoded(one(nodata=-999), _FillValue=-1),
        nodata=-999,
        warning=r"(?s)nodata.*-999.*-1|-1.*-999",
    ),
]

RGB = ("red", "green", "blue")
GRAY = ("gray",)
BANDS = [
    Case("three bands of bytes", lambda: bands(3), colors=RGB),
    Case("three bands of 16 bits", lambda: bands(3, "uint16"), colors=("gray", "undefined", "undefined")),
    Case(
        "four bands of bytes",
        lambda: bands(4),
        colors=("gray", "undefined", "undefined", "undefined"),
        cog_colors=(*RGB, "alpha"),
    ),
    Case(
        "three dates of bytes",
        lambda: (
            bands(3)
            .rename(band="time")
            .assign_coords(time=np.array(["2024-05-01", "2024-05-11", "2024-05-21"], "M8[ns]"))
        ),
        names=("2024-05-01", "2024-05-11", "2024-05-21"),
        colors=("gray", "undefined", "undefined"),
    ),
    Case(
        "names of bands",
        lambda: array("rio_nir"),
        names=("blue", "green", "red", "nir"),
        colors=("blue", "green", "red", "nir"),
    ),
    Case("names that are colors", lambda: array("rio_rgb"), names=RGB, colors=RGB),
    Case(
        "names along the axis",
        lambda: bands(3).assign_coords(band=["blue", "green", "red"]),
        names=("blue", "green", "red"),
        colors=("blue", "green", "red"),
    ),
    Case(
        "names that are no colors",
        lambda: bands(3).assign_coords(band=["a1", "b2", "c3"]),
        names=("a1", "b2", "c3"),
        colors=("gray", "undefined", "undefined"),
    ),
    Case("colorized by odc-geo", lambda: array("odc_colorized"), names=("r", "g", "b", "a"), colors=(*RGB, "alpha")),
    Case("two dates of odc-geo", lambda: array("odc_time"), nodata=-1, names=("2024-05-01T00:00:00", "2024-05-11T10:20:30")),
    Case("a name", lambda: one().rename("elevation"), names=("elevation",)),
    Case("a long name", lambda: one(long_name="Red & near").rename("b5"), names=("Red & near",)),
]

LONG = "x" * 5000
ATTRIBUTES = [
    Case(
        "text and numbers",
        lambda: one(title="A & B <c>", number=3, ratio=0.5, flag=np.int16(7)),
        tags={"title": "A & B <c>", "number": "3", "ratio": "0.5", "flag": "7"},
    ),
    Case("points", lambda: one(AREA_OR_POINT="Point"), point=True),
    Case(
        "scale, offset and unit",
        lambda: one(scale_factor=0.0001, add_offset=-0.1, units="1"),
        scales=0.0001,
        offsets=-0.1,
        units="1",
    ),
    Case("raw and scaled", lambda: array("rio_raw"), nodata=-999, scales=0.5, offsets=10.0, units="K"),
    Case(
        "tags of rioxarray",
        lambda: array("rio_tagged"),
        names=("height", "depth"),
        scales=2.0,
        offsets=1.0,
        units="m",
        point=True,
        tags={"TIFFTAG_SOFTWARE": "surveyor 2", "count": "12", "mission": "A & B"},
    ),
    Case(
        "one variable of rioxarray", lambda: array("rio_variable"), names=("depth",), scales=2.0, offsets=1.0, units="m"
    ),
    Case(
        "a TIFF tag",
        lambda: one(TIFFTAG_IMAGEDESCRIPTION="a hill", TIFFTAG_ARTIST="me"),
        tags={"TIFFTAG_IMAGEDESCRIPTION": "a hill", "TIFFTAG_ARTIST": "me"},
    ),
    Case("a long attribute", lambda: one(history=LONG, title="t"), tags={"title": "t"}, warning="history"),
    Case(
        "many attributes",
        lambda: one(title="t", **{f"part{n}": "y" * 3000 for n in range(4)}),
        tags={"title": "t", "part0": "y" * 3000, "part1": "y" * 3000},
        warning="'part3', 'part2'|'part2', 'part3'",
    ),
    Case("attributes left out", lambda: one(title="t"), options={"attrs": False}),
    Case("a long attribute, forced", lambda: one(history=LONG), options={"attrs": True}, tags={"history": LONG}),
    Case(
        "tags of the caller",
        lambda: one(title="t"),
        options={"tags": {"title": "u", "more": "v"}},
        tags={"title": "u", "more": "v"},
    ),
]

CF = [Case(name, build, transform, crs, **about) for name, build, transform, crs, about in cf_cases.CASES]

CASES = [*PLACES, *REFUSED, *NODATA, *BANDS, *ATTRIBUTES, *CF]
