"""Axes of pixel centers: even spacing and units, and errors for all other axes."""

from __future__ import annotations

import warnings

import numpy as np
import pyproj
import pytest
import rasterio.errors
import xarray as xr
from affine import Affine
from conftest import look
from georeferenced import TRANSFORM, WKT, plain, spatial_ref

import cogsmith
from cogsmith import _axes, _units

GOES = (
    'PROJCRS["GOES",BASEGEOGCRS["g",DATUM["d",ELLIPSOID["GRS80",6378137,298.257222096]]],CONVERSION["c",'
    'METHOD["Geostationary Satellite (Sweep X)"],PARAMETER["Longitude of natural origin",-75],'
    'PARAMETER["Satellite Height",35786023],PARAMETER["False easting",0],PARAMETER["False northing",0]],'
    'CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
)


def transform_of(array, **options):
    return tuple(look(cogsmith.write(array, ":mem:", **options)).profile["transform"])[:6]


def reference(values, dtype):
    """Returns whether coordinates are even by the rule in docs/python.md, in exact arithmetic."""
    from fractions import Fraction

    exact = [Fraction(float(value)) for value in values]
    step = (exact[-1] - exact[0]) / (len(exact) - 1)
    ulp = np.spacing(np.abs(values).max()) if np.dtype(dtype).kind == "f" else 0
    tolerance = max(abs(step) / 1000, Fraction(float(2 * ulp)))
    return step != 0 and all(abs(value - exact[0] - step * i) <= tolerance for i, value in enumerate(exact))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", [0.01, 1 / 12, 1 / 120, 0.25, 30.0, 463.3127165279165])
def test_even_is_what_the_rule_says(dtype, step):
    generator = np.random.default_rng(7)
    seen = set()
    for count in (3, 4, 50, 2000):
        for start in (-179.995, 0.0, 399960.0, 5e6):
            for noise in (0, 1e-4, 9e-4, 1.2e-3, 0.1):
                values = start + step * np.arange(count)
                values[1:-1] += step * noise * generator.choice([-1, 1], count - 2)
                values = values.astype(dtype)
                expected = reference(values, dtype)
                single = dtype == "float64" and (values.astype("float32") == values).all()
                try:
                    axis = _axes.read("x", values)
                except _axes.UnevenAxis:
                    assert not expected, (count, start, noise)
                else:
                    assert expected or single, (count, start, noise)
                    ulp = 2 * float(np.spacing(np.abs(values).max()))
                    centers = axis.edge + axis.step * (np.arange(count) + 0.5)
                    assert np.abs(centers - values)[[0, -1]].max() <= max(ulp, 2e-6 * step)
                seen.add(expected)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("step", "count", "start"),
    [(0.01, 36000, -180), (0.01, 18000, -90), (1 / 12, 4320, -180), (1 / 120, 43200, -180), (0.05, 7200, -180),
     (0.1, 31, 20), (1 / 1200, 1200, 9), (0.25, 1440, 0), (30, 500, 399960)],
)  # fmt: skip
def test_steps_of_single_precision_are_the_numbers_that_were_meant(step, count, start):
    for sign in (1, -1):
        values = (start + step * (np.arange(count) + 0.5))[::sign].astype("float32")
        axis = _axes.read("lon", values, degrees=True)
        assert axis.step == sign * step
        assert axis.edge == pytest.approx(start if sign == 1 else start + step * count, abs=1e-9)


def test_coordinates_that_are_exact_stay_as_they_are():
    assert _axes.read("x", np.float32(1e6) + np.arange(500, dtype="float32") * 30.5).edge == 999984.75
    assert _axes.read("x", np.arange(5, dtype="uint8")[::-1]) .step == -1
    assert _axes.read("x", np.array([1, 2, 4], "uint8") * 0 + [7, 9, 11]).edge == 6
    odd = 463.312716527917
    assert _axes.read("x", odd * np.arange(2400)).step == pytest.approx(odd, rel=1e-13)
    assert _axes.read("x", np.array([5000000.5, 5000011.0], "float32")).step == 10.5


