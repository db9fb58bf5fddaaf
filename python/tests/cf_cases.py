"""Arrays by the CF conventions, as `xr.open_dataset` and `xr.decode_cf` leave them, for ``array_cases.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from left_by_libraries import array, pixels

Affine = tuple[float, float, float, float, float, float]

ROWS, COLUMNS = 20, 24
POLAR: Affine = (25000, 0, -3850000, 0, -25000, 5850000)
GLOBAL: Affine = (0.01, 0, -180, 0, -0.01, 90)
THIRDS: Affine = (1 / 3, 0, -180, 0, -1 / 3, 10)

WGS84 = {"semi_major_axis": 6378137.0, "inverse_flattening": 298.257223563}
POLAR_STEREOGRAPHIC = {
    "grid_mapping_name": "polar_stereographic",
    "straight_vertical_longitude_from_pole": -45.0,
    "latitude_of_projection_origin": 90.0,
    "standard_parallel": 70.0,
    "false_easting": 0.0,
    "false_northing": 0.0,
    **WGS84,
}
POLAR_PROJ = "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
POLAR_WKT = (
    'PROJCS["WGS 84 / NSIDC Sea Ice Polar Stereographic North",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,'
    '298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],'
    'UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]],'
    'PROJECTION["Polar_Stereographic"],PARAMETER["latitude_of_origin",70],PARAMETER["central_meridian",-45],'
    'PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1,AUTHORITY["EPSG","9001"]],'
    'AXIS["Easting",SOUTH],AXIS["Northing",SOUTH],AUTHORITY["EPSG","3413"]]'
)
GEOSTATIONARY = {
    "grid_mapping_name": "geostationary",
    "perspective_point_height": 35786023.0,
    "semi_major_axis": 6378137.0,
    "semi_minor_axis": 6356752.31414,
    "longitude_of_projection_origin": -75.0,
    "latitude_of_projection_origin": 0.0,
    "sweep_angle_axis": "x",
}

#: CF grid mappings without WKT.
MAPPINGS: dict[str, dict[str, Any]] = {
    "albers_conical_equal_area": {
        "standard_parallel": [29.5, 45.5],
        "longitude_of_central_meridian": -96.0,
        "latitude_of_projection_origin": 23.0,
    },
    "azimuthal_equidistant": {"longitude_of_projection_origin": 10.0, "latitude_of_projection_origin": 50.0},
    "lambert_azimuthal_equal_area": {
        "longitude_of_projection_origin": 10.0,
        "latitude_of_projection_origin": 52.0,
        "false_easting": 4321000.0,
        "false_northing": 3210000.0,
    },
    "lambert_conformal_conic": {
        "standard_parallel": [30.0, 60.0],
        "longitude_of_central_meridian": 5.0,
        "latitude_of_projection_origin": 45.0,
    },
    "lambert_cylindrical_equal_area": {"longitude_of_central_meridian": 0.0, "standard_parallel": 30.0},
    "mercator": {"longitude_of_projection_origin": 0.0, "standard_parallel": 20.0},
    "oblique_mercator": {
        "azimuth_of_central_line": 30.0,
        "latitude_of_projection_origin": 45.0,
        "longitude_of_projection_origin": 10.0,
        "scale_factor_at_projection_origin": 0.9999,
    },
    "orthographic": {"longitude_of_projection_origin": 10.0, "latitude_of_projection_origin": 40.0},
    "sinusoidal": {"longitude_of_projection_origin": 0.0},
    "stereographic": {
        "longitude_of_projection_origin": 5.0,
        "latitude_of_projection_origin": 52.0,
        "scale_factor_at_projection_origin": 0.9999,
    },
    "transverse_mercator": {
        "longitude_of_central_meridian": 15.0,
        "latitude_of_projection_origin": 0.0,
        "scale_factor_at_central_meridian": 0.9996,
        "false_easting": 500000.0,
        "false_northing": 0.0,
    },
}


def dataset(
    attributes: dict[str, Any],
    grid_mapping: str | None = "crs",
    name: str = "crs",
    transform: Affine = POLAR,
    divisor: float = 1.0,
    units: str | None = "m",
    dtype: str = "float64",
    decode: Any = True,
    dims: tuple[str, str] = ("y", "x"),
) -> xr.Dataset:
    """A Dataset of one variable ``ice``, decoded as `xr.open_dataset` does."""
    x = (transform[2] + transform[0] * (np.arange(COLUMNS) + 0.5)) / divisor
    y = (transform[5] + transform[4] * (np.arange(ROWS) + 0.5)) / divisor
    about = {} if units is None else {"units": units}
    raw = xr.Dataset(
        {"ice": (dims, pixels(1, "int16", ROWS, COLUMNS)[0]), name: ((), np.int32(0), attributes)},
        coords={dims[1]: (dims[1], x.astype(dtype), about), dims[0]: (dims[0], y.astype(dtype), about)},
    )
    if grid_mapping is not None:
        raw["ice"].attrs["grid_mapping"] = grid_mapping
    return xr.decode_cf(raw, decode_coords=decode)


def _case(name: str, build: Callable[[], Any], transform: Affine | None = POLAR, crs: Any = 3413, **about: Any) -> Any:
    return name, build, transform, crs, {"names": ("ice",), **about}


def global_grid(dtype: str) -> xr.DataArray:
    """Columns and rows of a grid of 0.01 degrees over the world; a part of it, to stay small."""
    x = (-180 + 0.01 * (np.arange(36000) + 0.5)).astype(dtype)[:600]
    y = (90 - 0.01 * (np.arange(18000) + 0.5)).astype(dtype)[:30]
    return _degrees(x, y)


def thirds(dtype: str) -> xr.DataArray:
    """Pixels of a third of a degree."""
    return _degrees((-180 + (np.arange(1080) + 0.5) / 3).astype(dtype), (10 - (np.arange(30) + 0.5) / 3).astype(dtype))


def _latitude_longitude() -> xr.Variable:
    attributes = dict(array("rio_lonlat").spatial_ref.attrs)
    del attributes["GeoTransform"]
    return xr.Variable((), np.int64(0), attributes)


def _degrees(x: np.ndarray, y: np.ndarray, dims: tuple[str, str] = ("lat", "lon")) -> xr.DataArray:
    values = pixels(1, "float32", len(y), len(x))[0]
    return xr.DataArray(values, dims=dims, coords={dims[0]: y, dims[1]: x, "spatial_ref": _latitude_longitude()})


def gaussian() -> xr.DataArray:
    """Latitudes of a Gaussian grid, which are not evenly spaced."""
    return _degrees(np.arange(0, 64.0), np.degrees(np.arcsin(np.linspace(0.99, -0.99, 64))))


def wrapped() -> xr.DataArray:
    """Longitudes of 0 to 360 degrees, wrapped to ±180 and not sorted."""
    return _degrees((np.arange(0.5, 360) + 180) % 360 - 180, np.arange(9.5, -10, -1))


def curvilinear() -> xr.DataArray:
    """A swath: latitudes and longitudes are two-dimensional."""
    down, across = np.mgrid[0:20, 0:30]
    values = pixels(1, "float32", 20, 30)[0]
    return xr.DataArray(
        values,
        dims=("y", "x"),
        coords={
            "lat": (("y", "x"), 50 - 0.1 * down + 0.01 * across**1.5),
            "lon": (("y", "x"), 10 + 0.1 * across + 0.02 * down),
            "spatial_ref": _latitude_longitude(),
        },
    )


def radians() -> Any:
    """A geostationary grid as that of GOES-R: axes in radians, in 16-bit steps."""
    step = 56e-6
    transform = (step, 0, -0.101332, 0, -step, 0.128212)
    return dataset(GEOSTATIONARY, transform=transform, units="rad")


ROTATED_POLE = {
    "grid_mapping_name": "rotated_latitude_longitude",
    "grid_north_pole_latitude": 39.25,
    "grid_north_pole_longitude": -162.0,
    **WGS84,
}
HEIGHT = GEOSTATIONARY["perspective_point_height"]
GOES: Affine = (56e-6 * HEIGHT, 0, -0.101332 * HEIGHT, 0, -56e-6 * HEIGHT, 0.128212 * HEIGHT)

CASES = [
    _case("CF: grid mapping among the variables", lambda: dataset({"crs_wkt": POLAR_WKT})),
    _case("CF: one variable", lambda: dataset({"crs_wkt": POLAR_WKT}, decode="all")["ice"]),
    _case("CF: grid mapping among the coordinates", lambda: dataset({"crs_wkt": POLAR_WKT}, decode="all")),
    _case("CF: the long form", lambda: dataset({"crs_wkt": POLAR_WKT}, "crs: x y", decode="all")),
    _case("CF: the long form, not decoded", lambda: dataset({"crs_wkt": POLAR_WKT}, "crs: x y")),
    _case("CF: another name", lambda: dataset({"crs_wkt": POLAR_WKT}, "polar", name="polar")),
    _case("CF: spatial_ref", lambda: dataset({"spatial_ref": POLAR_WKT})),
    _case("CF: proj4", lambda: dataset({"proj4": POLAR_PROJ}), POLAR, POLAR_PROJ),
    _case("CF: parameters alone", lambda: dataset(POLAR_STEREOGRAPHIC), POLAR, POLAR_STEREOGRAPHIC),
    _case(
        "CF: parameters and a proj4 text",
        lambda: dataset({**POLAR_STEREOGRAPHIC, "proj4": POLAR_PROJ}),
        POLAR,
        POLAR_PROJ,
    ),
    _case("CF: kilometers", lambda: dataset({"crs_wkt": POLAR_WKT}, divisor=1000, units="km")),
    _case(
        "CF: kilometers in single precision",
        lambda: dataset({"crs_wkt": POLAR_WKT}, divisor=1000, units="km", dtype="float32"),
    ),
    _case("CF: kilometers, spelled out", lambda: dataset({"crs_wkt": POLAR_WKT}, divisor=1000, units="kilometers")),
    _case("CF: no units", lambda: dataset({"crs_wkt": POLAR_WKT}, units=None)),
    _case(
        "CF: kilometers, strided",
        lambda: dataset({"crs_wkt": POLAR_WKT}, divisor=1000, units="km", decode="all").isel(x=slice(None, None, 2)),
        (50000, 0, POLAR[2] - 12500, 0, -25000, POLAR[5]),
    ),
    _case(
        "CF: unknown units",
        lambda: dataset({"crs_wkt": POLAR_WKT}, units="furlong-ish"),
        error=("ValueError", "furlong-ish"),
    ),
    _case("CF: radians of a geostationary grid", radians, GOES, GEOSTATIONARY),
    _case(
        "CF: a name that leads nowhere",
        lambda: dataset({}, "elsewhere").drop_vars("crs"),
        POLAR,
        None,
        warning="elsewhere",
    ),
    *(
        _case(
            f"CF: {name}",
            lambda name=name: dataset({"grid_mapping_name": name, **MAPPINGS[name], **WGS84}),
            POLAR,
            {"grid_mapping_name": name, **MAPPINGS[name], **WGS84},
        )
        for name in MAPPINGS
    ),
    _case(
        "CF: rotated_latitude_longitude",
        lambda: dataset(ROTATED_POLE, transform=(0.1, 0, -5, 0, -0.1, 3), units="degrees", dims=("rlat", "rlon")),
        (0.1, 0, -5, 0, -0.1, 3),
        ROTATED_POLE,
    ),
    _case(
        "CF: latitude_longitude",
        lambda: dataset(
            {"grid_mapping_name": "latitude_longitude", **WGS84},
            transform=(0.1, 0, 10, 0, -0.1, 50),
            units="degrees",
            dims=("lat", "lon"),
        ),
        (0.1, 0, 10, 0, -0.1, 50),
        {"grid_mapping_name": "latitude_longitude", **WGS84},
    ),
]

#: The cases that are also compared with other libraries, as one variable with its grid mapping.
COMPARED = ("CF: one variable", "CF: kilometers", "CF: parameters alone", "CF: radians of a geostationary grid")
