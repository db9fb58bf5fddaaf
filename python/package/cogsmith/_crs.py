"""Coordinate reference systems as text that the library parses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _native


def crs_text(crs: Any) -> str | None:
    """Returns a CRS as text: ``EPSG:n`` if it is exactly that one, else WKT, PROJJSON, or a PROJ string.

    Accepts text, numbers (EPSG codes), dicts (PROJJSON, PROJ parameters), and objects of pyproj, rasterio, and odc-geo.
    """
    if crs is None:
        return None
    if isinstance(crs, np.ndarray) and crs.size == 1:
        crs = crs.item()
    if isinstance(crs, bytes):
        crs = crs.decode()
    if isinstance(crs, (int, np.integer)) and not isinstance(crs, bool):
        return f"EPSG:{int(crs)}"
    if isinstance(crs, str):
        text = crs.strip()
        if not text:
            return None
        return f"EPSG:{text}" if text.isdigit() else _simplest(text)
    return _simplest(_text_of_mapping(crs) if isinstance(crs, Mapping) else _text_of_object(crs))


def _simplest(text: str) -> str:
    """Returns a definition as its EPSG code, so that a CRS has the same text whatever object it comes from."""
    try:
        code = _native.crs_code(text)
    except ValueError:
        # The error is raised where the CRS is used, with the reason.
        return text
    return text if code is None else f"EPSG:{code}"


def _text_of_mapping(crs: Mapping[str, Any]) -> str:
    if "type" in crs or "$schema" in crs:
        return json.dumps(crs)
    init = crs.get("init")
    if isinstance(init, str) and init.lower().startswith("epsg:"):
        return init
    words = []
    for key, value in crs.items():
        if value is True:
            words.append(f"+{key}")
        elif value is not False and value is not None:
            words.append(f"+{key}={value}")
    return " ".join(words)


def _text_of_object(crs: Any) -> str:
    code = _epsg(crs)
    wkt = None
    for name in ("to_wkt", "wkt"):
        found = getattr(crs, name, None)
        found = found() if callable(found) else found
        if isinstance(found, str) and found:
            wkt = found
            break
    if code is not None:
        text = f"EPSG:{code}"
        # PROJ has codes that are not in the EPSG dataset, such as 900913; their definition is in the WKT.
        if wkt is None or _is_known(text):
            return text
    if wkt is not None:
        return wkt
    raise TypeError(
        f"crs={crs!r} is not a coordinate reference system; pass an EPSG code, a string, or an object of pyproj, "
        "rasterio, or odc-geo"
    )


def _is_known(text: str) -> bool:
    try:
        _native.crs_unit(text)
    except ValueError:
        return False
    return True


def _epsg(crs: Any) -> int | None:
    """Returns the EPSG code if it defines exactly this CRS; a similar CRS keeps its own definition."""
    to_epsg = getattr(crs, "to_epsg", None)
    if not callable(to_epsg):
        return None
    # odc-geo wraps a CRS of pyproj, whose method takes the required confidence.
    inner: Any = getattr(crs, "proj", None)
    if callable(getattr(inner, "to_epsg", None)):
        to_epsg = inner.to_epsg
    try:
        code = to_epsg(100)
    except TypeError:
        code = to_epsg()
    return None if code is None else int(code)


#: The height of a geostationary satellite in WKT, PROJJSON, and PROJ strings.
_HEIGHT = re.compile(
    r'satellite[_ ]height"\s*,\s*(?:"value"\s*:\s*)?([0-9.]+(?:e[+-]?[0-9]+)?)|\+h=([0-9.]+(?:e[+-]?[0-9]+)?)',
    re.IGNORECASE,
)


def satellite_height(text: str) -> float | None:
    """Returns the height of the satellite of a geostationary CRS in meters; ``None`` for others."""
    if "geos" not in text.lower():
        return None
    found = _HEIGHT.search(text)
    return None if found is None else float(found[1] or found[2])
