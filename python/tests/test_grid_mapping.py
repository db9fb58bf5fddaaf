"""CRSs of CF grid mappings, wherever a raster keeps them; the oracle is pyproj."""

from __future__ import annotations

import warnings

import numpy as np
import pyproj
import pytest
import xarray as xr
from affine import Affine
from conftest import look
from georeferenced import TRANSFORM, WKT, image, plain, spatial_ref

import cogsmith
from cogsmith import _cf

SPHERE = {"earth_radius": 6371229.0}
WGS_84 = {"semi_major_axis": 6378137.0, "inverse_flattening": 298.257223563}
GRS_80 = {"semi_major_axis": 6378137.0, "semi_minor_axis": 6356752.314140356}

#: Grid mappings that GeoKeys can express.
MAPPINGS = [
    {"grid_mapping_name": "latitude_longitude", **WGS_84},
    {"grid_mapping_name": "latitude_longitude", **SPHERE},
    {"grid_mapping_name": "latitude_longitude"},
    {"grid_mapping_name": "latitude_longitude", "horizontal_datum_name": "North American Datum 1983"},
    {"grid_mapping_name": "latitude_longitude", "reference_ellipsoid_name": "Bessel 1841",
     "semi_major_axis": 6377397.155, "inverse_flattening": 299.1528128},
    {"grid_mapping_name": "latitude_longitude", "semi_major_axis": 6378249.2, "inverse_flattening": 293.466021293627,
     "longitude_of_prime_meridian": 2.33722917, "prime_meridian_name": "Paris"},
    {"grid_mapping_name": "albers_conical_equal_area", "standard_parallel": [29.5, 45.5],
     "latitude_of_projection_origin": 23.0, "longitude_of_central_meridian": -96.0, **GRS_80},
    {"grid_mapping_name": "albers_conical_equal_area", "standard_parallel": np.array([50.0, 58.5]),
     "latitude_of_projection_origin": 45.0, "longitude_of_central_meridian": -126.0, "false_easting": 1e6, **GRS_80},
    {"grid_mapping_name": "azimuthal_equidistant", "latitude_of_projection_origin": 53.0,
     "longitude_of_projection_origin": 24.0, "false_easting": 5837287.81977, "false_northing": 2121415.69617, **WGS_84},
    {"grid_mapping_name": "lambert_azimuthal_equal_area", "latitude_of_projection_origin": 52.0,
     "longitude_of_projection_origin": 10.0, "false_easting": 4321000.0, "false_northing": 3210000.0, **GRS_80},
    {"grid_mapping_name": "lambert_azimuthal_equal_area", "latitude_of_projection_origin": -90.0,
     "longitude_of_projection_origin": 0.0, **WGS_84},
    {"grid_mapping_name": "lambert_conformal_conic", "standard_parallel": [25.0, 60.0],
     "latitude_of_projection_origin": 42.5, "longitude_of_central_meridian": -100.0, **SPHERE},
    {"grid_mapping_name": "lambert_conformal_conic", "standard_parallel": 25.0,
     "latitude_of_projection_origin": 25.0, "longitude_of_central_meridian": -95.0, **SPHERE},
    {"grid_mapping_name": "lambert_conformal_conic", "standard_parallel": "30., 60.",
     "latitude_of_projection_origin": 47.5, "longitude_of_central_meridian": 13.3333, "false_easting": 4e5, **GRS_80},
    {"grid_mapping_name": "lambert_cylindrical_equal_area", "standard_parallel": 30.0,
     "longitude_of_central_meridian": 0.0, **WGS_84},
    {"grid_mapping_name": "mercator", "standard_parallel": 20.0, "longitude_of_projection_origin": -60.0, **SPHERE},
    {"grid_mapping_name": "mercator", "scale_factor_at_projection_origin": 0.9, "longitude_of_projection_origin": 5.0,
     **WGS_84},
    {"grid_mapping_name": "oblique_mercator", "azimuth_of_central_line": 30.0, "latitude_of_projection_origin": 45.0,
     "longitude_of_projection_origin": 10.0, "scale_factor_at_projection_origin": 0.9996, **WGS_84},
    {"grid_mapping_name": "orthographic", "latitude_of_projection_origin": 40.0,
     "longitude_of_projection_origin": -96.0, **WGS_84},
    {"grid_mapping_name": "polar_stereographic", "straight_vertical_longitude_from_pole": -45.0,
     "latitude_of_projection_origin": 90.0, "standard_parallel": 70.0, **WGS_84},
    {"grid_mapping_name": "polar_stereographic", "straight_vertical_longitude_from_pole": 0.0,
     "latitude_of_projection_origin": -90.0, "standard_parallel": -71.0, **WGS_84},
    {"grid_mapping_name": "polar_stereographic", "straight_vertical_longitude_from_pole": 0.0,
     "latitude_of_projection_origin": 90.0, "scale_factor_at_projection_origin": 0.994, "false_easting": 2e6,
     "false_northing": 2e6, **WGS_84},
    {"grid_mapping_name": "sinusoidal", "longitude_of_projection_origin": 0.0, "earth_radius": 6371007.181},
    {"grid_mapping_name": "stereographic", "latitude_of_projection_origin": 52.2,
     "longitude_of_projection_origin": 19.4, "scale_factor_at_projection_origin": 0.9999, **WGS_84},
    {"grid_mapping_name": "transverse_mercator", "latitude_of_projection_origin": 49.0,
     "longitude_of_central_meridian": -2.0, "scale_factor_at_central_meridian": 0.9996012717, "false_easting": 4e5,
     "false_northing": -1e5, "semi_major_axis": 6377563.396, "inverse_flattening": 299.3249646,
     "horizontal_datum_name": "Ordnance Survey of Great Britain 1936", "towgs84": [446.4, -125.2, 542.1, 0.15, 0.247, 0.842, -20.5]},
]  # fmt: skip

