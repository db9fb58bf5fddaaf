"""Conversion of files: :func:`cogsmith.create` takes every option of the command, and writes the same bytes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import NOT_IN_PYTHON, geobox, image, leftovers, raster
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp, Compression, Resampling

import cogsmith

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = Path(os.environ.get("COGSMITH", PROJECT / "target" / "debug" / f"cogsmith{'.exe' * (os.name == 'nt')}"))
FIXTURES = PROJECT / "fixtures"


def command(*arguments: object) -> str:
    assert COMMAND.exists(), f"{COMMAND} is missing: run `cargo build` first, or set COGSMITH"
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Three bands with metadata of every kind."""
    path = tmp_path_factory.mktemp("create") / "source.tif"
    array = raster(image((3, 300, 260), "int16"), nodata=-999)
    tags = {"PLACE": "here", "TIFFTAG_SOFTWARE": "others"}
    cogsmith.write(array, path, tags=tags, band_names=["a", "b", "c"], band_scale=0.1, compress="lzw")
    return path


def test_every_option_of_the_command_is_taken():
    from cogsmith._file_options import FILE_OPTIONS
    from cogsmith._options import OPTIONS

    listed = re.findall(r"^\s+(?:-\w, )?--([a-z-]+)", command("create", "--help"), re.MULTILINE)
    assert len(listed) > 30
    taken = {**FILE_OPTIONS, **OPTIONS}
    missing = {name.replace("-", "_") for name in listed} - {"help", *taken}
    assert missing == NOT_IN_PYTHON
    # Conversely, each option in the table is an option of the command.
    own = {key for key, _ in FILE_OPTIONS.values()}
    assert own <= {name.replace("-", "_") for name in listed}


GCPS = [(0, 0, 13.0, 52.0, 0), (260, 0, 13.1, 52.0, 0), (0, 300, 13.0, 51.9, 0), (260, 300, 13.1, 51.9, 5)]
TRANSFORM = Affine(20, 0, 500000, 0, -30, 6000000)

