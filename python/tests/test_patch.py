"""Patches: :func:`cogsmith.patch` makes the files of the command, and those that are written as a whole."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import rasterio
import xarray
from conftest import assert_valid
from test_create import command

import cogsmith

PIXELS = np.arange(3 * 300 * 200, dtype="uint16").reshape(3, 300, 200) % 977
OPTIONS = {"crs": 32633, "blocksize": 64, "predictor": "horizontal"}
PLACE = (10, 0, 500000, 0, -10, 6000000)


def place(column, row):
    return (10, 0, 500000 + 10 * column, 0, -10, 6000000 - 10 * row)


@pytest.fixture
def cog(tmp_path):
    path = tmp_path / "cog.tif"
    cogsmith.write(PIXELS, path, transform=PLACE, **OPTIONS)
    return path


def changed(part, column, row):
    pixels = PIXELS.copy()
    pixels[:, row:row + part.shape[1], column:column + part.shape[2]] = part
    return pixels


def test_patches_are_those_of_the_command(cog, tmp_path):
    part = PIXELS[:, 100:160, 20:90] + 5
    cogsmith.write(part, tmp_path / "part.tif", transform=place(60, 130), **OPTIONS)
    other = tmp_path / "other.tif"
    shutil.copy(cog, other)
    planned = cogsmith.patch(cog, tmp_path / "part.tif", dry_run=True)
    summary = cogsmith.patch(cog, [tmp_path / "part.tif"], threads=2)
    said = json.loads(command("patch", "--json", other, tmp_path / "part.tif"))
    assert cog.read_bytes() == other.read_bytes()
    assert set(said) == set(summary)
    ignored = {"file": 0, "output": 0, "seconds": 0}
    assert {**said, **ignored} == {**summary, **ignored}
    assert planned["levels"] == summary["levels"] and summary["windows"] == [[60, 130, 70, 60]]
    assert summary["encoded"] < summary["copied"] and not summary["warnings"]
    cogsmith.write(changed(part, 60, 130), tmp_path / "whole.tif", transform=PLACE, **OPTIONS)
    assert cog.read_bytes() == (tmp_path / "whole.tif").read_bytes()
    assert_valid(cog)


def test_arrays_are_updates(cog, tmp_path):
    part = PIXELS[:, :40, :50] // 2
    coordinates = {"x": 500005.0 + 10 * np.arange(7, 57), "y": 5999995.0 - 10 * np.arange(9, 49)}
    array = xarray.DataArray(part, dims=("band", "y", "x"), coords=coordinates, attrs={"crs": "EPSG:32633"})
    before = cog.read_bytes()
    summary = cogsmith.patch(cog, array, output=tmp_path / "out.tif")
    assert cog.read_bytes() == before and summary["output"] == str(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as file:
        assert (file.read() == changed(part, 7, 9)).all()
    assert_valid(tmp_path / "out.tif")


def test_errors(cog, tmp_path):
    part = tmp_path / "part.tif"
    cogsmith.write(PIXELS[:2, :30, :30], part, transform=PLACE, **OPTIONS)
    before = cog.read_bytes()
    with pytest.raises(ValueError, match="3 and 2 bands"):
        cogsmith.patch(cog, part)
    cogsmith.write(PIXELS[:, :30, :30], part, transform=place(190, 0), overwrite=True, **OPTIONS)
    with pytest.raises(ValueError, match="columns 190 to 220 .* 200 columns and 300 rows"):
        cogsmith.patch(cog, part)
    cogsmith.write(PIXELS[:, :30, :30], part, transform=PLACE, overwrite=True, **OPTIONS)
    with pytest.raises(ValueError, match="computed by cubic"):
        cogsmith.patch(cog, part, overview_resampling="mode")
    with pytest.raises(ValueError, match="'overwrite': has no effect without an output"):
        cogsmith.patch(cog, part, overwrite=True)
    with pytest.raises(FileExistsError):
        cogsmith.patch(cog, part, output=part)
    with pytest.raises(FileNotFoundError):
        cogsmith.patch(cog, tmp_path / "absent.tif")
    assert cog.read_bytes() == before
    cogsmith.write(PIXELS.astype("uint8"), cog, transform=PLACE, crs=32633, compress="jpeg", overwrite=True)
    cogsmith.write(PIXELS[:, :30, :30].astype("uint8"), part, transform=PLACE, crs=32633, overwrite=True)
    with pytest.raises(ValueError, match="lossy JPEG"):
        cogsmith.patch(cog, part)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cog.tif", "part.tif"]


def test_statistics(cog, tmp_path):
    cogsmith.write(PIXELS, cog, transform=PLACE, statistics=True, overwrite=True, **OPTIONS)
    part = PIXELS[:, :40, :50] // 2
    cogsmith.write(part, tmp_path / "part.tif", transform=PLACE, **OPTIONS)
    with pytest.warns(UserWarning, match="statistics of the bands are removed"):
        cogsmith.patch(cog, tmp_path / "part.tif", output=tmp_path / "without.tif")
    cogsmith.patch(cog, tmp_path / "part.tif", statistics=True)
    cogsmith.write(changed(part, 0, 0), tmp_path / "whole.tif", transform=PLACE, statistics=True, **OPTIONS)
    assert cog.read_bytes() == (tmp_path / "whole.tif").read_bytes()
