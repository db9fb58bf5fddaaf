"""Parameters of CF grid mappings, and the datum that they describe, as WKT 2."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

#: Ellipsoids by names of EPSG, PROJ, and WKT 1: EPSG's name, semi-major axis in meters, inverse flattening.
ELLIPSOIDS = {
    "wgs84": ("WGS 84", 6378137.0, 298.257223563),
    "wgs1984": ("WGS 84", 6378137.0, 298.257223563),
    "grs80": ("GRS 1980", 6378137.0, 298.257222101),
    "grs1980": ("GRS 1980", 6378137.0, 298.257222101),
    "wgs72": ("WGS 72", 6378135.0, 298.26),
    "grs67": ("GRS 1967", 6378160.0, 298.247167427),
    "grs1967": ("GRS 1967", 6378160.0, 298.247167427),
    "international1924": ("International 1924", 6378388.0, 297.0),
    "intl": ("International 1924", 6378388.0, 297.0),
    "bessel": ("Bessel 1841", 6377397.155, 299.1528128),
    "bessel1841": ("Bessel 1841", 6377397.155, 299.1528128),
    "clarke1866": ("Clarke 1866", 6378206.4, 294.978698213898),
    "clrk66": ("Clarke 1866", 6378206.4, 294.978698213898),
    "clarke1880ign": ("Clarke 1880 (IGN)", 6378249.2, 293.466021293627),
    "clarke1880rgs": ("Clarke 1880 (RGS)", 6378249.145, 293.465),
    "krassovsky": ("Krassowsky 1940", 6378245.0, 298.3),
    "krassowsky1940": ("Krassowsky 1940", 6378245.0, 298.3),
    "krass": ("Krassowsky 1940", 6378245.0, 298.3),
    "airy": ("Airy 1830", 6377563.396, 299.3249646),
    "airy1830": ("Airy 1830", 6377563.396, 299.3249646),
    "australiannationalspheroid": ("Australian National Spheroid", 6378160.0, 298.25),
    "everest1830": ("Everest 1830", 6377276.345, 300.8017),
    "sphere": ("Sphere", 6371000.0, 0.0),
}

#: Datums by names of EPSG, PROJ, WKT 1, and their geographic CRSs: EPSG's name, and the ellipsoid in the table above.
_DATUMS = {
    "wgs84": ("World Geodetic System 1984", "wgs84"),
    "wgs1984": ("World Geodetic System 1984", "wgs84"),
    "worldgeodeticsystem1984": ("World Geodetic System 1984", "wgs84"),
    "worldgeodeticsystem1984ensemble": ("World Geodetic System 1984", "wgs84"),
    "wgs72": ("World Geodetic System 1972", "wgs72"),
    "wgs1972": ("World Geodetic System 1972", "wgs72"),
    "worldgeodeticsystem1972": ("World Geodetic System 1972", "wgs72"),
    "nad83": ("North American Datum 1983", "grs80"),
    "northamericandatum1983": ("North American Datum 1983", "grs80"),
    "nad27": ("North American Datum 1927", "clrk66"),
    "northamericandatum1927": ("North American Datum 1927", "clrk66"),
    "etrs89": ("European Terrestrial Reference System 1989", "grs80"),
    "europeanterrestrialreferencesystem1989": ("European Terrestrial Reference System 1989", "grs80"),
    "europeanterrestrialreferencesystem1989ensemble": ("European Terrestrial Reference System 1989", "grs80"),
    "gda94": ("Geocentric Datum of Australia 1994", "grs80"),
    "geocentricdatumofaustralia1994": ("Geocentric Datum of Australia 1994", "grs80"),
    "gda2020": ("Geocentric Datum of Australia 2020", "grs80"),
    "geocentricdatumofaustralia2020": ("Geocentric Datum of Australia 2020", "grs80"),
    "nzgd2000": ("New Zealand Geodetic Datum 2000", "grs80"),
    "newzealandgeodeticdatum2000": ("New Zealand Geodetic Datum 2000", "grs80"),
    "sirgas2000": ("Sistema de Referencia Geocentrico para las AmericaS 2000", "grs80"),
    "ed50": ("European Datum 1950", "intl"),
    "europeandatum1950": ("European Datum 1950", "intl"),
    "osgb36": ("Ordnance Survey of Great Britain 1936", "airy"),
    "osgb1936": ("Ordnance Survey of Great Britain 1936", "airy"),
    "ordnancesurveyofgreatbritain1936": ("Ordnance Survey of Great Britain 1936", "airy"),
    "ch1903": ("CH1903", "bessel"),
    "ch1903+": ("CH1903+", "bessel"),
    "pulkovo1942": ("Pulkovo 1942", "krass"),
}

#: Prime meridians by EPSG names, in degrees.
_MERIDIANS = {
    "greenwich": 0.0, "lisbon": -9.131906111111, "paris": 2.33722917, "bogota": -74.080916666667,
    "madrid": -3.687938888889, "rome": 12.452333333333, "bern": 7.439583333333, "jakarta": 106.807719444444,
    "ferro": -17.666666666667, "brussels": 4.367975, "stockholm": 18.058277777778, "athens": 23.7163375,
    "oslo": 10.722916666667,
}  # fmt: skip

DEGREE = 'ANGLEUNIT["degree",0.0174532925199433]'
METER = 'LENGTHUNIT["metre",1]'
UNITY = 'SCALEUNIT["unity",1]'

#: Parameters that must be read unless they have this value, which has no effect.
_PARAMETERS = {
    "standard_parallel": 0.0, "latitude_of_projection_origin": 0.0, "longitude_of_projection_origin": 0.0,
    "longitude_of_central_meridian": 0.0, "straight_vertical_longitude_from_pole": 0.0, "false_easting": 0.0,
    "false_northing": 0.0, "scale_factor_at_projection_origin": 1.0, "scale_factor_at_central_meridian": 1.0,
    "azimuth_of_central_line": None, "perspective_point_height": None, "grid_north_pole_latitude": 90.0,
    "grid_north_pole_longitude": 0.0, "north_pole_grid_longitude": 0.0,
}  # fmt: skip


class Parameters:
    """The attributes of a grid mapping; keeps track of those that were read."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self._taken: set[str] = set()
        self.name = str(attributes["grid_mapping_name"]).strip().lower()
        self.geographic_name = quoted(self.text("geographic_crs_name") or "unknown")

    def refused(self, reason: str) -> ValueError:
        return ValueError(f"the grid mapping '{self.name}' {reason}; pass the CRS as crs=")

    def text(self, name: str) -> str | None:
        """Returns a name; ``None`` for words such as "unknown"."""
        value = self._attributes.get(name)
        if value is None or _letters(str(value)) in ("", "unknown", "undefined", "none", "nan"):
            return None
        return str(value).strip()

    def numbers(self, name: str) -> list[float] | None:
        value = self._attributes.get(name)
        if value is None:
            return None
        self._taken.add(name)
        if isinstance(value, str):
            value = value.replace(",", " ").split()
        try:
            found = [float(one) for one in np.ravel(np.asarray(value, dtype=np.float64))]
        except (TypeError, ValueError):
            found = []
        if not found or not all(map(math.isfinite, found)):
            raise self.refused(f"has {name}={self._attributes[name]!r}, not a number")
        return found

    def number(self, *names: str, default: float | None = 0.0) -> float:
        """Returns the only number of the first attribute that exists."""
        for name in names:
            found = self.numbers(name)
            if found is not None:
                if len(found) != 1:
                    raise self.refused(f"has {len(found)} values for {name}, not one")
                return found[0]
        if default is None:
            raise self.refused(f"lacks {names[0]}")
        return default

    def check_all_taken(self) -> None:
        for name, idle in _PARAMETERS.items():
            if name not in self._taken and name in self._attributes and self.numbers(name) != [idle]:
                raise self.refused(f"cannot be written with {name}={self._attributes[name]!r}")


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", name.lower())


