"""Changes without encoding: :func:`cogsmith.edit` and :func:`cogsmith.repack` make the files of the command."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import rasterio
from conftest import assert_valid
from test_create import command

import cogsmith

PIXELS = np.arange(3 * 300 * 200, dtype="uint16").reshape(3, 300, 200)


@pytest.fixture
def cog(tmp_path):
    path = tmp_path / "cog.tif"
    cogsmith.write(PIXELS, path, crs=32633, transform=(10, 0, 500000, 0, -10, 6000000), blocksize=64, tags={"AREA": "north"})
    return path


def test_edits_are_those_of_the_command(cog, tmp_path):
    other = tmp_path / "other.tif"
    shutil.copy(cog, other)
    summary = cogsmith.edit(
        cog, crs=3857, nodata=-0.0, geotransform=(1, 2, 0, 3, 0, -2), band_description={2: "x"}, band_scale=0.5,
        metadata={"KEY": "v", "D": {"A": 1}}, remove_metadata="AREA", header_room="8K",
    )  # fmt: skip
    said = json.loads(command(
        "edit", "--json", "--crs", "EPSG:3857", "--nodata=-0", "--transform", "1,2,0,3,0,-2", "--band-description", "2=x", "--band-scale", "0.5",
        "--metadata", "KEY=v", "--metadata", "D:A=1", "--remove-metadata", "AREA", "--header-room", "8K", other,
    ))  # fmt: skip
    assert cog.read_bytes() == other.read_bytes()
    assert set(said) == set(summary)
    assert {**said, "file": 0, "seconds": 0} == {**summary, "file": 0, "seconds": 0}
    assert summary["written"] and not summary["in_place"]
    assert_valid(cog, edited=True)
    with rasterio.open(cog) as file:
        assert (file.crs.to_epsg(), file.nodata, file.descriptions) == (3857, 0, (None, "x", None))
        assert (file.read() == PIXELS).all()
    # There is room now.
    summary = cogsmith.edit(cog, nodata=None)
    assert summary["in_place"] and summary["changes"] == ['remove GDAL_NODATA (42113): "-0"']
    assert_valid(cog, edited=True)


def test_nothing_is_written_without_a_change(cog):
    before = cog.read_bytes()
    for options in ({}, {"crs": 32633}, {"nodata": 9, "dry_run": True}):
        summary = cogsmith.edit(cog, **options)
        assert not summary["written"] and cog.read_bytes() == before
    assert summary["changes"] == ['add GDAL_NODATA (42113): "9"']


def test_repack_is_that_of_the_command(cog, tmp_path):
    with rasterio.open(cog) as file:
        profile = {**file.profile, "driver": "GTiff", "tiled": True, "blockxsize": 64, "blockysize": 64}
    with rasterio.open(tmp_path / "plain.tif", "w", **profile) as file:
        file.write(PIXELS)
        file.build_overviews([2, 4], rasterio.enums.Resampling.nearest)
    summary = cogsmith.repack(tmp_path / "plain.tif", tmp_path / "ours.tif", bigtiff="yes", header_room=100)
    said = json.loads(command("repack", "--json", "--bigtiff", "yes", "--header-room", "100", tmp_path / "plain.tif", tmp_path / "theirs.tif"))
    assert (tmp_path / "ours.tif").read_bytes() == (tmp_path / "theirs.tif").read_bytes()
    assert set(said) == set(summary) and said["levels"] == [list(size) for size in summary["levels"]]
    assert_valid(tmp_path / "ours.tif", edited=True)
    # A COG is its own copy.
    cogsmith.repack(cog, tmp_path / "same.tif")
    assert (tmp_path / "same.tif").read_bytes() == cog.read_bytes()


def test_errors(cog, tmp_path):
    with pytest.raises(FileExistsError):
        cogsmith.repack(cog, cog)
    with pytest.raises(ValueError, match="'nodata': .*out of range"):
        cogsmith.edit(cog, nodata=-5)
    with pytest.raises(ValueError, match="is not one of crs, transform"):
        cogsmith.edit(cog, remove="everything")
    with pytest.raises(ValueError, match="'header_room': .*16777216"):
        cogsmith.edit(cog, header_room="1G")
    with pytest.raises(FileNotFoundError):
        cogsmith.edit(tmp_path / "absent.tif")
    rasterio.open(tmp_path / "strips.tif", "w", driver="GTiff", width=300, height=200, count=1, dtype="uint8").close()
    with pytest.raises(ValueError, match="strips, not tiles; 'create'"):
        cogsmith.repack(tmp_path / "strips.tif", tmp_path / "out.tif")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cog.tif", "strips.tif"]


def test_parts_of_another_file_are_copied(cog, tmp_path):
    bare, other = tmp_path / "bare.tif", tmp_path / "other.tif"
    cogsmith.write(PIXELS, bare, blocksize=64)
    shutil.copy(bare, other)
    summary = cogsmith.edit(bare, copy_from=cog, copy=["crs", "transform", "metadata"])
    said = json.loads(command("edit", "--json", "--from", cog, "--copy", "crs,transform,metadata", other))
    assert bare.read_bytes() == other.read_bytes()
    assert {**said, "file": 0, "seconds": 0} == {**summary, "file": 0, "seconds": 0}
    with rasterio.open(bare) as file, rasterio.open(cog) as original:
        assert (file.crs, file.transform, file.tags()) == (original.crs, original.transform, original.tags())
    assert not cogsmith.edit(bare, copy_from=cog)["written"]
    with pytest.raises(ValueError, match="crs"):
        cogsmith.edit(bare, copy_from=cog, copy="nothing")