@pytest.mark.parametrize("count", [2, 3, 30])
@pytest.mark.parametrize(
    ("edge", "step"), [(13 / 6, 0.4), (399960.1234567891, 10.0), (-0.35 / 6, 0.04), (1528132.7819251418, 14.174683828409385)]
)
def test_numbers_of_many_digits_are_not_cut_short(edge, step, count):
    """In double precision, an edge or a step that only starts with the digits of a short decimal keeps all its digits."""
    axis = _axes.read("x", edge + step * (np.arange(count) + 0.5))
    ulp = np.spacing(edge + step * count)
    assert abs(axis.edge - edge) <= 4 * ulp and abs(axis.step - step) <= 4 * ulp


def test_what_padding_leaves_is_extrapolated():
    axis = _axes.read("x", [np.nan, np.nan, 1.5, 2.5, np.nan])
    assert (axis.edge, axis.step, axis.count) == (-1, 1, 5)
    with pytest.raises(ValueError, match="'x' at index 2 is nan"):
        _axes.read("x", [0, 1, np.nan, 3])
    with pytest.raises(ValueError, match="not finite"):
        _axes.read("x", [np.nan] * 3)


GAUSSIAN = np.degrees(np.arcsin(np.linspace(0.99, -0.99, 60)))
WRAPPED = (np.arange(0.5, 360) + 180) % 360 - 180


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        (GAUSSIAN, np.arange(70.0), ["'lat'", "not evenly spaced", "index 1 to 2", "73.0266568", "-5.6", "-8.8", ".interp"]),
        (np.arange(60.0), WRAPPED, ["'lon'", "not sorted", "index 179 to 180", "179.5 to -179.5", "-359", "sortby('lon')"]),
        (np.arange(60.0), np.r_[0:69, 70], ["'lon'", "index 68 to 69", "is 2, not 1 as before"]),
        (np.zeros(60), np.arange(70.0), ["'lat'", "index 0 to 1", "is 0, so all pixels coincide"]),
        (np.r_[0.0, 2, 1, np.arange(3, 60)], np.arange(70), ["'lat'", "not sorted", "index 1 to 2", "sortby('lat')"]),
    ],
    ids=["Gaussian", "wrapped", "gap", "constant", "shuffled"],
)  # fmt: skip
def test_axes_that_no_transform_gives_are_errors(lat, lon, words):
    shape = len(lat), len(lon)
    array = xr.DataArray(np.zeros(shape, "uint8"), dims=("lat", "lon"), coords={"lat": lat, "lon": lon})
    for write in (
        lambda: cogsmith.write(array, ":mem:", crs=4326),
        lambda: cogsmith.to_cog(array, crs=4326),
        lambda: cogsmith.write(array.to_dataset(name="a"), ":mem:"),
        lambda: cogsmith.write([array], ":mem:"),
        lambda: cogsmith.write(array.chunk(), ":mem:"),
    ):
        with pytest.raises(ValueError) as error:
            write()
        for word in [*words, "transform=", "gcps="]:
            assert word in str(error.value)
    # With an explicit position, it is written.
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        assert transform_of(array, crs=4326, transform=TRANSFORM) == tuple(TRANSFORM)[:6]
        points = [(0, 0, 10, 50), (70, 0, 11, 50), (0, 60, 10, 49), (70, 60, 11, 49)]
        assert len(look(cogsmith.to_cog(array, crs=4326, gcps=points)).gcps[0]) == 4
        assert transform_of(array.drop_vars(["lat", "lon"])) == tuple(Affine.identity())[:6]


