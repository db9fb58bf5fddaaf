"""Rasters with georeferences of every kind, and the expected georeference of their files."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import rasterio
import rioxarray
import xarray as xr
from affine import Affine
from odc.geo.gcp import GCPGeoBox
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from rasterio.control import GroundControlPoint

SHAPE = (60, 70)
TRANSFORM = Affine(10, 0, 399960, 0, -10, 5000040)
WKT = pyproj.CRS(32633).to_wkt()
ROTATED = TRANSFORM * Affine.rotation(30)
GCPS = [
    GroundControlPoint(0, 0, 10, 50),
    GroundControlPoint(0, 70, 11, 50.1),
    GroundControlPoint(60, 0, 10.1, 49),
    GroundControlPoint(60, 70, 11.1, 49.1),
]


@dataclass
class Case:
    """A raster and its georeference: an EPSG code (or a test for the CRS), and a transform or points (column, row)."""

    raster: Any
    transform: Any = None
    crs: Any = 32633
    points: Any = None


def image(*shape: int) -> np.ndarray:
    return np.arange(int(np.prod(shape or SHAPE)), dtype="uint16").reshape(shape or SHAPE)


def spatial_ref(**attributes: Any) -> xr.DataArray:
    """A grid mapping variable."""
    return xr.DataArray(0, attrs=attributes)


def plain(transform: Affine = TRANSFORM, shape: tuple[int, int] = SHAPE, dims=("y", "x"), **coords: Any) -> xr.DataArray:
    """A DataArray built without any other library."""
    x = transform.c + transform.a * (np.arange(shape[1]) + 0.5)
    y = transform.f + transform.e * (np.arange(shape[0]) + 0.5)
    return xr.DataArray(image(*shape), dims=dims, coords={dims[0]: y, dims[1]: x, **coords})


def opened(folder: Any, transform: Affine = TRANSFORM, **options: Any) -> xr.DataArray:
    """A file as rioxarray opens it, in memory."""
    path = folder / "opened.tif"
    profile = {"crs": 32633, "transform": transform, **options}
    with rasterio.open(path, "w", "GTiff", SHAPE[1], SHAPE[0], 1, dtype="uint16", **profile) as file:
        file.write(image()[None])
    with rioxarray.open_rasterio(path) as array:
        return array.squeeze("band", drop=True).load()


def slices(array: xr.DataArray, transform: Affine = TRANSFORM) -> dict[str, Case]:
    """Parts of an array, and their positions by arithmetic."""
    shift, scale = Affine.translation, Affine.scale
    x, y = (str(dim) for dim in reversed(array.dims))
    step = array[x][1] - array[x][0] if x in array.coords else None
    result = {
        "whole": Case(array, transform),
        "part": Case(array[5:, 7:-3], transform * shift(7, 5)),
        "strided": Case(array[::4, ::3], transform * shift(-1, -1.5) * scale(3, 4)),
        "upside down": Case(array[::-1], transform * shift(0, 60) * scale(1, -1)),
        "mirrored": Case(array[:, ::-1], transform * shift(70, 0) * scale(-1, 1)),
        "isel": Case(array.isel({x: slice(1, 9), y: slice(2, 4)}), transform * shift(1, 2)),
        "one pixel": Case(array[2:3, 3:4], transform * shift(3, 2)),
        "one row": Case(array[2:3], transform * shift(0, 2)),
    }
    if step is not None:
        wider = np.concatenate([array[x] - 70 * step, array[x], array[x] + 70 * step])
        result |= {
            "coarsened": Case(array.coarsen({x: 2, y: 3}).mean(), transform * scale(2, 3)),
            "sorted": Case(array.sortby(y), transform * shift(0, 60) * scale(1, -1)),
            "reindexed": Case(array.reindex({x: wider}, fill_value=0), transform * shift(-70, 0)),
            "padded": Case(array.pad({x: (3, 1), y: (2, 0)}, constant_values=0), transform * shift(-3, -2)),
            "transposed": Case(array.T, transform),
        }
    return result


def all_cases(folder: Any) -> dict[str, Case]:
    """Every kind of raster; ``folder`` is for files that rioxarray opens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _all_cases(folder)