#: Options of `create`, and the equivalent options of the command.
PAIRS: list[tuple[dict[str, object], list[str]]] = [
    ({"crs": 32632}, ["--crs", "EPSG:32632"]),
    ({"CRS": rasterio.CRS.from_epsg(3577)}, ["--crs", "EPSG:3577"]),
    ({"crs": "+proj=utm +zone=31 +datum=WGS84", "crs_wkt": True}, ["--crs", "+proj=utm +zone=31 +datum=WGS84", "--crs-wkt"]),
    ({"transform": TRANSFORM}, ["--transform", "500000,20,0,6000000,0,-30"]),
    ({"transform": tuple(TRANSFORM)[:6]}, ["--transform", "500000,20,0,6000000,0,-30"]),
    ({"transform": "500000,20,0,6000000,0,-30"}, ["--transform", "500000,20,0,6000000,0,-30"]),
    ({"geotransform": TRANSFORM.to_gdal()}, ["--transform", "500000,20,0,6000000,0,-30"]),
    ({"bounds": (0, 10, 20, 30.5)}, ["--bounds", "0,10,20,30.5"]),
    ({"bounds": rasterio.coords.BoundingBox(-1, 10, 20, 30)}, ["--bounds=-1,10,20,30"]),
    ({"gcps": GCPS}, [part for point in GCPS for part in ("--gcp", ",".join(map(str, point)))]),
    (
        {"gcps": ([GroundControlPoint(row, col, x, y, z) for col, row, x, y, z in GCPS], rasterio.CRS.from_epsg(4326))},
        ["--crs", "EPSG:4326", *(part for point in GCPS for part in ("--gcp", ",".join(map(str, point))))],
    ),
    ({"gcp": [",".join(map(str, point)) for point in GCPS]}, [part for point in GCPS for part in ("--gcp", ",".join(map(str, point)))]),
    ({"pixel_is": "Point"}, ["--pixel-is", "point"]),
    ({"pixel_is_point": True}, ["--pixel-is", "point"]),
    ({"band_scale": 0.5}, ["--band-scale", "0.5"]),
    ({"band_scale": [1, 2, 3.5]}, ["--band-scale", "1=1", "--band-scale", "2=2", "--band-scale", "3=3.5"]),
    ({"band_scale": {2: 7}, "band_offset": np.float32(0.5)}, ["--band-scale", "2=7", "--band-offset", "0.5"]),
    ({"band_offset": [None, -3, None]}, ["--band-offset", "2=-3"]),
    ({"band_offset": "2=-3"}, ["--band-offset", "2=-3"]),
    ({"band_unit": "m"}, ["--band-unit", "m"]),
    ({"band_unit": ["m", "km", ""]}, ["--band-unit", "1=m", "--band-unit", "2=km", "--band-unit", "3="]),
    ({"band_description": ["1=red", "3="]}, ["--band-description", "1=red", "--band-description", "3="]),
    ({"band_names": ["r", "g", "b"]}, [f"--band-description={band}={name}" for band, name in enumerate("rgb", 1)]),
    ({"band_description": {2: "two"}}, ["--band-description", "2=two"]),
    ({"color_interpretation": ["nir", "red", "green"]}, ["--color-interpretation", "nir,red,green"]),
    ({"colorinterp": [ColorInterp.blue, ColorInterp.green, ColorInterp.red]}, ["--color-interpretation", "blue,green,red"]),
    ({"color_interpretation": "Blue,green,RED"}, ["--color-interpretation", "blue,green,red"]),
    ({"metadata": {"A": "b", "MINE:C": 5}}, ["--metadata", "A=b", "--metadata", "MINE:C=5"]),
    ({"tags": {"MINE": {"C": 5, "D": 0.5}, "TIFFTAG_SOFTWARE": "x"}}, ["--metadata", "MINE:C=5", "--metadata", "MINE:D=0.5", "--metadata", "TIFFTAG_SOFTWARE=x"]),
    ({"metadata": ["A=b=c", "xml:X:Y=z"]}, ["--metadata", "A=b=c", "--metadata", "xml:X:Y=z"]),
    ({"strip_metadata": True}, ["--strip-metadata"]),
    ({"stats": True}, ["--stats"]),
    ({"statistics": "YES", "nodata": 3}, ["--stats", "--nodata", "3"]),
    ({"nodata": None, "mask": "NONE"}, ["--nodata", "none", "--mask", "none"]),
    ({"nodata": "-1", "mask": "nodata"}, ["--nodata", "-1", "--mask", "nodata"]),
    ({"compress": Compression.zstd, "level": "3", "PREDICTOR": "Horizontal"}, ["--compress", "zstd", "--level", "3", "--predictor", "horizontal"]),
    ({"blocksize": "128x64", "overview_blocksize": (64, 32)}, ["--blocksize", "128x64", "--overview-blocksize", "64x32"]),
    ({"overviews": "2,4", "overview_resampling": Resampling.average}, ["--overviews", "2,4", "--overview-resampling", "average"]),
    ({"overview_count": 1, "interleave": "BAND", "BIGTIFF": "Yes"}, ["--overview-count", "1", "--interleave", "band", "--bigtiff", "yes"]),
    ({"bigtiff": "IF_SAFER", "image": 1, "nbits": "Widen"}, ["--image", "1", "--nbits", "widen"]),
    ({"threads": "ALL", "tile_memory": "1M", "row_memory": "64k", "sync": True, "verify": True, "json": True}, ["--threads", "1"]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "arguments"), PAIRS, ids=[" ".join(pair[1])[:60] for pair in PAIRS])