def test_axes_with_two_dimensions():
    lat, lon = np.meshgrid(np.arange(60.0) ** 2 / 60, np.arange(70.0), indexing="ij")
    coords = {"lat": (("y", "x"), lat), "lon": (("y", "x"), lon)}
    array = xr.DataArray(np.zeros((60, 70), "uint8"), dims=("y", "x"), coords=coords)
    for crs in (None, 4326, 32633):
        with pytest.raises(ValueError, match="'lat' and 'lon' are two-dimensional"):
            cogsmith.write(array, ":mem:", crs=crs)
    # Next to the coordinates of a map they have no meaning.
    on_map = plain(spatial_ref=spatial_ref(crs_wkt=WKT)).assign_coords(coords)
    assert transform_of(on_map) == tuple(TRANSFORM)[:6]
    stored = array.assign_coords(m=spatial_ref(crs_wkt=WKT, GeoTransform="399960 10 0 5000040 0 -10"))
    assert transform_of(stored) == tuple(TRANSFORM)[:6]
    # Even coordinates are a transform, also a rotated one.
    turned = Affine.translation(10, 50) * Affine.rotation(20) * Affine.scale(0.1, -0.1)
    x, y = turned * np.meshgrid(np.arange(70) + 0.5, np.arange(60) + 0.5)
    even = array.assign_coords(lat=(("y", "x"), y), lon=(("y", "x"), x))
    np.testing.assert_allclose(transform_of(even, crs=4326), tuple(turned)[:6], atol=1e-12)
    cut = turned * Affine.translation(7, 4) * Affine.scale(2, 2) * Affine.translation(-0.25, -0.25)
    for part in (even[4::2, 7::2], even[4::2, 7::2].T, even.chunk(x=9)[4::2, 7::2].compute()):
        np.testing.assert_allclose(transform_of(part, crs=4326), tuple(cut)[:6], atol=1e-12)


def test_one_pixel_without_a_size():
    array = plain(spatial_ref=spatial_ref(crs_wkt=WKT)).isel(x=[3])
    with pytest.raises(ValueError, match="'x' has only one coordinate, 399995, so its pixel size is unknown"):
        cogsmith.write(array, ":mem:")
    assert transform_of(array, transform=TRANSFORM) == tuple(TRANSFORM)[:6]


@pytest.mark.parametrize("labels", [None, [str(label) for label in range(60)], np.arange(60).astype("datetime64[D]")])
def test_one_axis_without_numbers(labels):
    array = plain(spatial_ref=spatial_ref(crs_wkt=WKT)).drop_vars("y")
    array = array if labels is None else array.assign_coords(y=labels)
    with pytest.raises(ValueError, match="the axis 'y' has no numeric coordinates"):
        cogsmith.write(array, ":mem:")
    assert transform_of(array, transform=TRANSFORM) == tuple(TRANSFORM)[:6]
    array.spatial_ref.attrs["GeoTransform"] = "399960 10 0 5000040 0 -10"
    assert transform_of(array[:, 7:]) == (10, 0, 400030, 0, -10, 5000040)


# Units ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [("m", 1), ("metre", 1), ("meters", 1), ("Meters", 1), ("km", 1e3), ("KM", 1e3), ("kilometers", 1e3),
     ("kilometre", 1e3), ("cm", 0.01), ("mm", 0.001), ("dam", 10), ("Mm", 1e6), ("100 m", 100), ("1000m", 1e3),
     ("1e3 m", 1e3), ("0.304800609601219 metre", 0.304800609601219), ("foot", 0.3048), ("ft", 0.3048), ("feet", 0.3048),
     ("US_survey_foot", 1200 / 3937), ("US survey foot", 1200 / 3937), ("us-ft", 1200 / 3937),
     ("nautical_mile", 1852), ("yard", 0.9144)],
)  # fmt: skip
def test_units_of_length(text, size):
    assert _units.parse(text) == _units.Unit("length", pytest.approx(size, rel=1e-15))
    crs = "+proj=laea +lat_0=10 +lon_0=25 +ellps=GRS80 +units=km"
    array = plain(Affine(10, 0, 20, 0, -10, 40))
    array.x.attrs["units"] = array.y.attrs["units"] = text
    expected = [value * size / 1000 for value in (10, 0, 20, 0, -10, 40)]
    np.testing.assert_allclose(transform_of(array, crs=crs), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("degrees_north", 1), ("degree_N", 1), ("degreeN", 1), ("degrees", 1), ("degree", 1), ("deg", 1),
     ("Degrees North", 1), ("radian", 180 / np.pi), ("radians", 180 / np.pi), ("rad", 180 / np.pi), ("gon", 0.9),
     ("arcsec", 1 / 3600), ("arc_minute", 1 / 60), ("degrees_south", -1)],
)  # fmt: skip
def test_units_of_angle(text, degrees):
    array = plain(Affine(0.5, 0, 2, 0, -0.5, 4), dims=("lat", "lon"))
    array.lat.attrs["units"] = text
    expected = (0.5, 0, 2, 0, -0.5 * degrees, 4 * degrees)
    np.testing.assert_allclose(transform_of(array, crs=4326), expected, rtol=1e-12)


