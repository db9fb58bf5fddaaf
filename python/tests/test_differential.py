"""Comparison with `rio.to_raster(driver="COG")` and `odc.geo.xr.write_cog`, for the arrays of ``array_cases.py``.

Each difference is a row of the table in docs/python.md, with its reason; a difference that is missing there, or is listed
but no longer occurs, fails.
"""

from __future__ import annotations

import math
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import odc.geo.xr
import pyproj
import pytest
import rasterio
import rioxarray  # noqa: F401 - registers its accessor
from array_cases import ATTRIBUTES, BANDS, CF, NODATA, PLACES, REFUSED, Case
from cf_cases import COMPARED

import cogsmith

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"
HEADING = "### Differences from rioxarray and odc-geo, array by array"
FIELDS = ("place", "CRS", "nodata", "names", "tags", "point", "scale, offset, unit", "colors", "pixels", "error")
LIBRARIES = ("rio.to_raster", "odc write_cog")
CASES = [
    case
    for case in (*PLACES, *REFUSED, *NODATA, *BANDS, *ATTRIBUTES, *(case for case in CF if case.name in COMPARED))
    if not case.options
]


def array_of(case: Case) -> Any:
    """Returns the array; for a Dataset its variable, with the grid mapping as a coordinate."""
    source = case.build()
    if hasattr(source, "data_vars"):
        source = source.set_coords([name for name in source.data_vars if source[name].ndim == 0])
        source = source[next(iter(source.data_vars))]
    return source


def theirs(case: Case, library: str, folder: Path) -> Path:
    array = array_of(case)
    path = folder / "theirs.tif"
    if library == "rio.to_raster":
        array.rio.to_raster(path, driver="COG")
    else:
        odc.geo.xr.write_cog(array, path)
    return path


def ours(case: Case, library: str, folder: Path) -> Path:
    function = cogsmith.write if library == "rio.to_raster" else cogsmith.write_cog
    return function(array_of(case), folder / "ours.tif")


def seen(write: Any, *arguments: Any) -> dict[str, Any]:
    """Returns the content of a file, field by field, or its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            path = write(*arguments)
        except Exception as error:  # noqa: BLE001 - an error of any kind is an outcome
            return {"error": True, "text": f"{type(error).__name__}: {error}"}
        return {"error": False, **fields(path)}


def fields(path: Path) -> dict[str, Any]:
    with rasterio.open(path) as file:
        points, crs_of_points = file.gcps
        tags = file.tags()
        crs = file.crs or crs_of_points
        return {
            "place": [(one.col, one.row, one.x, one.y) for one in points] or tuple(file.transform)[:6],
            # Two definitions without a code are compared by PROJ.
            "CRS": None if crs is None else crs.to_epsg() or pyproj.CRS(crs.to_wkt()).to_proj4(),
            "nodata": file.nodata,
            "names": file.descriptions,
            "point": tags.pop("AREA_OR_POINT", "Area"),
            "tags": {name: text for name, text in tags.items() if name != "OVR_RESAMPLING_ALG"},
            "scale, offset, unit": (file.scales, file.offsets, file.units),
            "colors": tuple(color.name for color in file.colorinterp),
            "pixels": file.read(),
        }


def differ(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return not (one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    if isinstance(one, (tuple, list)) and one and all(isinstance(value, float) for value in np.ravel(one).tolist()):
        a, b = np.asarray(one), np.asarray(other)
        return a.shape != b.shape or not np.allclose(a, b, rtol=1e-9, atol=1e-5)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return not math.isnan(other)
    return one != other


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[tuple[str, str], set[str]]:
    """The arrays whose files differ, by library and field."""
    folder = tmp_path_factory.mktemp("differential")
    result: dict[tuple[str, str], set[str]] = {}
    for case in CASES:
        for library in LIBRARIES:
            mine, other = seen(ours, case, library, folder), seen(theirs, case, library, folder)
            for path in folder.iterdir():
                path.unlink()
            if mine["error"] or other["error"]:
                if mine["error"] != other["error"]:
                    result.setdefault((library, "error"), set()).add(case.name)
                continue
            for field in FIELDS[:-1]:
                if differ(mine[field], other[field]):
                    result.setdefault((library, field), set()).add(case.name)
    return result


@cache
def documented() -> dict[tuple[str, str], set[str]]:
    """The table of the page: library, field, arrays, behavior of the library, and reason."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.split(HEADING, 1)[1].split("\n## ", 1)[0]
    result: dict[tuple[str, str], set[str]] = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("| `"):
            continue
        assert len(cells) == 5 and all(cells), line
        libraries, names = re.findall(r"`([^`]+)`", cells[0]), re.findall(r"`([^`]+)`", cells[2])
        for library in libraries:
            assert library in LIBRARIES and cells[1] in FIELDS, line
            for name in names:
                kept = result.setdefault((library, cells[1]), set())
                assert name not in kept, f"{name} is listed twice"
                kept.add(name)
    return result


def test_there_is_enough_to_compare():
    assert len(CASES) >= 90


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_differences_are_those_of_the_page(found, library, field):
    """The page lists all differences, and no others."""
    assert found.get((library, field), set()) == documented().get((library, field), set())