#: Grid mappings that only WKT can express; GDAL reads it from the citation of the keys.
CITED = [
    {"grid_mapping_name": "geostationary", "perspective_point_height": 35786023.0, "sweep_angle_axis": "x",
     "latitude_of_projection_origin": 0.0, "longitude_of_projection_origin": -75.0, **GRS_80},
    {"grid_mapping_name": "geostationary", "perspective_point_height": 35785831.0, "fixed_angle_axis": "x",
     "longitude_of_projection_origin": 9.5, "latitude_of_projection_origin": 0.0, **WGS_84},
    {"grid_mapping_name": "vertical_perspective", "perspective_point_height": 3e7,
     "latitude_of_projection_origin": 40.0, "longitude_of_projection_origin": -96.0, **WGS_84},
]  # fmt: skip


def names(mappings):
    return [mapping["grid_mapping_name"] for mapping in mappings]


def points(crs):
    """Returns the coordinates of some longitudes and latitudes in a CRS, without a change of datum."""
    base = pyproj.CRS(crs.geodetic_crs.to_json_dict())
    transformer = pyproj.Transformer.from_crs(base, crs, always_xy=True)
    stated = {parameter.name.lower(): parameter.value for parameter in crs.coordinate_operation.params}
    longitude = next(value for name, value in stated.items() if name.startswith("longitude"))
    latitude = next((value for name, value in stated.items() if name.startswith("latitude")), 1)
    latitudes = np.array([41.0, 30, 52, 60]) * (-1 if latitude < 0 else 1)
    return np.array(transformer.transform(longitude + np.array([-9.0, 3, 0, 14]), latitudes))


@pytest.mark.parametrize("mapping", [*MAPPINGS, *CITED], ids=names([*MAPPINGS, *CITED]))
def test_mappings_by_their_parameters(mapping):
    data = xr.Dataset({"a": plain().assign_attrs(grid_mapping="m"), "m": ((), 0, mapping)})
    seen = look(cogsmith.write(data, ":mem:"))
    assert tuple(seen.profile["transform"])[:6] == tuple(TRANSFORM)[:6] and seen.profile["count"] == 1
    found = pyproj.CRS(seen.profile["crs"].to_wkt())
    stated = {name: value for name, value in mapping.items() if name != "towgs84"}
    expected = pyproj.CRS.from_cf(stated)
    assert found.ellipsoid.semi_major_metre == pytest.approx(expected.ellipsoid.semi_major_metre, abs=1e-6)
    assert found.ellipsoid.semi_minor_metre == pytest.approx(expected.ellipsoid.semi_minor_metre, abs=1e-4)
    assert found.prime_meridian.longitude == pytest.approx(expected.prime_meridian.longitude, abs=1e-8)
    horizontal = found.source_crs if found.is_bound else found
    assert horizontal.is_projected == expected.is_projected
    if expected.is_projected:
        np.testing.assert_allclose(points(horizontal), points(expected), atol=1e-5)


