"""Where an array lies, by whatever says it: odc-geo, rioxarray, datacube, CF coordinates, or plain values.

No library is imported here. What the caller's objects can do themselves, they are asked for.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import _options
from ._plan import Georeference

Affine = tuple[float, float, float, float, float, float]

#: Names of the dimensions rows and columns lie along, in lower case.
ROWS_AND_COLUMNS = (("y", "x"), ("yc", "xc"), ("latitude", "longitude"), ("lat", "lon"), ("northing", "easting"))
#: Names of dimensions that bands lie along, and never rows or columns.
NOT_SPATIAL = ("band", "bands", "time", "wavelength", "wavelengths", "variable")


def crs_text(crs: Any) -> str | None:
    """A CRS as text that the library reads: ``EPSG:n``, WKT, PROJJSON or a PROJ string.

    Takes text, numbers (EPSG codes), and objects of pyproj, rasterio, odc-geo and their like.
    """
    if crs is None:
        return None
    if isinstance(crs, (int, np.integer)) and not isinstance(crs, bool):
        return f"EPSG:{int(crs)}"
    if isinstance(crs, str):
        text = crs.strip()
        if not text:
            return None
        return f"EPSG:{text}" if text.isdigit() else text
    if isinstance(crs, Mapping):
        return _crs_of_mapping(crs)
    code = _epsg(crs)
    if code is not None:
        return f"EPSG:{code}"
    for name in ("to_wkt", "wkt"):
        wkt = getattr(crs, name, None)
        wkt = wkt() if callable(wkt) else wkt
        if isinstance(wkt, str) and wkt:
            return wkt
    raise TypeError(
        f"crs={crs!r} is no coordinate reference system: give an EPSG code, text, or an object of pyproj, rasterio or odc-geo"
    )


def _crs_of_mapping(crs: Mapping[str, Any]) -> str:
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


def _epsg(crs: Any) -> int | None:
    """The code of a CRS that is that code's beyond doubt; one that is merely similar keeps its own definition."""
    to_epsg = getattr(crs, "to_epsg", None)
    if not callable(to_epsg):
        return None
    # odc-geo wraps a CRS of pyproj, which takes the confidence that is asked for.
    inner: Any = getattr(crs, "proj", None)
    if callable(getattr(inner, "to_epsg", None)):
        to_epsg = inner.to_epsg
    try:
        code = to_epsg(100)
    except TypeError:
        code = to_epsg()
    return None if code is None else int(code)


def affine(transform: Any) -> Affine:
    """The six numbers of an ``affine.Affine``, or of a sequence in the same order: a, b, c, d, e, f."""
    try:
        values = [float(value) for value in transform]
    except (TypeError, ValueError):
        raise TypeError(f"transform={transform!r} is no affine transform: six numbers a, b, c, d, e, f") from None
    if len(values) == 9 and values[6:] == [0.0, 0.0, 1.0]:
        values = values[:6]
    if len(values) != 6:
        raise ValueError(f"transform={transform!r}: an affine transform has six numbers a, b, c, d, e, f")
    a, b, c, d, e, f = values
    if not all(map(math.isfinite, values)):
        raise ValueError(f"transform={transform!r} holds numbers that are not finite")
    if a * e == b * d:
        raise ValueError(f"transform={transform!r} puts all pixels on a line; a and e are the size of a pixel")
    return a, b, c, d, e, f


def gcps(points: Iterable[Any]) -> list[tuple[float, float, float, float, float]]:
    """Ground control points: objects with row, col, x, y, z as rasterio's, or (column, row, x, y[, z])."""
    result = []
    for point in points:
        if hasattr(point, "row"):
            z = getattr(point, "z", None)
            values = [point.col, point.row, point.x, point.y, 0.0 if z is None else z]
        else:
            values = [*point, 0.0][:5] if len(point) == 4 else [*point]
        if len(values) != 5:
            raise ValueError(f"{point!r} is no ground control point: column, row, x, y and perhaps z")
        column, row, x, y, z = (float(value) for value in values)
        result.append((column, row, x, y, z))
    return result


def explicit(found: Georeference | None, crs: Any, transform: Any, points: Any) -> Georeference | None:
    """What was found, with what the caller says in place of it."""
    if crs is None and transform is None and points is None:
        return found
    result = Georeference() if found is None else replace(found)
    if crs is not None:
        result.crs = crs_text(crs)
    if transform is not None:
        result.transform = affine(transform)
        result.gcps = []
    if points is not None:
        result.gcps = gcps(points)
        if transform is not None and result.gcps:
            raise ValueError("transform and gcps contradict each other; give one of them")
        result.transform = None
    return result


