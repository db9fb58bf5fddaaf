"""The signature of rio-cogeo: the same pixels, mask, nodata, and tags as its own function."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from conftest import assert_valid
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT
from rio_cogeo import cogeo
from rio_cogeo.profiles import cog_profiles

import cogsmith


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.tif"
    pixels = np.random.default_rng(1).integers(0, 200, (3, 700, 600)).astype("uint8")
    pixels[:, 100:200, 50:150] = 0
    with rasterio.open(
        path, "w", driver="GTiff", width=600, height=700, count=3, dtype="uint8", nodata=0, crs="EPSG:32633",
        transform=from_origin(500000, 6000000, 10, 10),
    ) as file:  # fmt: skip
        file.write(pixels)
        file.update_tags(A="b")
        file.set_band_description(1, "red")
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"indexes": [3, 1]},
        {"nodata": 7},
        {"dtype": "uint16"},
        {"overview_level": 1},
        {"overview_level": 0},
        {"overview_resampling": "average"},
        {"additional_cog_metadata": {"C": 1}},
        {"config": {"GDAL_NUM_THREADS": "2", "GDAL_TIFF_OVR_BLOCKSIZE": "128"}},
        {"in_memory": True, "quiet": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("profile", ["deflate", "lzw", "zstd", "raw"])
def test_the_same_as_rio_cogeo(source, tmp_path, profile, options):
    ours, theirs = tmp_path / "ours.tif", tmp_path / "theirs.tif"
    made = cog_profiles.get(profile)
    made.update({"blockxsize": 256, "blockysize": 256})
    cogsmith.cog_translate(source, ours, made, **options)
    cogeo.cog_translate(source, theirs, made, **{"quiet": True, **options})
    if options.get("overview_level") != 0:
        assert_valid(ours)
    with rasterio.open(ours) as a, rasterio.open(theirs) as b:
        assert (a.read() == b.read()).all() and a.dtypes == b.dtypes
        assert (a.nodata, a.transform, a.crs, a.block_shapes) == (b.nodata, b.transform, b.crs, b.block_shapes)
        assert (a.dataset_mask() == b.dataset_mask()).all()
        assert [a.overviews(band) for band in a.indexes] == [b.overviews(band) for band in b.indexes]
        assert a.descriptions == b.descriptions
        assert b.tags().items() <= a.tags().items()


def test_masks(source, tmp_path):
    ours, theirs = tmp_path / "ours.tif", tmp_path / "theirs.tif"
    cogsmith.cog_translate(source, ours, cog_profiles.get("deflate"), add_mask=True)
    cogeo.cog_translate(source, theirs, cog_profiles.get("deflate"), add_mask=True, quiet=True)
    with rasterio.open(ours) as a, rasterio.open(theirs) as b:
        valid = b.dataset_mask() != 0
        assert ((a.dataset_mask() != 0) == valid).all() and (a.read()[:, valid] == b.read()[:, valid]).all()


def test_a_dataset_and_other_bases(source, tmp_path):
    with rasterio.open(source) as dataset:
        cogsmith.cog_translate(dataset, tmp_path / "ours.tif", {"blockxsize": 128, "blockysize": 128}, decimation_base=3)
    with rasterio.open(tmp_path / "ours.tif") as ours:
        assert ours.overviews(1) == [3, 9]


@pytest.mark.parametrize("options", [{}, {"indexes": (2, 1)}, {"add_mask": True}, {"nodata": 9}], ids=str)
def test_datasets_in_memory(source, tmp_path, options):
    ours, theirs = tmp_path / "ours.tif", tmp_path / "theirs.tif"
    profile = cog_profiles.get("deflate")
    with MemoryFile(source.read_bytes()) as memory, memory.open() as dataset:
        cogsmith.cog_translate(dataset, ours, profile, forward_band_tags=True, quiet=True, **options)
        cogeo.cog_translate(dataset, theirs, profile, forward_band_tags=True, quiet=True, **options)
    with rasterio.open(ours) as a, rasterio.open(theirs) as b:
        valid = b.dataset_mask() != 0
        assert ((a.dataset_mask() != 0) == valid).all() and (a.read()[:, valid] == b.read()[:, valid]).all()
        assert (a.transform, a.crs, a.dtypes, a.colorinterp) == (b.transform, b.crs, b.dtypes, b.colorinterp)
        assert a.descriptions == b.descriptions and a.tags()["A"] == "b"
        assert [a.tags(band) for band in a.indexes] == [b.tags(band) for band in b.indexes]


def test_warped_datasets(source, tmp_path):
    ours = tmp_path / "ours.tif"
    with rasterio.open(source) as file, WarpedVRT(file, crs="EPSG:32634", resampling=Resampling.nearest) as warped:
        cogsmith.cog_translate(warped, ours, cog_profiles.get("deflate"), indexes=[2, 1])
        with rasterio.open(ours) as a:
            assert (a.read() == warped.read([2, 1])).all() and a.nodata == 0
            assert (a.transform, a.crs) == (warped.transform, warped.crs)


def test_a_color_table_of_the_caller(tmp_path):
    path = tmp_path / "classes.tif"
    with rasterio.open(path, "w", driver="GTiff", width=80, height=60, count=1, dtype="uint8") as file:
        file.write(np.arange(4800, dtype="uint8").reshape(1, 60, 80) % 2)
    with rasterio.open(path) as dataset:
        cogsmith.cog_translate(dataset, tmp_path / "ours.tif", {"compress": "lzw"}, dtype="uint8", colormap={1: (1, 2, 3, 255)})
    with rasterio.open(tmp_path / "ours.tif") as ours:
        assert ours.colormap(1)[1] == (1, 2, 3, 255)


def test_color_spaces_that_do_not_apply_are_left_out(source, tmp_path):
    profile = cog_profiles.get("jpeg")
    assert profile["photometric"] == "YCbCr"
    with pytest.warns(UserWarning, match="YCBCR is left out"):
        cogsmith.cog_translate(source, tmp_path / "ours.tif", profile, indexes=1)
    with rasterio.open(tmp_path / "ours.tif") as ours:
        assert ours.count == 1 and ours.compression.value == "JPEG"


def test_what_is_not_supported_is_named(source, tmp_path):
    for options in [{"web_optimized": True}, {"colormap": {0: (1, 2, 3, 4)}}, {"config": {"GDAL_NONSENSE": 1}}]:
        with pytest.raises(ValueError, match=next(iter(options))):
            cogsmith.cog_translate(source, tmp_path / "ours.tif", {}, **options)
    vrt = tmp_path / "source.vrt"
    rasterio.shutil.copy(source, vrt, driver="VRT")
    cogsmith.cog_translate(vrt, tmp_path / "vrt.tif", {})
    with pytest.raises(ValueError, match="add_mask=True is not supported for .*source.vrt"):
        cogsmith.cog_translate(vrt, tmp_path / "masked.tif", {}, add_mask=True)
    with pytest.raises(TypeError, match="neither a path nor a dataset"):
        cogsmith.cog_translate(object(), tmp_path / "ours.tif", {})
    assert list(inspect.signature(cogsmith.cog_translate).parameters) == list(inspect.signature(cogeo.cog_translate).parameters)
