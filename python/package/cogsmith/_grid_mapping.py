"""The georeference stored in attributes and encodings of an array: of CF, GDAL, rioxarray, odc-geo, and Zarr."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _cf, _options, _transform
from ._crs import crs_text
from ._transform import Affine, Gcp

#: Attributes of a grid mapping that define a whole CRS, by precedence.
_CRS_ATTRIBUTES = (
    "crs_wkt", "spatial_ref", "wkt", "crs", "epsg_code", "epsg", "proj4text", "proj4_string", "proj4", "proj4_params",
    "proj_params",
)  # fmt: skip
#: Attributes of arrays, Datasets, and coordinates that define a CRS.
_OWN_ATTRIBUTES = ("crs", "crs_wkt", "spatial_ref", "proj:wkt2", "proj:code", "proj:projjson", "epsg")
#: Names of grid mappings that are preferred if no attribute names one.
_USUAL_NAMES = ("spatial_ref", "crs")
#: Attributes by which a grid mapping is recognized.
_MARKS = ("grid_mapping_name", "crs_wkt", "spatial_ref", "proj4", "GeoTransform", "gcps")


@dataclass
class Stored:
    """A stored georeference: grid mapping, transform in the unit of the CRS, and ground control points."""

    #: The attributes of the grid mapping variable.
    mapping: Mapping[str, Any] = field(default_factory=dict)
    transform: Affine | None = None
    gcps: list[Gcp] = field(default_factory=list)


def read(sources: Sequence[Any], coordinates: Sequence[str], quiet: bool = False) -> Stored:
    """Returns the stored georeference of a raster.

    Parameters
    ----------
    sources
        The DataArray, and the Dataset it belongs to, if any; or only the Dataset.
    coordinates
        Names of the coordinates of rows and columns.
    quiet
        Whether there is no warning about a missing grid mapping.
    """
    mapping = _find(sources, coordinates, quiet)
    result = Stored(mapping, _geo_transform(mapping), _points(mapping))
    if result.transform is None:
        result.transform = _own_transform(sources)
    return result


def read_crs(stored: Stored, sources: Sequence[Any], axes: Sequence[Any], lengths: tuple[float, float]) -> str | None:
    """Returns the CRS of the grid mapping, else that of the attributes of the raster and its axes.

    Parameters
    ----------
    axes
        The coordinates of rows and columns.
    lengths
        Units of the coordinates x and y in meters; CF gives false easting and northing in these units.
    """
    crs = _first(stored.mapping, _CRS_ATTRIBUTES)
    if crs is None and stored.mapping.get("grid_mapping_name"):
        crs = _cf.to_wkt(stored.mapping, lengths)
    if crs is not None:
        return crs
    for attributes in [getattr(source, "attrs", {}) for source in sources] + [axis.attrs for axis in axes]:
        crs = _first(attributes, _OWN_ATTRIBUTES)
        if crs is not None:
            return crs
    return None


def _first(attributes: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        value = attributes.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = None if value is None or isinstance(value, (bool, float)) else crs_text(value)
        if text is not None:
            return text
    return None


# The grid mapping -----------------------------------------------------------------------------------------------------


def _find(sources: Sequence[Any], coordinates: Sequence[str], quiet: bool) -> Mapping[str, Any]:
    """Returns the attributes of the grid mapping variable; empty if there is none."""
    variables = _variables(sources)
    # The grid mapping of one variable of a Dataset applies to variables that name none.
    siblings = [one for source in sources for one in getattr(source, "data_vars", {}).values()]
    for source in (*sources, *siblings):
        for holder in (getattr(source, "encoding", {}), getattr(source, "attrs", {})):
            stated = holder.get("grid_mapping")
            if stated is None:
                continue
            name = _choose(str(stated), coordinates)
            if name in variables:
                attributes: Mapping[str, Any] = variables[name].attrs
                return attributes
            if not quiet:
                _options.warn(
                    f"grid_mapping={str(stated)!r} names a variable that does not exist, so the CRS is unknown; open "
                    "the file with decode_coords='all', or pass crs="
                )
    return _unnamed(variables)


def mapping_names(dataset: Any) -> set[str]:
    """Returns the names of a Dataset's grid mapping variables, which are not bands, whatever their shape."""
    variables = {str(name): variable for name, variable in dataset.data_vars.items()}
    result = {name for name, variable in variables.items() if variable.attrs.get("grid_mapping_name")}
    for source in (dataset, *variables.values()):
        for holder in (source.encoding, source.attrs):
            if holder.get("grid_mapping") is not None:
                result.update(_listed(str(holder["grid_mapping"])))
    return result