def spatial_dims(raster: Any) -> tuple[str, str] | None:
    """The names of the dimensions of rows and columns; ``None`` where the object names none."""
    dims = [dim for dim in getattr(raster, "dims", ()) if isinstance(dim, str)]
    lower = {dim.lower(): dim for dim in dims}
    for rows, columns in ROWS_AND_COLUMNS:
        if rows in lower and columns in lower:
            return lower[rows], lower[columns]
    # rioxarray and odc-geo know names that the user has set.
    for accessor, names in (("rio", ("y_dim", "x_dim")), ("odc", ("spatial_dims",))):
        found = _ask(raster, accessor, *names)
        if found and len(names) == 1:
            found = found[0]
        if found and all(isinstance(dim, str) and dim in dims for dim in found):
            return found[0], found[1]
    rest = [dim for dim in dims if lower.get(dim.lower()) == dim and dim.lower() not in NOT_SPATIAL]
    return (rest[-2], rest[-1]) if len(rest) == 2 else None


def _ask(raster: Any, accessor: str, *names: str) -> list[Any] | None:
    """Attributes of an accessor that the caller's imports have made; ``None`` where any is missing."""
    view = _accessor(raster, accessor)
    if view is None:
        return None
    found = []
    for name in names:
        try:
            value = getattr(view, name)
        except Exception:  # noqa: BLE001 - each library raises errors of its own where it knows nothing
            return None
        if value is None:
            return None
        found.append(value)
    return found


def _accessor(raster: Any, name: str) -> Any:
    # Only what was registered on the class: a coordinate may have the same name.
    if not hasattr(type(raster), name):
        return None
    try:
        return getattr(raster, name)
    except Exception:  # noqa: BLE001 - accessors raise errors of their own for arrays that they can't take
        return None


def of_raster(raster: Any) -> Georeference | None:
    """Where a DataArray, a Dataset or the like lies; ``None`` where nothing says it."""
    geobox = geobox_of(raster)
    found = of_geobox(geobox) if geobox is not None else _of_rioxarray(raster)
    if found is None:
        return _of_coordinates(raster)
    if not found.gcps:
        _warn_of_uneven_axes(raster)
    return found


def _warn_of_uneven_axes(raster: Any) -> None:
    """odc-geo and rioxarray take the first or the mean step of coordinates for all of them, whatever they are."""
    for dim in spatial_dims(raster) or ():
        coordinate = getattr(raster, "coords", {}).get(dim)
        if coordinate is None or coordinate.ndim != 1 or coordinate.dtype.kind not in "iuf":
            continue
        if _axis(np.asarray(coordinate.values), 1.0) is None:
            _options.warn(f"the coordinates of '{dim}' are not evenly spaced, pixels in a GeoTIFF are; resample first")


def geobox_of(raster: Any) -> Any:
    """The geobox of odc-geo or datacube that a raster has, if it has one."""
    found = _ask(raster, "odc", "geobox")
    if found is not None:
        return found[0]
    # datacube's property is deprecated in favour of odc-geo's; users of this package can't do anything about it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            geobox = getattr(raster, "geobox", None)
        except Exception:  # noqa: BLE001 - as above
            return None
    if geobox is None and isinstance(getattr(raster, "attrs", None), Mapping):
        geobox = raster.attrs.get("geobox")
    return geobox


def of_geobox(geobox: Any) -> Georeference:
    """Where a GeoBox or GCPGeoBox of odc-geo lies."""
    crs = crs_text(getattr(geobox, "crs", None))
    points = getattr(geobox, "gcps", None)
    if callable(points):
        return Georeference(crs=crs, gcps=gcps(points()))
    transform = getattr(geobox, "transform", None)
    if transform is None:
        transform = getattr(geobox, "affine", None)
    return Georeference(crs=crs, transform=None if transform is None else affine(transform))


def _of_rioxarray(raster: Any) -> Georeference | None:
    rio = _accessor(raster, "rio")
    if rio is None:
        return None
    found = Georeference(crs=crs_text(_ask_one(rio, "crs")))
    points = _ask_one(rio, "get_gcps")
    if points:
        found.gcps = gcps(points)
        return found
    transform = _ask_one(rio, "transform")
    # Where it knows nothing, rioxarray says the identity.
    if transform is not None and affine(transform) != (1.0, 0.0, 0.0, 0.0, 1.0, 0.0):
        found.transform = affine(transform)
    return found if found.crs is not None and found.transform is not None else None


def _ask_one(view: Any, name: str) -> Any:
    try:
        value = getattr(view, name)
        return value() if callable(value) and not hasattr(value, "to_wkt") else value
    except Exception:  # noqa: BLE001 - rioxarray raises errors of its own where it knows nothing
        return None


def _of_coordinates(raster: Any) -> Georeference | None:
    """By the conventions of CF and GDAL: a coordinate named by ``grid_mapping``, and coordinates of rows and columns."""
    if not hasattr(raster, "coords"):
        return None
    mapping = _grid_mapping(raster)
    attributes: Mapping[str, Any] = {} if mapping is None else mapping.attrs
    crs = _crs_of_attributes(attributes)
    dims = spatial_dims(raster)
    if crs is None:
        places = [getattr(raster, "attrs", {})]
        places += [raster.coords[dim].attrs for dim in dims or () if dim in raster.coords]
        crs = next((found for found in map(_crs_of_attributes, places) if found is not None), None)
    found = Georeference(crs=crs)
    points = _points_of_attributes(attributes)
    if points:
        found.gcps = points
        return found
    stated = _stated_transform(attributes)
    found.transform = stated
    if dims is not None and all(dim in raster.coords for dim in dims):
        rows, columns = (np.asarray(raster.coords[dim].values) for dim in dims)
        found.transform = _of_axes(rows, columns, stated)
    if found.transform is None:
        return None
    return found