def _all_cases(folder: Any) -> dict[str, Case]:
    result: dict[str, Case] = {}
    gridded = {
        "plain": plain(spatial_ref=spatial_ref(spatial_ref=WKT)),
        "stored": plain(spatial_ref=spatial_ref(crs_wkt=WKT, GeoTransform="399960 10 0 5000040 0 -10")),
        "rioxarray": opened(folder),
        "odc-geo": xr.DataArray(image(), dims=("y", "x"), coords=xr_coords(GeoBox(SHAPE, TRANSFORM, 32633))),
    }
    for name, array in gridded.items():
        for part, case in slices(array).items():
            if name != "plain" or not part.startswith("one"):
                result[f"{name}, {part}"] = case
    rotated = xr.DataArray(image(), dims=("y", "x"), coords=xr_coords(GeoBox(SHAPE, ROTATED, 32633)))
    for part, case in slices(rotated, ROTATED).items():
        if part not in ("coarsened", "reindexed", "padded", "transposed", "sorted"):
            result[f"odc-geo rotated, {part}"] = case
    for part in ("whole", "part", "strided", "upside down", "mirrored"):
        result[f"rioxarray rotated, {part}"] = slices(opened(folder, ROTATED), ROTATED)[part]
    marked = rotated.copy()
    marked.coords["spatial_ref"] = spatial_ref(spatial_ref=WKT)
    for dim in ("y", "x"):
        marked[dim].encoding["_transform"] = ROTATED[:6]
        marked[dim].attrs.clear()
    result["marked in the encoding"] = Case(marked, ROTATED)
    result |= _of_attributes() | _of_points(folder) | _of_others(folder)
    return result


def _of_attributes() -> dict[str, Case]:
    """Every place that may hold a CRS."""
    stated = {"GeoTransform": "399960 10 0 5000040 0 -10"}
    named = plain(crs=spatial_ref(crs_wkt=WKT))
    encoded = plain(mapping=spatial_ref(crs_wkt=WKT))
    encoded.encoding["grid_mapping"] = "mapping"
    zarr = xr.DataArray(image(), dims=("r", "c"))
    zarr.attrs = {
        "proj:wkt2": WKT, "spatial:transform": list(TRANSFORM[:6]), "spatial:dimensions": ["r", "c"],
        "zarr_conventions": [{"name": "proj:"}, {"name": "spatial:"}],
    }  # fmt: skip
    data = xr.Dataset({"a": plain(), "utm": ((), 0, {"crs_wkt": WKT})})
    data["a"].attrs["grid_mapping"] = "utm"
    several = plain(
        one=spatial_ref(crs_wkt=pyproj.CRS(4326).to_wkt()), two=spatial_ref(crs_wkt=WKT)
    ).assign_attrs(grid_mapping="one: lat lon two: x y")
    on_axis = plain()
    on_axis["x"].attrs["crs"] = "EPSG:32633"
    old = xr.DataArray(image(), dims=("y", "x"), attrs={"crs": "+init=epsg:32633", "transform": tuple(TRANSFORM)[:6]})
    return {
        "spatial_ref": Case(plain(anything=spatial_ref(spatial_ref=WKT)), TRANSFORM),
        "grid_mapping in attrs": Case(named.assign_attrs(grid_mapping="crs"), TRANSFORM),
        "grid_mapping with coordinates": Case(named.assign_attrs(grid_mapping="crs: x y"), TRANSFORM),
        "several mappings with coordinates": Case(several, TRANSFORM),
        "grid_mapping in the encoding": Case(encoded, TRANSFORM),
        "proj4": Case(plain(crs=spatial_ref(proj4="+proj=utm +zone=33 +datum=WGS84")), TRANSFORM),
        "code in the mapping": Case(plain(crs=spatial_ref(grid_mapping_name="x", epsg_code="EPSG:32633")), TRANSFORM),
        "crs attribute": Case(plain().assign_attrs(crs="epsg:32633"), TRANSFORM),
        "crs attribute of an axis": Case(on_axis, TRANSFORM),
        "no coordinates": Case(xr.DataArray(image(), dims=("y", "x"), coords={"m": spatial_ref(crs_wkt=WKT, **stated)}), TRANSFORM),
        "Zarr": Case(zarr, TRANSFORM),
        "old xarray": Case(old, TRANSFORM),
        "mapping among the variables": Case(data, TRANSFORM),
        "mapping among the variables, unnamed": Case(xr.Dataset({"a": plain(), "crs": ((), 0, {"crs_wkt": WKT})}), TRANSFORM),
        "CRS alone": Case(xr.DataArray(image(), dims=("y", "x"), coords={"m": spatial_ref(crs_wkt=WKT)})),
        "coordinates alone": Case(plain(), TRANSFORM, None),
        "nothing": Case(xr.DataArray(image(), dims=("y", "x")), None, None),
        "labels of something else": Case(xr.DataArray(image(3, 4), dims=("a", "b"), coords={"a": [1.0, 2, 4], "b": [1.0, 10, 100, 1e3]}), None, None),
    }  # fmt: skip