def _variables(sources: Sequence[Any]) -> dict[str, Any]:
    """Returns everything that may be a grid mapping: coordinates, and variables of the Dataset."""
    result: dict[str, Any] = {}
    for source in sources:
        for name, variable in source.coords.items():
            result.setdefault(str(name), variable)
        if hasattr(source, "data_vars"):
            for name, variable in source.data_vars.items():
                result.setdefault(str(name), variable)
    return result


def _choose(stated: str, coordinates: Sequence[str]) -> str:
    """Returns the name in ``grid_mapping``; of several, the one that lists the coordinates of the raster."""
    names = _listed(stated)
    for name, listed in names.items():
        if coordinates and set(coordinates) <= set(listed):
            return name
    return next(iter(names), "")


def _listed(stated: str) -> dict[str, list[str]]:
    """Returns the names in ``crs``, ``crs: x y``, or ``first: lat lon second: x y``, each with its coordinates."""
    if ":" not in stated:
        return {stated.strip(): []}
    names: dict[str, list[str]] = {}
    last: list[str] = []
    for word in stated.replace(":", ": ").split():
        if word.endswith(":"):
            last = names.setdefault(word[:-1], [])
        else:
            last.append(word)
    return names


def _unnamed(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the attributes of a variable without axes that looks like a grid mapping."""
    found = {name: variable.attrs for name, variable in variables.items() if is_grid_mapping(variable)}
    if not found:
        return {}
    order = sorted(found, key=lambda name: _USUAL_NAMES.index(name) if name in _USUAL_NAMES else len(_USUAL_NAMES))
    first: Mapping[str, Any] = found[order[0]]
    texts = {name: _first(found[name], _CRS_ATTRIBUTES) or found[name].get("grid_mapping_name") for name in order}
    others = [name for name in order[1:] if texts[name] != texts[order[0]]]
    if others:
        _options.warn(
            f"several grid mappings: '{order[0]}' is used, not {', '.join(map(repr, others))}; pass crs= to choose"
        )
    return first


def is_grid_mapping(variable: Any) -> bool:
    """Returns whether a variable describes a CRS and has no pixels."""
    if variable.ndim > 1 or variable.size > 1:
        return False
    attributes = variable.attrs
    return any(attributes.get(name) for name in _MARKS)


# Transforms and points ------------------------------------------------------------------------------------------------


def _geo_transform(mapping: Mapping[str, Any]) -> Affine | None:
    """Returns the transform in GDAL's attribute GeoTransform: c, a, b, f, d, e."""
    values = _six(mapping.get("GeoTransform"))
    if values is None:
        return None
    c, a, b, f, d, e = values
    return a, b, c, d, e, f


def _own_transform(sources: Sequence[Any]) -> Affine | None:
    """Returns the transform in attributes of the raster: of Zarr's convention, or of old versions of xarray."""
    for source in sources:
        attributes = getattr(source, "attrs", {})
        for name in ("spatial:transform", "transform"):
            values = _six(attributes.get(name))
            if values is not None and (values[0], values[1], values[3], values[4]) != (0, 0, 0, 0):
                return values
    return None


def pixel_transform(coordinate: Any) -> Affine | None:
    """Returns the transform of pixel positions that odc-geo keeps with the coordinates of a rotated grid."""
    return _six(getattr(coordinate, "encoding", {}).get("_transform"))


def _six(stated: Any) -> Affine | None:
    if stated is None:
        return None
    try:
        values = [float(value) for value in (stated.split() if isinstance(stated, str) else stated)]
    except (TypeError, ValueError):
        return None
    if len(values) == 9:
        values = values[:6]
    if len(values) != 6 or not np.isfinite(values).all():
        return None
    a, b, c, d, e, f = values
    return a, b, c, d, e, f


def _points(mapping: Mapping[str, Any]) -> list[Gcp]:
    """Returns ground control points as rioxarray and odc-geo keep them: GeoJSON, possibly as text."""
    stated = mapping.get("gcps")
    if not stated:
        return []
    if isinstance(stated, str):
        stated = json.loads(stated)
    return _transform.gcps(_features(stated))


def _features(collection: Mapping[str, Any]) -> Iterator[tuple[float, ...]]:
    for feature in collection["features"]:
        x, y, *z = feature["geometry"]["coordinates"]
        place = feature["properties"]
        yield place["col"], place["row"], x, y, z[0] if z else 0.0
