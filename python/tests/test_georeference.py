"""Georeferences and band properties, from every place where an array can keep them."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pyproj
import pytest
import rasterio
import rioxarray  # noqa: F401 - registers its accessor
import xarray as xr
from affine import Affine
from conftest import geobox, image, look, raster
from odc.geo.crs import CRS as OdcCrs
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

import cogsmith
from cogsmith._crs import crs_text

SHAPE = (60, 70)
TRANSFORM = Affine(10, 0, 399960, 0, -10, 5000040)


def where(array, **options):
    seen = look(cogsmith.to_cog(array, **options))
    return seen.profile["crs"], seen.profile["transform"]


def plain(**coords):
    """A DataArray built without any other library."""
    x = 399960 + 10 * (np.arange(70) + 0.5)
    y = 5000040 - 10 * (np.arange(60) + 0.5)
    return xr.DataArray(image(SHAPE), dims=("y", "x"), coords={"x": x, "y": y, **coords})


def spatial_ref(**attributes):
    return xr.DataArray(0, attrs=attributes)


WKT = pyproj.CRS(32633).to_wkt()


@pytest.mark.parametrize(
    "crs",
    [
        32633, np.int64(32633), "32633", "EPSG:32633", "epsg:32633", pyproj.CRS(32633), rasterio.crs.CRS.from_epsg(32633),
        OdcCrs("EPSG:32633"), WKT, pyproj.CRS(32633).to_wkt("WKT1_GDAL"), pyproj.CRS(32633).to_json(),
        pyproj.CRS(32633).to_json_dict(), rasterio.crs.CRS.from_epsg(32633).to_wkt(), {"init": "epsg:32633"},
    ],
    ids=lambda crs: f"{type(crs).__module__}.{type(crs).__name__} {str(crs)[:15]}",
)  # fmt: skip
def test_a_crs_of_any_kind(crs):
    got, transform = where(image(SHAPE), crs=crs, transform=TRANSFORM)
    assert got.to_epsg() == 32633 and transform == TRANSFORM


def test_what_is_no_crs():
    for crs in (object(), 3.5, [1, 2]):
        with pytest.raises(TypeError, match="is not a coordinate reference system"):
            where(image(SHAPE), crs=crs, transform=TRANSFORM)
    for crs in ("EPSG:1", "nonsense", 99999999):
        with pytest.raises(ValueError):
            where(image(SHAPE), crs=crs, transform=TRANSFORM)


def test_codes_that_are_not_of_epsg_are_taken_by_their_wkt():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        google = pyproj.CRS("EPSG:900913"), OdcCrs("EPSG:900913")
    for crs in (*google, pyproj.CRS("ESRI:102008"), rasterio.crs.CRS.from_string("ESRI:102008")):
        got, _ = where(image(SHAPE), crs=crs, transform=TRANSFORM)
        expected = pyproj.CRS(crs.to_wkt() if hasattr(crs, "to_wkt") else crs.wkt)
        assert pyproj.CRS(got.to_wkt()).to_dict()["proj"] == expected.to_dict()["proj"]
    with pytest.raises(ValueError, match="EPSG:900913"):
        where(image(SHAPE), crs="EPSG:900913", transform=TRANSFORM)


def test_one_crs_is_one_file_whatever_object_it_comes_from():
    forms = [32633, WKT, pyproj.CRS(32633), pyproj.CRS(32633).to_wkt("WKT1_GDAL"), OdcCrs("EPSG:32633"), "epsg:32633"]
    written = {cogsmith.to_cog(image(SHAPE), crs=crs, transform=TRANSFORM) for crs in forms}
    written.add(cogsmith.to_cog(plain(spatial_ref=spatial_ref(crs_wkt=WKT))))
    written.add(cogsmith.to_cog(raster(image(SHAPE))))
    assert len(written) == 1
    # Also as bands of one file; a definition that only claims the code keeps its parameters.
    bands = [plain(crs=spatial_ref(crs_wkt=form)) for form in (WKT, forms[3])]
    assert look(cogsmith.write(bands, ":mem:")).profile["count"] == 2
    shifted = WKT.replace("500000", "600000")
    assert shifted != WKT
    got = where(image(SHAPE), crs=shifted, transform=TRANSFORM)[0]
    assert pyproj.CRS(got.to_wkt()).to_cf()["false_easting"] == 600000
    epoch = f"COORDINATEMETADATA[{pyproj.CRS(9000).to_wkt()},EPOCH[2021.3]]"
    assert crs_text(epoch) == epoch


def test_a_crs_without_a_code():
    text = "+proj=laea +lat_0=10 +lon_0=25 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m"
    for crs in (text, pyproj.CRS(text), rasterio.crs.CRS.from_string(text), OdcCrs(text)):
        got, _ = where(image(SHAPE), crs=crs, transform=TRANSFORM)
        assert got.to_dict()["proj"] == "laea" and got.to_dict()["lat_0"] == 10


@pytest.mark.parametrize("transform", [TRANSFORM, tuple(TRANSFORM)[:6], list(TRANSFORM), np.array(TRANSFORM[:6])])
def test_a_transform_of_any_kind(transform):
    assert where(image(SHAPE), crs=32633, transform=transform)[1] == TRANSFORM


@pytest.mark.parametrize(
    "transform", [(1, 2, 3), "abc", 7, (0, 0, 1, 0, 0, 1), (np.nan, 0, 0, 0, 1, 0), (1, 0, 0, 0, -1, 0, 0, 0, 2)]
)
def test_what_is_no_transform(transform):
    with pytest.raises((TypeError, ValueError), match="transform"):
        where(image(SHAPE), crs=32633, transform=transform)


#: In GDAL's order.
GDALS = [
    (399960, 10, 0, 5000040, 0, -10), (-180, 0.25, 0, 90, 0, -0.25), (-180, 10, 0, 90, 0, -10), (0, 10, 0, 0, 0, -10),
    (0, 10, 0, 5000040, 0, -10), (399960, 8.66, 5, 5000040, 5, -8.66), (10, 0.001, 0, 50, 0, -0.001),
]  # fmt: skip


def everywhere(**options):
    """Writes in every way that takes a transform."""
    yield lambda: cogsmith.write(image(SHAPE), ":mem:", crs=32633, **options)
    yield lambda: cogsmith.to_cog(image(SHAPE), crs=32633, **options)
    yield lambda: cogsmith.write_cog(raster(image(SHAPE)), ":mem:", **{name.upper(): it for name, it in options.items()})
    yield lambda: cogsmith._write_cog(image(SHAPE), geobox(SHAPE), ":mem:", **options)
    yield lambda: cogsmith.write([image(SHAPE)], ":mem:", crs=32633, **options)
    yield lambda: raster(image(SHAPE)).cogsmith.write(":mem:", **options)

    def rows():
        with cogsmith.CogWriter(":mem:", shape=SHAPE, dtype="uint16", crs=32633, **options) as cog:
            cog.push(image(SHAPE))
        return cog.result

    yield rows


@pytest.mark.parametrize("numbers", GDALS)
def test_the_order_of_a_transform(numbers):
    expected = Affine.from_gdal(*numbers)
    for kind in (tuple, list, np.array):
        for write in everywhere(transform=kind(numbers)):
            with pytest.raises(ValueError, match="geotransform=") as error:
                write()
            # Both readings, and the numbers in the right order.
            shown = ", ".join(f"{number:.15g}" for number in tuple(expected)[:6])
            assert "as a, b, c, d, e, f it means" in str(error.value) and "as a geotransform" in str(error.value)
            assert f"transform=({shown})" in str(error.value)
        for write in everywhere(geotransform=kind(numbers)):
            assert look(write()).profile["transform"] == expected
    for write in everywhere(transform=expected):
        assert look(write()).profile["transform"] == expected


@pytest.mark.parametrize(
    "numbers",
    [(10, 0, 399960, 0, -10, 5000040), (8.66, 5, 399960, 5, -8.66, 5000040), (0, 10, 399960, -10, 0, 5000040),
     (1000, 0, 0, 0, -0.5, 0), (0.01, 0, 0, 0, 300, 0), (10, 2, 0, 0, -10, 0), (-10, 0, 5, 0, 10, 7)],
)  # fmt: skip
def test_the_order_of_affine(numbers):
    assert tuple(where(image(SHAPE), crs=32633, transform=numbers)[1])[:6] == numbers
    with pytest.raises(ValueError, match="pass it as transform="):
        where(image(SHAPE), crs=32633, geotransform=numbers)


def test_one_transform_is_enough():
    numbers = GDALS[0]
    with pytest.raises(ValueError, match="both set the transform"):
        where(image(SHAPE), crs=32633, transform=Affine.from_gdal(*numbers), geotransform=numbers)
    with pytest.raises(ValueError, match="option 'transform' contradicts 'gcps'"):
        where(image(SHAPE), crs=32633, geotransform=numbers, gcps=[(0, 0, 1, 1)])
    with pytest.raises(TypeError, match="pass it as transform="):
        where(image(SHAPE), crs=32633, geotransform=TRANSFORM)
    for wrong in ((1, 2, 3), "abc", 7, (0, np.nan, 0, 0, 0, -1)):
        with pytest.raises((TypeError, ValueError), match="geotransform"):
            where(image(SHAPE), crs=32633, geotransform=wrong)


def test_odc_geo():
    assert where(raster(image(SHAPE))) == (rasterio.crs.CRS.from_epsg(32633), TRANSFORM)
    # A part of it has another position.
    assert where(raster(image(SHAPE))[5:, 7:])[1] == TRANSFORM * Affine.translation(7, 5)
    assert where(raster(image(SHAPE))[::2, ::2])[1] == TRANSFORM * Affine.scale(2) * Affine.translation(-0.25, -0.25)
    rotated = GeoBox(SHAPE, TRANSFORM * Affine.rotation(30), 32633)
    array = xr.DataArray(image(SHAPE), dims=("y", "x"), coords=xr_coords(rotated, always_yx=True))
    assert where(array)[1].almost_equals(rotated.transform)


def test_latitude_and_longitude():
    box = GeoBox(SHAPE, Affine(0.1, 0, 10, 0, -0.1, 50), 4326)
    array = xr.DataArray(image(SHAPE), dims=("latitude", "longitude"), coords=xr_coords(box))
    assert where(array) == (rasterio.crs.CRS.from_epsg(4326), box.transform)


def test_rioxarray():
    array = xr.DataArray(image(SHAPE), dims=("y", "x")).rio.write_crs(32633).rio.write_transform(TRANSFORM)
    assert where(array) == (rasterio.crs.CRS.from_epsg(32633), TRANSFORM)
    named = xr.DataArray(image(SHAPE), dims=("r", "c")).rio.set_spatial_dims("c", "r").rio.write_crs(32633)
    assert where(named.rio.write_transform(TRANSFORM))[1] == TRANSFORM


def test_rioxarray_and_back(tmp_path):
    path = tmp_path / "a.tif"
    cogsmith.write(image((3, *SHAPE)), path, crs=32633, transform=TRANSFORM, nodata=7, band_names=["r", "g", "b"])
    for masked in (False, True):
        with rioxarray.open_rasterio(path, masked=masked) as array:
            seen = look(cogsmith.to_cog(array))
            assert (seen.profile["crs"].to_epsg(), seen.profile["transform"]) == (32633, TRANSFORM)
            assert seen.descriptions == ("r", "g", "b")
            assert seen.profile["nodata"] == 7
            np.testing.assert_array_equal(seen.levels[0], look(path).levels[0])


def test_gcps_of_rioxarray_and_odc_geo():
    from rasterio.control import GroundControlPoint as Gcp

    points = [Gcp(0, 0, 10, 50), Gcp(0, 70, 11, 50.1), Gcp(60, 0, 10.1, 49), Gcp(60, 70, 11.1, 49.1)]
    array = xr.DataArray(image(SHAPE), dims=("y", "x")).rio.write_gcps(points, "EPSG:4326")
    seen = look(cogsmith.to_cog(array))
    assert [(p.row, p.col, p.x, p.y) for p in seen.gcps[0]] == [(p.row, p.col, p.x, p.y) for p in points]
    assert seen.gcps[1].to_epsg() == 4326


def test_datacubes_own_attribute():
    class Array:
        data, attrs, geobox = image(SHAPE), {"nodata": 3}, geobox(SHAPE)

    seen = look(cogsmith.write_cog(Array(), ":mem:"))
    assert (seen.profile["transform"], seen.profile["nodata"]) == (TRANSFORM, 3)
    Array.data = np.dstack([image(SHAPE)] * 4)
    assert look(cogsmith.write_cog(Array(), ":mem:")).profile["count"] == 4
    Array.data = image((61, 70))
    Array.data = np.dstack([image((61, 70))] * 4)
    with pytest.raises(ValueError, match="GeoBox shape does not match image shape"):
        cogsmith.write_cog(Array(), ":mem:")


@pytest.mark.parametrize(
    "array",
    [
        plain(spatial_ref=spatial_ref(spatial_ref=WKT)),
        plain(spatial_ref=spatial_ref(crs_wkt=WKT)),
        plain(crs=spatial_ref(crs_wkt=WKT)).assign_attrs(grid_mapping="crs"),
        plain(crs=spatial_ref(crs_wkt=WKT)).assign_attrs(grid_mapping="crs: x y"),
        plain().assign_attrs(crs="EPSG:32633"),
        plain().assign_attrs(crs="epsg:32633", nodata=1),
        plain(spatial_ref=spatial_ref(spatial_ref=WKT, GeoTransform="399960 10 0 5000040 0 -10")),
        plain().astype("float32"),
    ],
    ids=["spatial_ref", "crs_wkt", "grid_mapping", "extended grid_mapping", "attribute", "lower case", "both", "no crs"],
)
def test_conventions_of_cf_and_gdal_alone(array, tmp_path):
    """Runs in a process without odc-geo, rioxarray, pyproj, and rasterio."""
    script = f"""
