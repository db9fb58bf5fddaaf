"""The dimensions of rows and columns, and their coordinates."""

from __future__ import annotations

from typing import Any

#: Names of the dimensions of rows and columns, lowercase.
ROWS_AND_COLUMNS = (
    ("y", "x"), ("yc", "xc"), ("latitude", "longitude"), ("lat", "lon"), ("northing", "easting"), ("rlat", "rlon"),
    ("grid_latitude", "grid_longitude"), ("projection_y_coordinate", "projection_x_coordinate"), ("lats", "lons"),
    ("nlat", "nlon"), ("south_north", "west_east"), ("northings", "eastings"), ("nj", "ni"), ("j", "i"), ("ny", "nx"),
    ("row", "col"), ("row", "column"), ("rows", "cols"), ("rows", "columns"), ("line", "sample"), ("lines", "samples"),
    ("height", "width"),
)  # fmt: skip
#: Names of dimensions that are never rows or columns.
NOT_SPATIAL = (
    "band", "bands", "time", "wavelength", "wavelengths", "variable", "channel", "channels", "date", "valid_time",
    "month", "year", "season", "level", "lev", "plev", "depth", "z", "member", "ensemble", "realization", "step",
)  # fmt: skip
_X_NAMES = ("longitude", "projection_x_coordinate", "grid_longitude", "projection_x_angular_coordinate")
_Y_NAMES = ("latitude", "projection_y_coordinate", "grid_latitude", "projection_y_angular_coordinate")



def spatial_dims(raster: Any) -> tuple[str, str] | None:
    """Returns the names of the dimensions of rows and columns; ``None`` if there are none."""
    return named_dims(raster) or _remaining_dims(raster)


def named_dims(raster: Any) -> tuple[str, str] | None:
    """Returns the dimensions that names, attributes, or rioxarray identify as spatial."""
    dims = [dim for dim in getattr(raster, "dims", ()) if isinstance(dim, str)]
    lower = {dim.lower(): dim for dim in dims}
    for rows, columns in ROWS_AND_COLUMNS:
        if rows in lower and columns in lower:
            return lower[rows], lower[columns]
    stated = getattr(raster, "attrs", {}).get("spatial:dimensions")
    if isinstance(stated, (list, tuple)) and len(stated) >= 2 and set(stated[-2:]) <= set(dims):
        return str(stated[-2]), str(stated[-1])
    down = across = None
    for one in getattr(raster, "coords", {}).values():
        if one.ndim != 1 or one.dims[0] not in dims:
            continue
        called = role(one)
        if called == "x":
            across = across or one.dims[0]
        elif called == "y":
            down = down or one.dims[0]
    if down is not None and across is not None and down != across:
        return str(down), str(across)
    # Only the accessor knows what set_spatial_dims has set.
    view = accessor(raster, "rio")
    found = (attribute(view, "y_dim"), attribute(view, "x_dim"))
    return found if all(isinstance(dim, str) and dim in dims for dim in found) else None


def _remaining_dims(raster: Any) -> tuple[str, str] | None:
    """Returns the two dimensions that cannot be bands; of more than two, the last two with float coordinates."""
    dims = [dim for dim in getattr(raster, "dims", ()) if isinstance(dim, str)]
    rest = [dim for dim in dims if dim.lower() not in NOT_SPATIAL]
    if len(rest) > 2:
        coords = getattr(raster, "coords", {})
        rest = [dim for dim in rest if dim in coords and coords[dim].dtype.kind == "f"][-2:]
    return (rest[-2], rest[-1]) if len(rest) == 2 else None


def role(coordinate: Any) -> str | None:
    """Returns "x" or "y" for a coordinate that its CF attributes identify as such, else ``None``."""
    attributes = coordinate.attrs
    name = str(attributes.get("standard_name", "")).lower()
    axis = str(attributes.get("axis", "")).upper()
    units = str(attributes.get("units", "")).lower().replace("_", "").replace(" ", "")
    if axis == "X" or name in _X_NAMES or units in ("degreeseast", "degreeeast", "degreese", "degreee"):
        return "x"
    if axis == "Y" or name in _Y_NAMES or units in ("degreesnorth", "degreenorth", "degreesn", "degreen"):
        return "y"
    return None


def accessor(raster: Any, name: str) -> Any:
    """Returns an accessor that the caller's imports have registered; ``None`` if there is none."""
    # The class is checked, since a coordinate may have the same name.
    if not hasattr(type(raster), name):
        return None
    return attribute(raster, name)


def attribute(view: Any, name: str) -> Any:
    """Returns an attribute of an object of the caller's libraries; ``None`` if it raises or does not exist."""
    try:
        return None if view is None else getattr(view, name)
    except Exception:  # noqa: BLE001 - each library raises its own errors for missing values
        return None


def coordinate(raster: Any, dim: str) -> Any:
    """Returns the numeric coordinate along a dimension: the one of its name, else one that CF identifies as x or y."""
    coords = raster.coords
    along = [one for one in coords.values() if one.ndim == 1 and one.dims == (dim,) and one.dtype.kind in "iuf"]
    for one in along:
        if one.name == dim:
            return one
    if dim in coords:
        return None
    usual = {name for pair in ROWS_AND_COLUMNS[:5] for name in pair}
    named = [one for one in along if role(one) is not None or str(one.name).lower() in usual]
    return named[0] if named else None