@pytest.mark.parametrize(
    "code", [32633, 32733, 3413, 3031, 3035, 5070, 27700, 2154, 3395, 6933, 3034, 26985, 3979, 3995, 2193, 4326, 4258]
)
def test_codes_by_their_parameters_alone(code):
    """Only the parameters of an EPSG CRS are left."""
    crs = pyproj.CRS(code)
    mapping = crs.to_cf()
    mapping.pop("crs_wkt")
    data = xr.Dataset({"a": plain(), "m": ((), 0, mapping)})
    found = pyproj.CRS(look(cogsmith.write(data, ":mem:")).profile["crs"].to_wkt())
    assert found.ellipsoid.semi_minor_metre == pytest.approx(crs.ellipsoid.semi_minor_metre, abs=1e-4)
    assert found.datum.name.replace("_", " ").lower()[:8] == crs.datum.name.replace("_", " ").lower()[:8]
    if crs.is_projected:
        np.testing.assert_allclose(points(found), points(crs), atol=1e-4)


def test_a_rotated_pole():
    mapping = {
        "grid_mapping_name": "rotated_latitude_longitude", "grid_north_pole_latitude": 39.25,
        "grid_north_pole_longitude": -162.0, **SPHERE,
    }  # fmt: skip
    array = plain(Affine(0.1, 0, -10, 0, 0.1, -20), dims=("rlat", "rlon"), m=spatial_ref(**mapping))
    array.rlat.attrs["units"] = array.rlon.attrs["units"] = "degrees"
    seen = look(cogsmith.write(array.assign_attrs(grid_mapping="m"), ":mem:"))
    np.testing.assert_allclose(tuple(seen.profile["transform"])[:6], (0.1, 0, -10, 0, 0.1, -20), atol=1e-12)
    ours = pyproj.CRS(_cf.to_wkt(mapping))
    transformer = pyproj.Transformer.from_crs(pyproj.CRS.from_cf(mapping), ours, always_xy=True)
    np.testing.assert_allclose(transformer.transform([3, 4.0], [5, -6.0]), [[3, 4], [5, -6]], atol=1e-9)
    assert pyproj.CRS(seen.profile["crs"].to_wkt()).to_cf()["grid_north_pole_latitude"] == 39.25


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"grid_mapping_name": "krovak"}, "'krovak' is not supported"),
        ({"grid_mapping_name": "lambert_conformal_conic"}, "lacks standard_parallel"),
        ({"grid_mapping_name": "polar_stereographic", "latitude_of_projection_origin": 90.0}, "lacks straight_vertical"),
        ({"grid_mapping_name": "polar_stereographic", "latitude_of_projection_origin": -90.0, "standard_parallel": 71.0,
          "straight_vertical_longitude_from_pole": 0.0}, "standard parallel 71"),
        ({"grid_mapping_name": "sinusoidal", "latitude_of_projection_origin": 3.0}, "latitude_of_projection_origin=3"),
        ({"grid_mapping_name": "mercator", "standard_parallel": 3.0, "scale_factor_at_projection_origin": 0.9}, "scale factor"),
        ({"grid_mapping_name": "geostationary", "perspective_point_height": 3e7}, "lacks sweep_angle_axis"),
        ({"grid_mapping_name": "latitude_longitude", "horizontal_datum_name": "Atlantis 1900"}, "'Atlantis 1900' without"),
        ({"grid_mapping_name": "latitude_longitude", "semi_major_axis": "large"}, "semi_major_axis='large', not a number"),
        ({"grid_mapping_name": "latitude_longitude", "semi_major_axis": -1.0}, "impossible dimensions"),
    ],
    ids=lambda value: value["grid_mapping_name"] if isinstance(value, dict) else None,
)  # fmt: skip
def test_what_cannot_be_written_is_an_error_that_names_it(mapping, words):
    array = plain(m=spatial_ref(**mapping)).assign_attrs(grid_mapping="m")
    with pytest.raises(ValueError, match=words) as error:
        cogsmith.write(array, ":mem:")
    assert "pass the CRS as crs=" in str(error.value)
    assert look(cogsmith.write(array, ":mem:", crs=32633)).profile["crs"].to_epsg() == 32633