def test_the_bytes_of_the_command(options, arguments, source, tmp_path):
    ours, theirs = tmp_path / "ours.tif", tmp_path / "theirs.tif"
    cogsmith.create(source, ours, **options)
    command("create", "--quiet", *arguments, source, theirs)
    assert ours.read_bytes() == theirs.read_bytes()
    # Without the options, the bytes differ: no entry of this list is without effect.
    plain = tmp_path / "plain.tif"
    cogsmith.create(source, plain)
    assert (ours.read_bytes() == plain.read_bytes()) == ("threads" in options or "image" in options)


def test_what_rasterio_sees(source, out):
    cogsmith.create(
        source, out, crs=25832, geotransform=(500000, 20, 0, 6000000, 0, -30), band_scale={2: 0.5}, band_unit=["m", "m", "s"],
        band_names=["x", "y", "z"], metadata={"MINE": {"KEY": "value"}, "PLACE": "there"}, statistics=True,
    )  # fmt: skip
    with rasterio.open(out) as file, rasterio.open(source) as before:
        assert file.crs.to_epsg() == 25832 and file.transform == TRANSFORM
        assert file.scales == (0.1, 0.5, 0.1) and file.units == ("m", "m", "s") and file.descriptions == ("x", "y", "z")
        assert file.tags(ns="MINE") == {"KEY": "value"}
        assert file.tags()["PLACE"] == "there" and file.tags()["TIFFTAG_SOFTWARE"] == "others"
        valid = before.read(1)[before.read(1) != -999]
        assert float(file.tags(1)["STATISTICS_MAXIMUM"]) == valid.max()
        np.testing.assert_array_equal(file.read(), before.read())


def test_predictor_yes_goes_by_the_type_of_the_input(tmp_path):
    for dtype, expected in (("float32", "3"), ("uint16", "2"), ("complex64", "1")):
        source, out = tmp_path / f"{dtype}.tif", tmp_path / f"{dtype}-cog.tif"
        cogsmith.write(raster(image((60, 70), dtype)), source, predictor=1)
        cogsmith.create(source, out, predictor="YES")
        with rasterio.open(out) as file:
            assert file.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR", "1") == expected


