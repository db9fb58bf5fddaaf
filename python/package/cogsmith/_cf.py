"""CF grid mappings (appendix F) as WKT 2."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ._cf_datum import DEGREE, ELLIPSOIDS, METER, UNITY, Parameters, datum, digits, ellipsoid_of, flattening_of, quoted

_LONGITUDES = (
    "longitude_of_central_meridian",
    "longitude_of_projection_origin",
    "straight_vertical_longitude_from_pole",
)
_SCALES = ("scale_factor_at_projection_origin", "scale_factor_at_central_meridian")


def to_wkt(attributes: Mapping[str, Any], lengths: tuple[float, float] = (1.0, 1.0)) -> str:
    """Returns the WKT 2 of the parameters of a grid mapping.

    Parameters
    ----------
    attributes
        Attributes of the grid mapping variable, with ``grid_mapping_name``.
    lengths
        Units of the coordinates x and y in meters; CF gives false easting and northing in these units.

    Raises
    ------
    ValueError
        If a mapping or a parameter cannot be written.
    """
    taken = Parameters(attributes)
    name = taken.name
    if name == "latitude_longitude":
        wkt = f'GEOGCRS["{taken.geographic_name}",{datum(taken)},{_ELLIPSOIDAL}]'
    elif name == "rotated_latitude_longitude":
        wkt = _rotated(taken)
    else:
        method = _METHODS.get(name)
        if method is None:
            raise taken.refused("is not supported")
        conversion = method(taken, lengths)
        title = quoted(taken.text("projected_crs_name") or "unknown")
        base = f'BASEGEOGCRS["{taken.geographic_name}",{datum(taken)},{DEGREE}]'
        wkt = (
            f'PROJCRS["{title}",{base},{conversion},CS[Cartesian,2],AXIS["easting (X)",east],'
            f'AXIS["northing (Y)",north],{METER}]'
        )
    taken.check_all_taken()
    return wkt


_ELLIPSOIDAL = f'CS[ellipsoidal,2],AXIS["latitude",north],AXIS["longitude",east],{DEGREE}'


def _conversion(method: str, taken: Parameters, lengths: tuple[float, float], **values: float) -> str:
    """Returns CONVERSION with parameters by the keys of `_NAMES`, and false easting and northing."""
    origin = None
    if "first" in values and "latitude" in values:
        origin = "at false origin"
    elif "angle" in values:
        origin = "at projection centre"
    easting = f"Easting {origin}" if origin else "False easting"
    northing = f"Northing {origin}" if origin else "False northing"
    values = {
        **values,
        "easting": taken.number("false_easting") * lengths[0],
        "northing": taken.number("false_northing") * lengths[1],
    }
    names = {**_NAMES, "easting": (easting, METER), "northing": (northing, METER)}
    if origin == "at false origin":
        names["latitude"] = ("Latitude of false origin", DEGREE)
        names["longitude"] = ("Longitude of false origin", DEGREE)
    parts = [f'METHOD["{method}"]']
    for key, value in values.items():
        name, unit = names[key]
        parts.append(f'PARAMETER["{name}",{digits(value)},{unit}]')
    return f'CONVERSION["unknown",{",".join(parts)}]'


_CYLINDRICAL = "Lambert Cylindrical Equal Area"
_NAMES = {
    "latitude": ("Latitude of natural origin", DEGREE),
    "longitude": ("Longitude of natural origin", DEGREE),
    "scale": ("Scale factor at natural origin", UNITY),
    "first": ("Latitude of 1st standard parallel", DEGREE),
    "second": ("Latitude of 2nd standard parallel", DEGREE),
    "parallel": ("Latitude of standard parallel", DEGREE),
    "origin": ("Longitude of origin", DEGREE),
    "center_latitude": ("Latitude of projection centre", DEGREE),
    "center_longitude": ("Longitude of projection centre", DEGREE),
    "azimuth": ("Azimuth at projection centre", DEGREE),
    "angle": ("Angle from Rectified to Skew Grid", DEGREE),
    "center_scale": ("Scale factor at projection centre", UNITY),
    "satellite": ("Satellite Height", METER),
    "topocentric_latitude": ("Latitude of topocentric origin", DEGREE),
    "topocentric_longitude": ("Longitude of topocentric origin", DEGREE),
    "topocentric_height": ("Ellipsoidal height of topocentric origin", METER),
    "viewpoint": ("Viewpoint height", METER),
}


def _azimuthal(method: str) -> Any:
    def convert(taken: Parameters, lengths: tuple[float, float]) -> str:
        latitude, longitude = taken.number("latitude_of_projection_origin"), taken.number(*_LONGITUDES)
        return _conversion(method, taken, lengths, latitude=latitude, longitude=longitude)

    return convert


def _parallels(taken: Parameters) -> list[float]:
    found = taken.numbers("standard_parallel")
    if found is None or len(found) not in (1, 2):
        raise taken.refused("lacks standard_parallel" if found is None else "has more than two standard parallels")
    return found


def _albers(taken: Parameters, lengths: tuple[float, float]) -> str:
    first, *rest = _parallels(taken)
    latitude, longitude = taken.number("latitude_of_projection_origin"), taken.number(*_LONGITUDES)
    second = rest[0] if rest else first
    return _conversion(
        "Albers Equal Area", taken, lengths, latitude=latitude, longitude=longitude, first=first, second=second
    )


def _lambert_conic(taken: Parameters, lengths: tuple[float, float]) -> str:
    first, *rest = _parallels(taken)
    second = rest[0] if rest else first
    latitude = taken.number("latitude_of_projection_origin", default=0.0 if rest else first)
    longitude = taken.number(*_LONGITUDES)
    scale = taken.number(*_SCALES, default=1.0)
    if first == second == latitude:
        method = "Lambert Conic Conformal (1SP)"
        return _conversion(method, taken, lengths, latitude=latitude, longitude=longitude, scale=scale)
    if scale != 1:
        raise taken.refused("cannot be written with both a scale factor and standard parallels")
    method = "Lambert Conic Conformal (2SP)"
    return _conversion(method, taken, lengths, latitude=latitude, longitude=longitude, first=first, second=second)


def _cylindrical_equal_area(taken: Parameters, lengths: tuple[float, float]) -> str:
    parallel = taken.number("standard_parallel")
    longitude = taken.number(*_LONGITUDES)
    scale = taken.number(*_SCALES, default=1.0)
    if scale != 1 and parallel == 0:
        # The scale on the equator is cos(p) / sqrt(1 - e² sin²(p)) for the parallel p that is true to scale.
        ellipsoid = ellipsoid_of(taken) or ELLIPSOIDS["wgs84"]
        flattening = flattening_of(ellipsoid[2])
        eccentricity = flattening * (2 - flattening)
        square = (1 - scale**2) / (1 - scale**2 * eccentricity)
        if not 0 <= square < 1:
            raise taken.refused(f"cannot be written with the scale factor {scale:g}")
        parallel, scale = math.degrees(math.asin(math.sqrt(square))), 1.0
    if scale != 1:
        raise taken.refused("cannot be written with both a scale factor and a standard parallel")
    return _conversion(_CYLINDRICAL, taken, lengths, first=parallel, longitude=longitude)


def _mercator(taken: Parameters, lengths: tuple[float, float]) -> str:
    longitude = taken.number(*_LONGITUDES)
    scale = taken.number(*_SCALES, default=1.0)
    parallel = taken.number("standard_parallel")
    if scale == 1:
        return _conversion("Mercator (variant B)", taken, lengths, first=parallel, longitude=longitude)
    if parallel:
        raise taken.refused("cannot be written with both a scale factor and a standard parallel")
    method = "Mercator (variant A)"
    return _conversion(method, taken, lengths, latitude=0.0, longitude=longitude, scale=scale)


def _polar_stereographic(taken: Parameters, lengths: tuple[float, float]) -> str:
    longitude = taken.number("straight_vertical_longitude_from_pole", *_LONGITUDES, default=None)
    scale = taken.number(*_SCALES, default=1.0)
    parallel = taken.numbers("standard_parallel")
    if parallel is None:
        pole = taken.number("latitude_of_projection_origin", default=None)
    else:
        pole = taken.number("latitude_of_projection_origin", default=math.copysign(90.0, parallel[0]))
    if abs(abs(pole) - 90) > 1e-9:
        raise taken.refused(f"has its origin at latitude {pole:g}, not at a pole")
    if parallel is not None and len(parallel) != 1:
        raise taken.refused(f"has {len(parallel)} values for standard_parallel, not one")
    if parallel is not None and abs(parallel[0] - pole) > 1e-9:
        if parallel[0] * pole <= 0 or scale != 1:
            other = "a scale factor" if scale != 1 else f"its origin at latitude {pole:g}"
            raise taken.refused(f"cannot be written with {other} and the standard parallel {parallel[0]:g}")
        method = "Polar Stereographic (variant B)"
        return _conversion(method, taken, lengths, parallel=parallel[0], origin=longitude)
    method = "Polar Stereographic (variant A)"
    return _conversion(method, taken, lengths, latitude=pole, longitude=longitude, scale=scale)


def _stereographic(taken: Parameters, lengths: tuple[float, float]) -> str:
    latitude, longitude = taken.number("latitude_of_projection_origin"), taken.number(*_LONGITUDES)
    scale = taken.number(*_SCALES, default=1.0)
    method = "Polar Stereographic (variant A)" if abs(abs(latitude) - 90) < 1e-9 else "Stereographic"
    return _conversion(method, taken, lengths, latitude=latitude, longitude=longitude, scale=scale)


def _transverse_mercator(taken: Parameters, lengths: tuple[float, float]) -> str:
    latitude, longitude = taken.number("latitude_of_projection_origin"), taken.number(*_LONGITUDES)
    scale = taken.number("scale_factor_at_central_meridian", *_SCALES, default=1.0)
    return _conversion("Transverse Mercator", taken, lengths, latitude=latitude, longitude=longitude, scale=scale)


def _oblique_mercator(taken: Parameters, lengths: tuple[float, float]) -> str:
    return _conversion(
        "Hotine Oblique Mercator (variant B)",
        taken,
        lengths,
        center_latitude=taken.number("latitude_of_projection_origin", default=None),
        center_longitude=taken.number(*_LONGITUDES[1:], default=None),
        azimuth=taken.number("azimuth_of_central_line", default=None),
        # CF has no other angle.
        angle=90.0,
        center_scale=taken.number(*_SCALES, default=1.0),
    )


def _sinusoidal(taken: Parameters, lengths: tuple[float, float]) -> str:
    return _conversion("Sinusoidal", taken, lengths, longitude=taken.number(*_LONGITUDES))


def _geostationary(taken: Parameters, lengths: tuple[float, float]) -> str:
    sweep = taken.text("sweep_angle_axis")
    fixed = taken.text("fixed_angle_axis")
    if sweep is None and fixed is not None:
        sweep = {"x": "y", "y": "x"}.get(fixed.lower())
    if sweep is None or sweep.lower() not in ("x", "y"):
        raise taken.refused("lacks sweep_angle_axis (x or y)")
    if taken.number("latitude_of_projection_origin") != 0:
        raise taken.refused("cannot be written with a satellite that is not above the equator")
    height = taken.number("perspective_point_height", default=None)
    method = f"Geostationary Satellite (Sweep {sweep.upper()})"
    return _conversion(method, taken, lengths, longitude=taken.number(*_LONGITUDES), satellite=height)


def _vertical_perspective(taken: Parameters, lengths: tuple[float, float]) -> str:
    return _conversion(
        "Vertical Perspective",
        taken,
        lengths,
        topocentric_latitude=taken.number("latitude_of_projection_origin"),
        topocentric_longitude=taken.number(*_LONGITUDES),
        topocentric_height=0.0,
        viewpoint=taken.number("perspective_point_height", default=None),
    )


def _rotated(taken: Parameters) -> str:
    pole = "netCDF CF convention"
    parameters = [
        (f"Grid north pole latitude ({pole})", taken.number("grid_north_pole_latitude", default=None)),
        (f"Grid north pole longitude ({pole})", taken.number("grid_north_pole_longitude", default=None)),
        (f"North pole grid longitude ({pole})", taken.number("north_pole_grid_longitude")),
    ]
    listed = ",".join(f'PARAMETER["{name}",{digits(value)},{DEGREE}]' for name, value in parameters)
    return (
        f'GEOGCRS["unknown",BASEGEOGCRS["{taken.geographic_name}",{datum(taken)},{DEGREE}],'
        f'DERIVINGCONVERSION["unknown",METHOD["Pole rotation ({pole})"],{listed}],{_ELLIPSOIDAL}]'
    )


_METHODS = {
    "albers_conical_equal_area": _albers,
    "azimuthal_equidistant": _azimuthal("Azimuthal Equidistant"),
    "geostationary": _geostationary,
    "lambert_azimuthal_equal_area": _azimuthal("Lambert Azimuthal Equal Area"),
    "lambert_conformal_conic": _lambert_conic,
    "lambert_cylindrical_equal_area": _cylindrical_equal_area,
    "mercator": _mercator,
    "oblique_mercator": _oblique_mercator,
    "orthographic": _azimuthal("Orthographic"),
    "polar_stereographic": _polar_stereographic,
    "sinusoidal": _sinusoidal,
    "stereographic": _stereographic,
    "transverse_mercator": _transverse_mercator,
    "vertical_perspective": _vertical_perspective,
}
