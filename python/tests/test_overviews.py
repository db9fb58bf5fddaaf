"""Supplied overviews, as odc-geo's ``overviews=``, compared with odc-geo."""

from __future__ import annotations

import warnings

import numpy as np
import odc.geo.cog
import pytest
import xarray as xr
from conftest import assert_valid, image, look, raster

import cogsmith

WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040)}


def thinned(array):
    """An image and two overviews that no kernel of the writer produces."""
    return array, [array[..., 1::2, 1::2], array[..., 3::4, 3::4]]


def assert_levels(data, *expected):
    seen = look(data, finished=True)
    assert len(seen.levels) == len(expected)
    for level, pixels in zip(seen.levels, expected, strict=True):
        np.testing.assert_array_equal(level, np.asarray(pixels).reshape(level.shape))


@pytest.mark.parametrize("shape", [(256, 256), (255, 131), (3, 255, 131)])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_the_same_levels_as_odc_geos(shape, dtype, tmp_path):
    full, overviews = thinned(raster(image(shape, dtype)))
    options = {"blocksize": 64, "overviews": overviews, "compress": "lzw"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = look(odc.geo.cog.write_cog(full, tmp_path / "theirs.tif", **options))
    ours = look(cogsmith.write_cog(full, tmp_path / "ours.tif", **options))
    assert_valid(tmp_path / "ours.tif", finished=True)
    assert len(ours.levels) == 3
    for one, other in zip(ours.levels, theirs.levels, strict=True):
        np.testing.assert_array_equal(one, other)
    assert ours.overviews == theirs.overviews
    assert ours.block_shapes == theirs.block_shapes
    for name in ("crs", "transform", "dtype", "count", "compress", "interleave"):
        assert ours.profile[name] == theirs.profile[name], name
    assert cogsmith.to_cog(full, **options) == (tmp_path / "ours.tif").read_bytes()


def test_levels_come_as_they_are():
    full, (half, quarter) = thinned(image((3, 200, 300)))
    half = half * 0 + 7
    assert_levels(cogsmith.write(full, ":mem:", overviews=[half, quarter], blocksize=64), full, half, quarter)
    # Any iterable, and any sizes that shrink.
    narrow = full[:, ::3]
    assert_levels(cogsmith.write(full, ":mem:", overviews=iter([narrow]), bands="first"), full, narrow)
    last = np.moveaxis(full, 0, 2)
    assert_levels(cogsmith.write(last, ":mem:", overviews=[last[::2, ::2]], bands="last"), full, full[:, ::2, ::2])
    lists = cogsmith.write(list(full), ":mem:", overviews=[list(half)])
    assert_levels(lists, full, half)


def test_how_overviews_were_made_is_said_by_the_caller_alone():
    full, overviews = thinned(raster(image((90, 120))))
    assert "OVERVIEW_RESAMPLING" not in look(cogsmith.to_cog(full, overviews=overviews), finished=True).structure
    said = look(cogsmith.to_cog(full, overviews=overviews, overview_resampling="average"))
    assert said.structure["OVERVIEW_RESAMPLING"] == "AVERAGE"


@pytest.mark.parametrize("array", [
    lambda pixels: pixels.astype(">i2"),
    lambda pixels: np.repeat(pixels, 2, axis=1)[:, ::2],
    lambda pixels: pixels > pixels.mean(),
    lambda pixels: pixels + 1j * pixels,
    lambda pixels: pixels.astype("float16"),
])  # fmt: skip
def test_any_array(array):
    full = array(image((90, 120), "int16"))
    half = array(image((45, 60), "int16", seed=1))
    assert_levels(cogsmith.write(full, ":mem:", overviews=[half], blocksize=32), full, half)


def test_levels_of_computed_overviews_give_the_same_file():
    pixels = raster(image((1024, 1200)), nodata=0)
    computed = cogsmith.to_cog(pixels, overview_levels=[2, 4])
    given = [pixels[::2, ::2], pixels[::4, ::4]]
    assert cogsmith.to_cog(pixels, overviews=given, overview_resampling="nearest") == computed
    arrays = [level.data for level in given]
    assert cogsmith.to_cog(pixels, overviews=arrays, overview_resampling="nearest") == computed


def test_masks_are_those_of_the_levels():
    def masked(shape, seed):
        pixels = image(shape, seed=seed)
        return np.ma.masked_array(pixels, pixels % 3 == 0)

    full, half = masked((90, 120), 0), masked((45, 60), 1)
    data = cogsmith.write(full, ":mem:", overviews=[half], blocksize=32)
    import rasterio

    with rasterio.MemoryFile(data) as memory:
        with rasterio.open(memory.name) as file:
            np.testing.assert_array_equal(file.dataset_mask() == 0, full.mask)
        with rasterio.open(memory.name, OVERVIEW_LEVEL=0) as file:
            np.testing.assert_array_equal(file.dataset_mask() == 0, half.mask)
            np.testing.assert_array_equal(file.read(1), half.data)
    # A level where nothing is masked.
    whole = cogsmith.write(full, ":mem:", overviews=[np.ma.masked_array(half.data)], blocksize=32)
    assert cogsmith.validate(whole)["verdict"] == "valid"
    with pytest.raises(ValueError, match="the image has a mask, but overview 1 has none"):
        cogsmith.write(full, ":mem:", overviews=[half.data])
    with pytest.raises(ValueError, match="overview 1 has a mask, but the image has none"):
        cogsmith.write(full.data, ":mem:", overviews=[half])


def test_datasets():
    bands = xr.Dataset({name: raster(image((90, 120), seed=seed)) for seed, name in enumerate("ab")})
    half = bands.isel(x=slice(None, None, 2), y=slice(None, None, 2))
    assert_levels(cogsmith.to_cog(bands, overviews=[half]), bands.to_array(), half.to_array())


def test_verified_and_with_progress_and_statistics(out):
    full, overviews = thinned(raster(image((300, 400))))
    told = []
    cogsmith.write_cog(
        full, out, overviews=overviews, verify=True, statistics=True, progress=lambda *rows: told.append(rows)
    )
    assert told[-1] == (300, 300)
    with __import__("rasterio").open(out) as file:
        assert float(file.tags(1)["STATISTICS_MAXIMUM"]) == full.max()


@pytest.mark.parametrize(("overviews", "message"), [
    (lambda a: [a], "an overview of 120x90 after 120x90: each must be smaller"),
    (lambda a: [a[::4, ::4], a[::2, ::2]], "an overview of 60x45 after 30x23: each must be smaller"),
    (lambda a: [np.pad(a, 1)], "an overview of 122x92 after 120x90: each must be smaller"),
    (lambda a: [a[::2, ::2].astype("float32")], "overview 1 is float32, but the image is uint16"),
    (lambda a: [a[::2, ::2], np.stack([a[::4, ::4]] * 2)], "overview 2 has 2 bands, but the image has 1"),
    (lambda a: [a[::2, ::2], 4], "expected shrink factors or images, not both"),
    (lambda a: [a[0]], "shrink factors"),
    (lambda a: a[::2, ::2], "expected a list of images"),
    (lambda a: [raster(a[::2, ::2], crs=32634)], "overview 1 has a different CRS"),
    (lambda a: [raster(a[::2, ::2], nodata=5)], "overview 1 has nodata 5, but the image has None"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(overviews, message, out):
    full = image((90, 120))
    with pytest.raises(ValueError, match=message):
        cogsmith.write_cog(raster(full), out, overviews=overviews(full))
    assert not out.exists()


def test_what_says_something_else_is_refused(out):
    full, overviews = thinned(raster(image((90, 120))))
    with pytest.raises(ValueError, match="'overview_levels' conflicts with supplied overviews"):
        cogsmith.write_cog(full, out, overviews=overviews, overview_levels=[2, 4])
    with pytest.raises(ValueError, match="option 'overview_count' contradicts 'overviews'"):
        cogsmith.write(full, out, overviews=overviews, overview_count=2)
    with pytest.raises(ValueError, match="not supported for Dask arrays"):
        cogsmith.write_cog(full.chunk(50), out, overviews=overviews)
    with pytest.raises(ValueError, match="not supported for Dask arrays"):
        cogsmith.write_cog(full, out, overviews=[overviews[0].chunk(20)])
    with pytest.raises(ValueError, match="does not accept images here"):
        cogsmith.create(out, out, overviews=[overviews[0].data])
    with pytest.raises(ValueError, match="does not accept images here"):
        cogsmith.CogWriter(out, shape=(90, 120), dtype="u2", overviews=[overviews[0].data])


def test_a_number_of_overviews_instead_of_the_factors_of_datacube():
    array = raster(image((600, 700)))
    assert look(cogsmith.to_cog(array, overview_count=2)).overviews == [2, 4]
    with pytest.raises(ValueError, match="option 'overview_count' contradicts 'overviews'"):
        cogsmith.to_cog(array, overview_levels=[2, 4], overview_count=2)