import pickle, sys
for name in ("odc", "odc.geo", "rioxarray", "rasterio", "pyproj", "dask"):
    sys.modules[name] = None
array = pickle.load(open({str(tmp_path / "array")!r}, "rb"))
import cogsmith
open({str(tmp_path / "out.tif")!r}, "wb").write(cogsmith.to_cog(array, **{{}}))
"""
    import pickle

    expected = array.attrs.get("crs") or array.attrs.get("grid_mapping") or "spatial_ref" in array.coords
    (tmp_path / "array").write_bytes(pickle.dumps(array))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    if not expected:
        assert "ValueError: Need geo-registered array on input" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    seen = look(tmp_path / "out.tif")
    assert seen.profile["crs"].to_epsg() == 32633 and seen.profile["transform"] == TRANSFORM


def test_south_up(tmp_path):
    box = GeoBox(SHAPE, Affine(10, 0, 399960, 0, 10, 4999440), 32633)
    array = xr.DataArray(image(SHAPE), dims=("y", "x"), coords=xr_coords(box, always_yx=True))
    assert where(array)[1] == box.transform


def test_columns_before_rows():
    array = raster(image((2, *SHAPE)))
    expected = cogsmith.to_cog(array)
    assert cogsmith.to_cog(array.transpose("x", "y", "band")) == expected
    assert cogsmith.to_cog(array[0].transpose("x", "y")) == cogsmith.to_cog(array[0])


def test_explicit_values_come_first():
    other = (20, 0, 0, 0, -20, 0)
    crs, transform = where(raster(image(SHAPE)), crs=3857, transform=other)
    assert crs.to_epsg() == 3857 and tuple(transform)[:6] == other
    assert where(raster(image(SHAPE)), CRS="EPSG:3857") == (rasterio.crs.CRS.from_epsg(3857), TRANSFORM)


# Bands ----------------------------------------------------------------------------------------------------------------


def test_attributes_of_bands():
    array = raster(image(SHAPE), 0)
    array.attrs.update(scale_factor=0.0001, add_offset=-0.1, units="1", long_name="Red & near")
    seen = look(cogsmith.to_cog(array))
    assert (seen.scales, seen.offsets, seen.units) == ((0.0001,), (-0.1,), ("1",))
    assert seen.descriptions == ("Red & near",)


def test_attributes_of_odc_geo():
    array = raster(image((2, *SHAPE)))
    array.attrs.update(scales=0.1, offsets=[999, 1], units=["K", "m"], long_name=["t", "z"])
    seen = look(cogsmith.to_cog(array, tags={"random_tag": "random"}))
    assert (seen.scales, seen.offsets, seen.units) == ((0.1, 0.1), (999, 1), ("K", "m"))
    assert seen.tags["random_tag"] == "random" and seen.descriptions == ("t", "z")
    array.attrs["long_name"] = ["red", "green", "blue"]
    with pytest.raises(ValueError, match="long_name: expected one value per band, got 3 for 2 bands"):
        cogsmith.to_cog(array)


def test_names_along_the_axis_of_bands():
    array = raster(image((3, *SHAPE), "uint8")).assign_coords(band=["red", "green", "blue"])
    assert look(cogsmith.to_cog(array)).descriptions == ("red", "green", "blue")
    assert look(cogsmith.to_cog(raster(image(SHAPE)).rename("swir"))).descriptions == ("swir",)


def test_nodata_of_attributes_and_encoding():
    def nodata(array):
        return look(cogsmith.to_cog(array)).profile["nodata"]

    for name in ("nodata", "_FillValue", "missing_value"):
        assert nodata(raster(image(SHAPE, "int16")).assign_attrs({name: -999})) == -999
        array = raster(image(SHAPE, "int16"))
        array.encoding[name] = -998
        assert nodata(array) == -998
    both = raster(image(SHAPE, "int16"), -1)
    both.encoding["_FillValue"] = -2
    assert nodata(both) == -1


def test_decoded_arrays_get_their_nodata_back():
    """An array that was decoded has NaN where its file had nodata."""
    pixels = image(SHAPE, "float32")
    pixels[3:9, 4:20] = np.nan
    array = raster(pixels.astype(">f4"))
    array.encoding["_FillValue"] = -999.0
    seen = look(cogsmith.to_cog(array))
    assert seen.profile["nodata"] == -999
    np.testing.assert_array_equal(seen.levels[0][0], np.nan_to_num(pixels, nan=-999))
    # An attribute describes the array in memory.
    seen = look(cogsmith.to_cog(raster(pixels, -999.0)))
    np.testing.assert_array_equal(seen.levels[0][0], pixels)


# Datasets -------------------------------------------------------------------------------------------------------------


def dataset():
    variables = {name: raster(image(SHAPE, seed=place), 0) for place, name in enumerate(("red", "nir"))}
    variables["nir"].attrs["long_name"] = "near infrared"
    return xr.Dataset(variables)


def test_a_dataset_is_bands():
    data = dataset()
    for written in (cogsmith.write(data, ":mem:"), cogsmith.write([data.red, data.nir], ":mem:"), cogsmith.to_cog(data)):
        seen = look(written)
        np.testing.assert_array_equal(seen.levels[0], [data.red.values, data.nir.values])
        assert seen.descriptions == ("red", "near infrared")
        assert (seen.profile["transform"], seen.profile["nodata"]) == (TRANSFORM, 0)
    with pytest.raises(ValueError, match="band 2 is float32"):
        cogsmith.write(data.assign(nir=data.nir.astype("float32")), ":mem:")
    with pytest.raises(ValueError, match="band 2 has nodata 5, but the first"):
        cogsmith.write(data.assign(nir=data.nir.assign_attrs(nodata=5)), ":mem:")
    with pytest.raises(ValueError, match="band 2 has a different georeference"):
        cogsmith.write([data.red[:-1], data.nir[1:]], ":mem:")


def test_variables_without_rows_and_columns_are_left_aside():
    data = dataset().assign(when=((), 3.0))
    assert look(cogsmith.write(data, ":mem:")).profile["count"] == 2
    with pytest.raises(ValueError, match="rows and columns"):
        cogsmith.write(xr.Dataset({"a": ("t", [1.0])}), ":mem:")


def test_the_accessor(tmp_path):
    data = dataset()
    assert data.red.cogsmith.write(tmp_path / "a.tif", compress="lzw") == tmp_path / "a.tif"
    assert look(tmp_path / "a.tif").profile["compress"] == "lzw"
    assert data.cogsmith.write(":mem:") == cogsmith.write(data, ":mem:")
    assert data.red.cogsmith.to_cog() == cogsmith.to_cog(data.red)
    assert data.red.cogsmith.write_cog(":mem:", blocksize=256) == cogsmith.to_cog(data.red, blocksize=256)


@pytest.mark.parametrize("order", ["import cogsmith, xarray", "import xarray, cogsmith"])
def test_the_accessor_whichever_comes_first(order):
    script = f"{order}\nassert xarray.DataArray([[1]]).cogsmith and xarray.Dataset().cogsmith"
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_numpy_alone_is_imported():
    script = "import sys, cogsmith; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    names = set(done.stdout.split())
    assert "numpy" in names and not names & {"xarray", "dask", "rasterio", "odc", "pyproj", "pandas", "rioxarray"}