def _of_points(folder: Any) -> dict[str, Case]:
    """Ground control points."""
    points = [(point.col, point.row) for point in GCPS]
    bare = xr.DataArray(image(), dims=("y", "x")).rio.write_gcps(GCPS, "EPSG:4326")
    file = opened(folder, Affine.identity(), gcps=GCPS, crs=4326)
    with rasterio.open(folder / "opened.tif") as source:
        box = GCPGeoBox.from_rio(source)
    odc = xr.DataArray(image(), dims=("y", "x"), coords=xr_coords(box, always_yx=True))
    counted = bare.assign_coords(y=np.arange(60) + 0.5, x=np.arange(70) + 0.5)
    result = {"points": Case(bare, None, 4326, points), "points of a file": Case(file, None, 4326, points)}
    for name, array in (("odc-geo", odc), ("counted", counted)):
        result[f"points, {name}"] = Case(array, None, 4326, points)
        cut = [((column - 7 + 0.5) / 2, row - 5) for column, row in points]
        result[f"points, {name}, cut"] = Case(array[5:, 7::2], None, 4326, cut)
    return result


def _of_others(folder: Any) -> dict[str, Case]:
    """Axes of other names, orders, and types."""
    degrees = Affine(0.25, 0, 0, 0, -0.25, 10)
    crs = {"spatial_ref": spatial_ref(crs_wkt=pyproj.CRS(4326).to_wkt())}
    mercator = {"spatial_ref": spatial_ref(crs_wkt=WKT)}
    result = {
        f"{rows}, {columns}": Case(plain(degrees, dims=(rows, columns), **crs), degrees, 4326)
        for rows, columns in (("lat", "lon"), ("latitude", "longitude"), ("Lat", "Lon"), ("Y", "X"), ("rlat", "rlon"))
    }
    called = plain(degrees, dims=("a", "b"), **crs)
    called["a"].attrs["standard_name"], called["b"].attrs["standard_name"] = "latitude", "longitude"
    along = xr.DataArray(
        image(),
        dims=("row", "col"),
        coords={"y": ("row", plain().y.values), "x": ("col", plain().x.values), **mercator},
    )
    world = Affine(1, 0, 0, 0, -1, 90)
    times = np.array(["2020-01-01", "2020-02-01"], "datetime64[ns]")
    cube = plain(**mercator).expand_dims(time=times)
    return result | {
        "standard names, transposed": Case(called.T, degrees, 4326),
        "coordinates along dimensions": Case(along, TRANSFORM),
        "longitudes to 360": Case(plain(world, (180, 360), ("lat", "lon"), **crs), world, 4326),
        "integers": Case(plain(Affine(2, 0, 7, 0, -2, 9), **mercator).astype("uint8").pipe(_integer_axes), Affine(2, 0, 7, 0, -2, 9)),
        "times": Case(cube, TRANSFORM),
        "times last": Case(cube.transpose("x", "y", "time"), TRANSFORM),
        "Dataset": Case(xr.Dataset({"a": cube, "b": plain(**mercator), "c": ("t", [1.0, 2])}), TRANSFORM),
        "list": Case([plain(**mercator), plain(**mercator)], TRANSFORM),
        "Dask": Case(cube.chunk({"x": 20}), TRANSFORM),
        "float32 of a hundredth": Case(_hundredths(**crs), Affine(0.01, 0, -180, 0, -0.01, 60.3), 4326),
    }  # fmt: skip


def _integer_axes(array: xr.DataArray) -> xr.DataArray:
    return array.assign_coords(x=array.x.astype("int32"), y=array.y.astype("int64"))


def _hundredths(**coords: Any) -> xr.DataArray:
    x = (-180 + 0.01 * (np.arange(36000) + 0.5)).astype("float32")
    y = (60.3 - 0.01 * (np.arange(8) + 0.5)).astype("float32")
    return xr.DataArray(np.zeros((8, 36000), "uint8"), dims=("lat", "lon"), coords={"lat": y, "lon": x, **coords})