def test_if_safer_goes_by_the_size_of_the_input(tmp_path):
    source, out = tmp_path / "large.tif", tmp_path / "cog.tif"
    profile = {"driver": "GTiff", "width": 32000, "height": 24000, "count": 1, "dtype": "uint16"}
    with rasterio.open(source, "w", **profile, tiled=True, SPARSE_OK=True, BIGTIFF="YES"):
        pass
    cogsmith.create(source, out, bigtiff="IF_SAFER", compress="lzw", overviews="none", quiet=True)
    assert out.read_bytes()[2] == 43
    cogsmith.create(source, out, bigtiff="IF_NEEDED", compress="lzw", overviews="none", quiet=True, overwrite=True)
    assert out.read_bytes()[2] == 42


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"transform": TRANSFORM, "bounds": (0, 0, 1, 1)}, "option 'transform' contradicts 'bounds'"),
        ({"transform": TRANSFORM, "geotransform": TRANSFORM.to_gdal()}, "mean the same"),
        ({"band_scale": [1, 2]}, None),
        ({"band_scale": [1, 2, 3, 4]}, "option 'band_scale': there is no band 4; the output has 3"),
        ({"band_description": {4: "x"}}, "option 'band_description': there is no band 4"),
        ({"band_names": "all"}, "expected a list with one per band"),
        ({"band_scale": {0: 1}}, "band 0"),
        ({"band_scale": float("nan")}, "finite"),
        ({"band_scale": 0}, "option 'band_scale'"),
        ({"color_interpretation": ["red"]}, "option 'color_interpretation': 1 for 3 bands"),
        ({"color_interpretation": ["mauve"] * 3}, "color_interpretation=\"mauve\": expected one of"),
        ({"bounds": (1, 2, 3)}, "left, bottom, right, top"),
        ({"bounds": (3, 2, 1, 4)}, "bounds"),
        ({"geotransform": (1, 2)}, "six numbers c, a, b, f, d, e"),
        ({"gcps": [(1, 2, 3)]}, "ground control point"),
        ({"pixel_is": "line"}, "expected one of area, point"),
        ({"metadata": ["KEY"]}, "KEY=VALUE"),
        ({"metadata": {"A": 1}, "tags": {"B": 2}}, "mean the same"),
        ({"mask": "some"}, "expected one of auto, none, nodata, any-nodata, alpha"),
        ({"nodata": 70000}, "option 'nodata': nodata value 70000 is out of range for i16 (-32768 to 32767); pass nodata=None"),
        ({"nodata": 0.5}, "nodata value 0.5 is not an integer, as i16 requires"),
        ({"gcps": GCPS, "bounds": (0, 0, 1, 1)}, "option 'bounds' contradicts 'gcps'"),
        ({"scale": 0.5}, "option 'scale' is unknown; did you mean 'band_scale'? It records a scale factor in the metadata"),
        ({"image": 0}, "image=0: expected the number of an image"),
        ({"json": False}, "always returns the summary"),
        ({"tile_memory": "much"}, "64M"),
        ({"dtype": "uint8"}, "option 'nodata': nodata value -999 is out of range for u8"),
        ({"dtype": "u7"}, "option 'dtype': 'u7' is not one of u8"),
        ({"window": (0, 0, 0, 5)}, "option 'window': columns 0 to 0"),
        ({"bands": 9}, "option 'bands': there is no band 9"),
        ({"rescale": (1, 1)}, "option 'rescale': 1 to 1: expected two different finite numbers"),
        ({"photometric": "rgb"}, "photometric='rgb': expected one of auto, ycbcr"),
        ({"width": 260}, "option 'width'=260 is not supported: it is taken from the input"),
    ],
)
def test_what_is_refused(options, expected, source, out):
    if expected is None:
        cogsmith.create(source, out, **options)
        return
    with pytest.raises((ValueError, TypeError)) as error:
        cogsmith.create(source, out, **options)
    assert expected in str(error.value)
    assert leftovers(out.parent) == []


def test_quiet(tmp_path, out):
    source = tmp_path / "two.tif"
    with rasterio.open(source, "w", driver="GTiff", width=20, height=20, count=1, dtype="uint8") as file:
        file.write(np.zeros((1, 20, 20), "uint8"))
    with rasterio.open(f"GTIFF_DIR:1:{source}"):
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cogsmith.create(source, out, quiet=True)


def test_results_have_the_keys_of_the_commands(source, tmp_path):
    ours, theirs = tmp_path / "ours.tif", tmp_path / "theirs.tif"
    for options, words in (({}, []), ({"statistics": True}, ["--stats"])):
        summary = cogsmith.create(source, ours, overwrite=True, **options)
        expected = json.loads(command("create", "--json", "--overwrite", *words, source, theirs))
        assert list(summary) == list(expected)
        assert summary["output"] == str(ours) and summary["seconds"] >= 0
        for key in ("output", "seconds"):
            del summary[key], expected[key]
        assert summary == expected
    facts, expected = cogsmith.info(ours), json.loads(command("info", "--json", theirs))
    del expected["file"]
    assert facts == expected and list(facts) == list(expected)
    assert facts["levels"][0]["ratio"] > 1


@pytest.mark.parametrize("address", ["ftp://me:SECRET@host/in.tif?SECRET", "file:///in.tif", "/vsizip/in.zip/in.tif"])
def test_other_addresses_are_not_paths(address, tmp_path):
    with pytest.raises(ValueError, match="is not a file system path; cogsmith opens https://") as raised:
        cogsmith.create(address, tmp_path / "out.tif")
    assert "SECRET" not in str(raised.value)


def test_web_addresses_are_not_targets(tmp_path):
    with pytest.raises(ValueError, match="is not a file system path; open it with fsspec"):
        cogsmith.create(tmp_path / "in.tif", "https://example.com/out.tif")
