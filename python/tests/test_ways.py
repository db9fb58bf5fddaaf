"""One result for an array, in every way of writing it and whatever libraries are imported.

Four processes write the arrays of ``array_cases.py`` in every way: without rioxarray and odc-geo, with either, and with
both. Files are read with rasterio.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import left_by_libraries
import numpy as np
import pyproj
import pytest
import rasterio
from array_cases import CASES, Case

IMPORTS = [(), ("rioxarray",), ("odc-geo",), ("rioxarray", "odc-geo")]
BY_NAME = {case.name: case for case in CASES}
NAMED = pytest.mark.parametrize("name", list(BY_NAME))


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> list[dict[str, Any]]:
    """The reports of the processes."""
    root = tmp_path_factory.mktemp("ways")
    script = Path(__file__).with_name("ways_process.py")
    running = []
    for number, libraries in enumerate(IMPORTS):
        folder = root / str(number)
        folder.mkdir()
        command = [sys.executable, str(script), str(folder), *libraries]
        running.append((folder, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
    found = []
    for folder, process in running:
        output, _ = process.communicate(timeout=900)
        assert process.returncode == 0, output
        found.append(json.loads((folder / "ways.json").read_text()))
        found[-1]["files"] = root / "files"
    return found


def test_the_processes_have_what_they_should(results):
    assert len(BY_NAME) == len(CASES), "two cases have the same name"
    assert [set(one["libraries"]) & {"rioxarray", "odc"} for one in results] == [
        set(),
        {"rioxarray"},
        {"odc"},
        {"rioxarray", "odc"},
    ]
    assert results[0]["libraries"] == []


def test_libraries_leave_arrays_as_recorded(tmp_path):
    """The records match the installed versions; `python left_by_libraries.py` renews them."""
    assert left_by_libraries.changed(tmp_path) == []


@NAMED
def test_imports_decide_nothing(results, name):
    """All four processes have the same bytes, exceptions, and warnings."""
    alone, *others = (one["results"][name] for one in results)
    for libraries, other in zip(IMPORTS[1:], others, strict=True):
        assert len(other) >= 14
        for way, got in other.items():
            expected = alone[way]
            assert got.get("file") == expected.get("file") and got.get("error") == expected.get("error"), (
                libraries,
                way,
                expected,
                got,
                differences(results[0]["files"], expected, got),
            )
            assert got["warnings"] == expected["warnings"], (libraries, way)


def differences(files: Path, one: dict[str, Any], other: dict[str, Any]) -> Any:
    if "file" in one and "file" in other:
        return read(files / f"{one['file']}.tif"), read(files / f"{other['file']}.tif")
    return None


@cache
def read(path: Path) -> dict[str, Any]:
    """Returns everything that rasterio reads from a file, except its pixels."""
    with rasterio.open(path) as file:
        points, crs_of_points = file.gcps
        tags = file.tags()
        return {
            "transform": None if file.transform.is_identity and not points else tuple(file.transform)[:6],
            "crs": (crs := file.crs or crs_of_points) and crs.to_wkt(),
            "epsg": crs and crs.to_epsg(),
            "gcps": [(point.col, point.row, point.x, point.y) for point in points] or None,
            "nodata": file.nodata,
            "names": file.descriptions,
            "point": tags.pop("AREA_OR_POINT", "Area") == "Point",
            "tags": {name: text for name, text in tags.items() if not name.startswith("OVR_")},
            "scales": file.scales,
            "offsets": file.offsets,
            "units": file.units,
            "colors": tuple(color.name for color in file.colorinterp),
            "count": file.count,
        }


def is_cog(way: str) -> bool:
    """Returns whether a way has the defaults of datacube's function."""
    return "to_cog" in way or "write_cog" in way


@NAMED
def test_what_the_file_says(results, name):
    """Position, CRS, nodata, names, colors, and tags are correct in each way."""
    case = BY_NAME[name]
    for way, result in results[0]["results"][name].items():
        if way.startswith("explicit, "):
            continue
        check(case, way, result, results[0]["files"])


def check(case: Case, way: str, result: dict[str, Any], files: Path) -> None:
    error = case.error
    if error is None and is_cog(way) and (case.crs is None or (case.transform is None and case.gcps is None)):
        error = ("ValueError", "Need geo-registered array")
    if error is not None:
        assert "error" in result, f"{way}: no error, but {read(files / (result['file'] + '.tif'))}"
        kinds, text = result["error"]
        assert error[0] in kinds and re.search(error[1], text), (way, result["error"])
        return
    assert "error" not in result, (way, result)
    said = [text for text in result["warnings"] if text.startswith("UserWarning")]
    if case.warning is None:
        assert not result["warnings"], (way, result["warnings"])
    else:
        assert len(said) == 1 and re.search(case.warning, said[0]), (way, result["warnings"])
    got = read(files / f"{result['file']}.tif")
    assert_place(case, got, way)
    nodata = case.cog_nodata if is_cog(way) and case.cog_nodata != "as write" else case.nodata
    assert (got["nodata"] is None) == (nodata is None), (way, got["nodata"])
    np.testing.assert_equal(got["nodata"], nodata, way)
    names = case.names or (("variable",) if "Dataset" in way and got["count"] == 1 else (None,) * got["count"])
    if names != got["names"] and case.names is None and "Dataset" in way:
        names = ("variable",) * got["count"]
    assert got["names"] == names, way
    assert (got["tags"], got["point"]) == (case.tags, case.point), way
    count = got["count"]
    assert got["scales"] == (case.scales,) * count and got["offsets"] == (case.offsets,) * count, way
    assert got["units"] == (case.units,) * count, way
    colors = case.cog_colors if is_cog(way) and case.cog_colors else case.colors
    assert got["colors"] == (colors or ("gray", *("undefined",) * (count - 1))), way