def _grid_mapping(raster: Any) -> Any:
    for place in (getattr(raster, "encoding", {}), getattr(raster, "attrs", {})):
        name = place.get("grid_mapping")
        if name is None:
            continue
        # CF also has "name: x y …".
        name = str(name).split(":")[0].strip()
        if name in raster.coords:
            return raster.coords[name]
        if name in getattr(raster, "data_vars", {}):
            return raster[name]
    variables = getattr(raster, "data_vars", {})
    for variable in variables.values() if isinstance(raster.coords, Mapping) else ():
        found = _grid_mapping(variable)
        if found is not None:
            return found
    for coordinate in raster.coords.values():
        if coordinate.ndim == 0 and ("spatial_ref" in coordinate.attrs or "crs_wkt" in coordinate.attrs):
            return coordinate
    return None


def _crs_of_attributes(attributes: Mapping[str, Any]) -> str | None:
    for name in ("crs_wkt", "spatial_ref", "crs", "epsg_code", "epsg", "proj4text", "proj4"):
        value = attributes.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        return crs_text(value)
    if attributes.get("grid_mapping_name"):
        raise ValueError(
            f"the grid mapping '{attributes['grid_mapping_name']}' has no crs_wkt; pass the CRS as crs=, for instance "
            "crs=pyproj.CRS.from_cf(array.coords[...].attrs)"
        )
    return None


def _points_of_attributes(attributes: Mapping[str, Any]) -> list[tuple[float, float, float, float, float]]:
    """Ground control points as rioxarray and odc-geo keep them: GeoJSON, perhaps as text."""
    points = attributes.get("gcps")
    if not points:
        return []
    if isinstance(points, str):
        points = json.loads(points)
    result = []
    for feature in points["features"]:
        x, y, *z = feature["geometry"]["coordinates"]
        place = feature["properties"]
        result.append((place["col"], place["row"], x, y, z[0] if z else 0.0))
    return gcps(result)


def _stated_transform(attributes: Mapping[str, Any]) -> Affine | None:
    """GDAL's GeoTransform: c, a, b, f, d, e."""
    stated = attributes.get("GeoTransform")
    if stated is None:
        return None
    values = stated.split() if isinstance(stated, str) else list(stated)
    if len(values) != 6:
        return None
    c, a, b, f, d, e = (float(value) for value in values)
    return a, b, c, d, e, f


def _of_axes(rows: Any, columns: Any, stated: Affine | None) -> Affine | None:
    """The transform of coordinates of pixel centres, which are what counts where the array has been cut.

    What a GeoTransform says the same is taken from there, since it has no rounding errors.
    """
    if rows.ndim != 1 or columns.ndim != 1 or rows.dtype.kind not in "iuf" or columns.dtype.kind not in "iuf":
        return stated
    sizes = (None, None) if stated is None else (stated[0], stated[4])
    if stated is not None and (stated[1] != 0 or stated[3] != 0):
        # A rotated grid: the coordinates are those of pixels.
        sizes = (1.0, 1.0)
    across, down = _axis(columns, sizes[0]), _axis(rows, sizes[1])
    if across is None or down is None:
        return None
    (a, c), (e, f) = across, down
    if stated is None:
        return a, 0.0, c, 0.0, e, f
    sa, sb, sc, sd, se, sf = stated
    if sb != 0 or sd != 0:
        return sa * a, sb * e, sa * c + sb * f + sc, sd * a, se * e, sd * c + se * f + sf
    found = (a, 0.0, c, 0.0, e, f)
    tolerance = 1e-5 * max(abs(a), abs(e))
    return stated if all(abs(x - y) <= tolerance for x, y in zip(found, stated, strict=True)) else found


def _axis(centres: Any, size: float | None) -> tuple[float, float] | None:
    """The size of a pixel along an axis, and where the axis begins; ``None`` where the steps differ."""
    centres = centres.astype(np.float64)
    count = len(centres)
    if count == 0 or not np.isfinite(centres).all():
        return None
    if count == 1:
        return None if not size else (size, float(centres[0]) - size / 2)
    step = float(centres[-1] - centres[0]) / (count - 1)
    # Coordinates in single precision are off by some parts in ten million of their value.
    slack = max(1e-2 * abs(step), 1e-6 * float(np.abs(centres).max()) if centres.dtype != np.float64 else 0.0)
    if step == 0 or float(np.abs(np.diff(centres) - step).max()) > slack:
        return None
    return step, float(centres[0]) - step / 2