def test_one_axis_of_a_known_ellipsoid():
    def ellipsoid(**mapping):
        return pyproj.CRS(_cf.to_wkt({"grid_mapping_name": "latitude_longitude", **mapping})).ellipsoid

    assert ellipsoid(semi_major_axis=6378137.0).inverse_flattening == pytest.approx(298.257223563)
    assert ellipsoid(semi_major_axis=6371229.0).inverse_flattening == 0
    assert ellipsoid(earth_radius=np.array([6371229.0])).semi_major_metre == 6371229
    assert ellipsoid(semi_major_axis=6378137.0, inverse_flattening=0.0).semi_minor_metre == 6378137


def test_the_scale_of_a_cylinder_is_a_parallel():
    mapping = {"grid_mapping_name": "lambert_cylindrical_equal_area", "longitude_of_central_meridian": 0.0, **WGS_84}
    parallel = pyproj.CRS(_cf.to_wkt({**mapping, "standard_parallel": 30.0}))
    eccentricity = parallel.ellipsoid.inverse_flattening**-1 * (2 - parallel.ellipsoid.inverse_flattening**-1)
    scale = np.cos(np.radians(30)) / np.sqrt(1 - eccentricity * np.sin(np.radians(30)) ** 2)
    scaled = pyproj.CRS(_cf.to_wkt({**mapping, "scale_factor_at_projection_origin": scale}))
    np.testing.assert_allclose(points(scaled), points(parallel), atol=1e-6)


def test_false_origins_are_in_the_unit_of_the_axes():
    mapping = {
        "grid_mapping_name": "lambert_azimuthal_equal_area", "latitude_of_projection_origin": 52.0,
        "longitude_of_projection_origin": 10.0, "false_easting": 4321.0, "false_northing": 3210.0, **GRS_80,
    }  # fmt: skip
    array = plain(Affine(1, 0, 4000, 0, -1, 3000), m=spatial_ref(**mapping)).assign_attrs(grid_mapping="m")
    array.x.attrs["units"] = array.y.attrs["units"] = "km"
    seen = look(cogsmith.write(array, ":mem:"))
    assert tuple(seen.profile["transform"])[:6] == (1000, 0, 4e6, 0, -1000, 3e6)
    assert pyproj.CRS(seen.profile["crs"].to_wkt()).to_cf()["false_easting"] == 4321000


def test_a_name_that_leads_nowhere_is_a_warning():
    for holder in ("attrs", "encoding"):
        array = plain()
        getattr(array, holder)["grid_mapping"] = "crs"
        for write in (
            lambda array=array: cogsmith.write(array, ":mem:"),
            lambda array=array: cogsmith.write(array.to_dataset(name="a"), ":mem:"),
            lambda array=array: cogsmith.write([array], ":mem:"),
        ):
            with pytest.warns(UserWarning, match="grid_mapping='crs' names a variable that does not exist"):
                seen = look(write())
            assert seen.profile["crs"] is None and seen.profile["transform"] == TRANSFORM
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert look(cogsmith.write(array, ":mem:", crs=32633)).profile["crs"].to_epsg() == 32633


def test_several_mappings_without_a_name_are_a_warning():
    array = plain(crs=spatial_ref(crs_wkt=WKT), other=spatial_ref(crs_wkt=pyproj.CRS(4326).to_wkt()))
    with pytest.warns(UserWarning, match="several grid mappings: 'crs' is used, not 'other'"):
        assert look(cogsmith.write(array, ":mem:")).profile["crs"].to_epsg() == 32633


def test_the_mapping_is_not_a_band():
    data = xr.Dataset({"a": plain(), "b": plain(), "crs": ((), 0, {"crs_wkt": WKT}), "t": ("t", [1.0, 2])})
    seen = look(cogsmith.write(data, ":mem:"))
    assert seen.profile["count"] == 2 and seen.descriptions == ("a", "b")
    # Also with rows and columns.
    spread = data.assign(crs=data.crs.expand_dims(t=[0, 1]))
    spread.a.attrs["grid_mapping"] = "crs"
    assert look(cogsmith.write(spread, ":mem:")).profile["count"] == 2
    wide = data.assign(crs=(("y", "x"), image() * 0, {"crs_wkt": WKT, "grid_mapping_name": "transverse_mercator"}))
    wide.a.attrs["grid_mapping"] = "crs"
    seen = look(cogsmith.write(wide, ":mem:"))
    assert seen.profile["count"] == 2 and seen.profile["crs"].to_epsg() == 32633