def assert_place(case: Case, got: dict[str, Any], way: str) -> None:
    """The corners are correct to a hundred-thousandth of a pixel, and the CRS is the same."""
    if case.crs is None:
        assert got["crs"] is None, way
    elif isinstance(case.crs, int):
        assert got["epsg"] == case.crs, (way, got["crs"])
    else:
        assert got["crs"] is not None, way
        assert_same_crs(json.dumps(case.crs), got["crs"])
    if case.gcps is not None:
        np.testing.assert_allclose(np.array(got["gcps"]), np.array(case.gcps), rtol=0, atol=1e-6, err_msg=way)
        return
    assert got["gcps"] is None, way
    assert (got["transform"] is None) == (case.transform is None), (way, got["transform"])
    if case.transform is not None:
        pixel = math.hypot(case.transform[0], case.transform[3])
        np.testing.assert_allclose(got["transform"], case.transform, rtol=1e-9, atol=1e-5 * pixel, err_msg=way)


@cache
def assert_same_crs(text: str, wkt: str) -> None:
    """By PROJ, both definitions give the same points the same coordinates."""
    expected = json.loads(text)
    mine = pyproj.CRS.from_cf(expected) if isinstance(expected, dict) else pyproj.CRS(expected)
    theirs = pyproj.CRS(wkt)
    x = np.array([-2.0e6, -1.0e6, -3.0e5, 4.0e5]) if mine.is_projected else np.array([10.0, 20, -30, 40])
    y = np.array([1.5e6, 7.0e5, -4.0e5, 2.0e5]) if mine.is_projected else np.array([50.0, -20, 5, 60])
    points = [
        pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y) for crs in (mine, theirs)
    ]
    np.testing.assert_allclose(points[0], points[1], rtol=0, atol=1e-9)
    one, other = mine.ellipsoid, theirs.ellipsoid
    assert one.semi_major_metre == other.semi_major_metre
    assert abs(one.inverse_flattening - other.inverse_flattening) < 1e-6


@NAMED
def test_pixels_are_those_of_the_array(results, name):
    case = BY_NAME[name]
    source = case.build()
    if hasattr(source, "data_vars"):
        source = source[next(name for name in source.data_vars if source[name].ndim == 2)]
    names = [dim for dim in source.dims if dim not in ("band", "time")]
    rows, columns = ("y", "x") if "y" in names else names
    rest = [dim for dim in source.dims if dim not in (rows, columns)]
    expected = source.transpose(*rest, rows, columns).values.reshape(-1, source.sizes[rows], source.sizes[columns])
    if case.decoded:
        expected = np.where(np.isnan(expected), case.nodata, expected)
    seen = {result["file"] for result in results[0]["results"][name].values() if "file" in result}
    for file in seen:
        with rasterio.open(results[0]["files"] / f"{file}.tif") as opened:
            np.testing.assert_array_equal(opened.read(), expected)


#: Ways with the same defaults, except the predictor of Dask and the names of a Dataset.
SAME = [
    ["write", "write to a path", "write of a list", ".cogsmith.write"],
    ["write_cog", "to_cog", "write_cog to a path", ".cogsmith.write_cog", ".cogsmith.to_cog"],
    ["Dask, write", "Dask, write to a path", "Dask, write of a list"],
    ["Dask, write_cog", "Dask, to_cog", "write_cog"],
    ["write of a Dataset", "Dataset.cogsmith.write"],
]


@NAMED
def test_ways_with_the_same_defaults_give_the_same_bytes(results, name):
    found = results[0]["results"][name]
    for ways in SAME:
        files = {way: found[way].get("file") for way in ways}
        assert len(set(files.values())) == 1, files


@NAMED
def test_equal_options_give_equal_bytes(results, name):
    """With all options set, every way writes the same file, including `CogWriter` and NumPy arrays with `crs=`."""
    found = results[0]["results"][name]
    ways = {way: result for way, result in found.items() if way.startswith("explicit, ")}
    if not ways:
        pytest.skip("a case with options of its own, or one that is refused")
    case = BY_NAME[name]
    if case.transform is None and case.gcps is None:
        ways = {way: result for way, result in ways.items() if not is_cog(way)}
    failed = {way: result for way, result in ways.items() if "error" in result}
    assert not failed
    files = {way: result["file"] for way, result in ways.items()}
    assert len(set(files.values())) == 1, files


def test_most_cases_have_equal_options(results):
    counted = sum(any(way.startswith("explicit, ") for way in ways) for ways in results[0]["results"].values())
    assert counted >= 60