def quoted(name: str) -> str:
    return name.replace('"', '""')


def datum(taken: Parameters) -> str:
    """Returns DATUM and PRIMEM: from the parameters, else from names, else WGS 84."""
    named = _named_datum(taken)
    ellipsoid = ellipsoid_of(taken)
    if ellipsoid is None and named is not None:
        ellipsoid = ELLIPSOIDS[named[1]]
    title = taken.text("horizontal_datum_name")
    if ellipsoid is None:
        if title is not None or taken.text("geographic_crs_name") is not None:
            raise taken.refused(
                f"has the datum '{title or taken.text('geographic_crs_name')}' without semi_major_axis and "
                "inverse_flattening"
            )
        named, ellipsoid = _DATUMS["wgs84"], ELLIPSOIDS["wgs84"]
    if named is not None and _is_same(ellipsoid, ELLIPSOIDS[named[1]]):
        title = named[0]
    title = title or "unknown"
    shape, major, inverse = ellipsoid
    shift = ""
    transformation = taken.numbers("towgs84")
    if transformation is not None:
        if len(transformation) == 6:
            transformation.append(0.0)
        if len(transformation) not in (3, 7):
            raise taken.refused(f"has {len(transformation)} values for towgs84, not 3, 6 or 7")
        shift = f",TOWGS84[{','.join(map(digits, transformation))}]"
    return (
        f'DATUM["{quoted(title)}",ELLIPSOID["{quoted(shape)}",{digits(major)},{digits(inverse)},{METER}]{shift}],'
        f"{_meridian(taken)}"
    )