@pytest.mark.parametrize("text", [None, "", "1", "unknown", "none", "-", 1])
def test_texts_that_are_no_unit(text):
    array = plain()
    array.x.attrs["units"] = array.y.attrs["units"] = text
    assert transform_of(array, crs=32633) == tuple(TRANSFORM)[:6]


@pytest.mark.parametrize(
    ("text", "crs", "words"),
    [("furlongs", 32633, "'x' have units='furlongs'"), ("K", 32633, "not a unit of length or angle"),
     ("degrees_east", 32633, "but the CRS uses lengths"), ("m", 4326, "but the CRS uses angles")],
)  # fmt: skip
def test_other_units_are_errors(text, crs, words):
    array = plain()
    array.x.attrs["units"] = text
    for write in (cogsmith.to_cog, lambda array, **options: cogsmith.write(array, ":mem:", **options)):
        with pytest.raises(ValueError, match=words) as error:
            write(array, crs=crs)
        assert "'x'" in str(error.value) and "attrs['units']" in str(error.value)
    assert transform_of(array, crs=crs, transform=TRANSFORM) == tuple(TRANSFORM)[:6]
    # Without a CRS there is nothing to convert to.
    assert transform_of(array) == tuple(TRANSFORM)[:6]


def test_feet_are_those_of_the_crs():
    array = plain(Affine(100, 0, 900000, 0, -100, 200000))
    for text in ("ft", "foot", "US survey foot", "0.304800609601219 metre"):
        array.x.attrs["units"] = array.y.attrs["units"] = text
        assert transform_of(array, crs=2263) == (100, 0, 900000, 0, -100, 200000)
    array.x.attrs["units"] = array.y.attrs["units"] = "m"
    np.testing.assert_allclose(transform_of(array, crs=2263)[0], 100 * 3937 / 1200)


@pytest.mark.parametrize(("text", "size"), [("rad", 1), ("radian", 1), ("microradian", 1e-6), ("microradians", 1e-6)])
def test_scan_angles_of_a_geostationary_satellite(text, size):
    step, edge = 5.6e-5 / size, -0.151872 / size
    array = plain(Affine(step, 0, edge, 0, -step, -edge), crs=spatial_ref(crs_wkt=GOES))
    array = array.assign_coords(x=array.x.astype("float32"), y=array.y.astype("float32"))
    array.x.attrs["units"] = array.y.attrs["units"] = text
    height = 35786023
    found = transform_of(array)
    np.testing.assert_allclose(found[::4], (5.6e-5 * height, -5.6e-5 * height), rtol=1e-7)
    np.testing.assert_allclose(found[2], -0.151872 * height, rtol=1e-7)


def test_km_from_a_file_of_a_grid_mapping():
    """Grids as the National Snow and Ice Data Center's: kilometers with a CRS in meters."""
    array = plain(Affine(25, 0, -3850, 0, -25, 5850), dims=("yc", "xc"))
    array.xc.attrs = {"units": "km", "standard_name": "projection_x_coordinate"}
    array.yc.attrs = {"units": "km", "standard_name": "projection_y_coordinate"}
    mapping = {
        "grid_mapping_name": "polar_stereographic", "straight_vertical_longitude_from_pole": -45.0,
        "latitude_of_projection_origin": 90.0, "standard_parallel": 70.0, "semi_major_axis": 6378137.0,
        "inverse_flattening": 298.257223563, "false_easting": 0.0, "false_northing": 0.0,
    }  # fmt: skip
    data = xr.Dataset({"ice": array.assign_attrs(grid_mapping="crs"), "crs": ((), 0, mapping)})
    seen = look(cogsmith.write(data, ":mem:"))
    assert tuple(seen.profile["transform"])[:6] == (25000, 0, -3850000, 0, -25000, 5850000)
    found = pyproj.CRS(seen.profile["crs"].to_wkt())
    assert found.to_cf()["standard_parallel"] == 70 and seen.profile["count"] == 1
