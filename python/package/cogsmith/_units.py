"""Units of coordinates: kinds and sizes of the UDUNITS spellings found in files."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Unit:
    """A unit: "length" in meters, "angle" in radians, or "pixel". A negative size counts to the west or the south."""

    kind: str
    size: float


_SURVEY_FOOT = 1200 / 3937
_LENGTHS = {
    "foot": 0.3048, "feet": 0.3048, "ft": 0.3048, "international_foot": 0.3048, "international_feet": 0.3048,
    "us_survey_foot": _SURVEY_FOOT, "us_survey_feet": _SURVEY_FOOT, "survey_foot": _SURVEY_FOOT,
    "survey_feet": _SURVEY_FOOT, "foot_us": _SURVEY_FOOT, "us_foot": _SURVEY_FOOT, "us_feet": _SURVEY_FOOT,
    "us_ft": _SURVEY_FOOT, "ftus": _SURVEY_FOOT, "yard": 0.9144, "yards": 0.9144, "yd": 0.9144, "mile": 1609.344,
    "miles": 1609.344, "mi": 1609.344, "statute_mile": 1609.344, "us_survey_mile": 5280 * _SURVEY_FOOT,
    "nautical_mile": 1852.0, "nautical_miles": 1852.0, "nmile": 1852.0, "nmi": 1852.0, "fathom": 1.8288,
    "fathoms": 1.8288, "chain": 20.1168, "link": 0.201168, "inch": 0.0254, "inches": 0.0254,
    # Units of old national systems, by their EPSG names.
    "german_legal_metre": 1.0000135965, "clarke's_foot": 0.3047972654, "clarke's_yard": 0.9143917962,
    "clarke's_link": 0.201166195164, "british_foot_(sears_1922)": 0.3047994715386762,
    "british_yard_(sears_1922)": 0.9143984146160287, "british_chain_(sears_1922)": 20.116765121552632,
    "british_chain_(benoit_1895_b)": 20.116782494375872, "british_chain_(sears_1922_truncated)": 20.116756,
    "gold_coast_foot": 0.3047997101815088, "british_foot_(1936)": 0.3048007491, "indian_yard": 0.9143985307444408,
    "indian_foot_(1937)": 0.30479841,
}  # fmt: skip
_DEGREE = math.pi / 180
_ANGLES = {
    "degree": _DEGREE, "degrees": _DEGREE, "deg": _DEGREE, "degs": _DEGREE, "arc_degree": _DEGREE,
    "angular_degree": _DEGREE, "arcdeg": _DEGREE, "decimal_degree": _DEGREE, "decimal_degrees": _DEGREE, "°": _DEGREE,
    "grad": math.pi / 200, "grads": math.pi / 200, "grade": math.pi / 200, "gon": math.pi / 200,
    "arc_minute": _DEGREE / 60, "arcminute": _DEGREE / 60, "arcminutes": _DEGREE / 60, "arcmin": _DEGREE / 60,
    "angular_minute": _DEGREE / 60, "arc_minutes": _DEGREE / 60,
    "arc_second": _DEGREE / 3600, "arcsecond": _DEGREE / 3600, "arcseconds": _DEGREE / 3600,
    "arcsec": _DEGREE / 3600, "angular_second": _DEGREE / 3600, "arc_seconds": _DEGREE / 3600,
}  # fmt: skip
_PIXELS = ("pixel", "pixels", "px")
#: Texts that mean an unspecified unit.
_NONE = ("", "1", "-", "none", "unitless", "dimensionless", "unknown", "undefined", "n/a", "na", "null", "nan")

_PREFIXES = {
    "kilo": 1e3, "hecto": 1e2, "deca": 1e1, "deka": 1e1, "deci": 1e-1, "centi": 1e-2, "milli": 1e-3, "micro": 1e-6,
    "nano": 1e-9, "mega": 1e6,
}  # fmt: skip
_SYMBOLS = {
    "k": 1e3, "K": 1e3, "h": 1e2, "da": 1e1, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "\u00b5": 1e-6,
    "\u03bc": 1e-6, "n": 1e-9, "M": 1e6, "": 1.0,
}  # fmt: skip
_METRIC = re.compile(rf"({'|'.join(_PREFIXES)})?(meters?|metres?|radians?)")
_SYMBOLIC = re.compile(rf"({'|'.join(_SYMBOLS)})(m|rad)")
_DIRECTED = re.compile(r"(deg|degree|degrees)_?(north|east|south|west|n|e|s|w|t|true)")
_NUMBER = re.compile(r"([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*[ *.]?\s*(?=[^0-9.\s*])(.*)")


def parse(text: Any) -> Unit | None:
    """Returns the unit that a text names; ``None`` for an unspecified unit, such as "1".

    Raises ValueError for a text that is not a unit of length or angle.
    """
    if text is None or isinstance(text, (int, float)):
        return None
    text = str(text).strip()
    word = re.sub(r"[\s_-]+", "_", text.lower())
    if text.lower() in _NONE or word in _NONE:
        return None
    if word in _PIXELS:
        return Unit("pixel", 1.0)
    found = _named(text, word)
    if found is None and (number := _NUMBER.fullmatch(text)):
        # For example "0.3048 metre", as rioxarray writes it.
        inner = _named(number[2], re.sub(r"[\s_-]+", "_", number[2].lower()))
        if inner is not None and float(number[1]) > 0:
            found = Unit(inner.kind, float(number[1]) * inner.size)
    if found is None:
        raise ValueError(f"{text!r} is not a unit of length or angle")
    return found


def _named(text: str, word: str) -> Unit | None:
    if word in _LENGTHS:
        return Unit("length", _LENGTHS[word])
    if word in _ANGLES:
        return Unit("angle", _ANGLES[word])
    if directed := _DIRECTED.fullmatch(word):
        return Unit("angle", -_DEGREE if directed[2][0] in "sw" else _DEGREE)
    if metric := _METRIC.fullmatch(word):
        size = _PREFIXES[metric[1]] if metric[1] else 1.0
        return Unit("angle" if metric[2].startswith("rad") else "length", size)
    # The case of symbols distinguishes milli from mega; "M" and "KM" are old spellings of meters and kilometers.
    for symbol in (text, text.lower()):
        if symbolic := _SYMBOLIC.fullmatch(symbol):
            return Unit("angle" if symbolic[2] == "rad" else "length", _SYMBOLS[symbolic[1]])
    return None


def factor(unit: Unit | None, crs_unit: tuple[str, float] | None, height: float | None) -> float | None:
    """Returns the factor that converts coordinates to the unit of a CRS; ``None`` if there is none.

    Parameters
    ----------
    unit
        Unit of the coordinates; ``None`` for that of the CRS.
    crs_unit
        Kind and size of the unit of the CRS; ``None`` if unknown.
    height
        Height of the satellite of a geostationary CRS in meters, which converts angles to lengths.
    """
    if unit is None or crs_unit is None:
        return 1.0
    kind, size = crs_unit
    if unit.kind == kind:
        result = unit.size / size
        # "Foot" means the foot of the CRS: the survey foot and the international foot share their names.
        is_foot = unit.size == 0.3048 and abs(size - 0.3048) < 1e-5
        return 1.0 if abs(result - 1) < 1e-9 or is_foot else result
    if unit.kind == "angle" and height is not None:
        return unit.size * height / size
    return None