def _named_datum(taken: Parameters) -> tuple[str, str] | None:
    for key in ("horizontal_datum_name", "geographic_crs_name"):
        name = taken.text(key)
        if name is not None:
            # Esri's names start with D_ and GCS_.
            letters = _letters(re.sub(r"^(D|GCS)_", "", name))
            return _DATUMS.get(letters)
    return None


def _is_same(one: tuple[str, float, float], other: tuple[str, float, float]) -> bool:
    return abs(one[1] - other[1]) < 1e-3 and abs(flattening_of(one[2]) - flattening_of(other[2])) < 1e-9


def flattening_of(inverse: float) -> float:
    return 1 / inverse if inverse else 0.0


def ellipsoid_of(taken: Parameters) -> tuple[str, float, float] | None:
    """Returns name, semi-major axis, and inverse flattening (0 for a sphere); ``None`` if the size is not given."""
    title = taken.text("reference_ellipsoid_name")
    known = None if title is None else ELLIPSOIDS.get(_letters(title))
    major, minor = taken.numbers("semi_major_axis"), taken.numbers("semi_minor_axis")
    inverse, radius = taken.numbers("inverse_flattening"), taken.numbers("earth_radius")
    if major is None and radius is not None:
        major, inverse = radius, [0.0]
    if major is None:
        if known is None and title is not None:
            raise taken.refused(f"has the ellipsoid '{title}' without semi_major_axis and inverse_flattening")
        return known
    size = major[0]
    if inverse is not None:
        flat = 0.0 if math.isinf(inverse[0]) else inverse[0]
    elif minor is not None:
        flat = 0.0 if minor[0] == size else size / (size - minor[0])
    else:
        # A single axis: a well-known ellipsoid, else a sphere.
        found = known or next((one for one in ELLIPSOIDS.values() if one[1] == size and one[2]), None)
        flat = found[2] if found is not None and found[1] == size else 0.0
    if size <= 0 or (flat != 0 and flat <= 1):
        raise taken.refused("has an ellipsoid of impossible dimensions")
    shape = (title or "unknown", size, flat)
    matching = next((one for one in ELLIPSOIDS.values() if _is_same(one, shape)), None)
    if title is None and matching is not None:
        return matching[0], size, flat
    return shape


def _meridian(taken: Parameters) -> str:
    title = taken.text("prime_meridian_name")
    longitude = taken.numbers("longitude_of_prime_meridian")
    if longitude is None and title is not None:
        known = _MERIDIANS.get(_letters(title))
        if known is None:
            raise taken.refused(f"has the prime meridian '{title}' without longitude_of_prime_meridian")
        longitude = [known]
    degrees = 0.0 if longitude is None else longitude[0]
    name = title or ("Greenwich" if degrees == 0 else "unknown")
    return f'PRIMEM["{quoted(name)}",{digits(degrees)},{DEGREE}]'


def digits(number: float) -> str:
    return f"{number:.17g}" if float(f"{number:.15g}") != number else f"{number:.15g}"
