"""Sparse files: arrays of all kinds give the same bytes, and rasterio reads what was written."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import rasterio

import cogsmith

WHERE = {"crs": 32633, "transform": (10, 0, 399960, 0, -10, 5000040), "blocksize": 128}


def islands(nodata=0, dtype="uint16"):
    pixels = np.full((2, 900, 1100), nodata, dtype)
    pixels[0, 300:420, 500:530] = np.random.default_rng(1).integers(1, 4096, (120, 30))
    pixels[:, 899, 1099] = 5
    return pixels


def missing(data):
    """The number of missing tiles of the first band, and all of them."""
    with rasterio.MemoryFile(data) as memory, memory.open() as file:
        found = [
            file.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=1) is None
            for y in range(-(-file.height // 128))
            for x in range(-(-file.width // 128))
        ]
    return sum(found), len(found)


def read(data):
    with rasterio.MemoryFile(data) as memory:
        with memory.open() as file:
            levels, count = [(file.read(), file.dataset_mask())], len(file.overviews(1))
        for level in range(count):
            with memory.open(OVERVIEW_LEVEL=level) as file:
                levels.append((file.read(), file.dataset_mask()))
    return levels


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (islands(), {}),
        (islands(7), {"nodata": 7}),
        (islands(7), {"nodata": 7, "interleave": "band", "statistics": True}),
        (islands(-9999.0, "float32"), {"nodata": -9999.0, "overview_resampling": "average"}),
        (islands(np.nan, "float32"), {"nodata": np.nan, "compress": "zstd"}),
    ],
)
def test_dask_and_arrays_leave_out_the_same_tiles(pixels, options):
    options = {**WHERE, **options, "predictor": "none"}
    full, sparse = (cogsmith.write(pixels, ":mem:", sparse=sparse, **options) for sparse in (False, True))
    left_out, count = missing(sparse)
    assert count - left_out == 5 and missing(full)[0] == 0
    for (a, b), (c, d) in zip(read(full), read(sparse)):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)
    for chunks in ((1, 256, 256), (2, 300, 1100)):
        lazy = cogsmith.write(da.from_array(pixels, chunks=chunks), ":mem:", sparse=True, **options)
        assert lazy.compute(scheduler="threads") == sparse
    assert cogsmith.write(pixels, ":mem:", SPARSE_OK="TRUE", **options) == sparse
    assert cogsmith.write(pixels, ":mem:", sparse="no", **options) == full


def test_objects_and_rows_too(server, storage):
    pixels = islands()
    expected = cogsmith.write(pixels, ":mem:", sparse=True, **WHERE)
    cogsmith.write(pixels, "s3://bucket/sparse.tif", sparse=True, storage_options=storage, **WHERE)
    assert server.objects["/bucket/sparse.tif"] == expected
    empty = np.zeros_like(pixels)
    cogsmith.write(empty, "s3://bucket/empty.tif", sparse=True, storage_options=storage, **WHERE)
    assert server.objects["/bucket/empty.tif"] == cogsmith.write(empty, ":mem:", sparse=True, **WHERE)
    lazy = da.from_array(empty, chunks=(2, 300, 300))
    with pytest.raises(ValueError, match="sparse is not supported for Dask arrays and object stores"):
        cogsmith.write(lazy, "s3://bucket/lazy.tif", sparse=True, storage_options=storage, **WHERE)
    assert not server.uploads


def test_masked_tiles(tmp_path):
    pixels = np.full((900, 1100), 9, "uint8")
    mask = np.zeros((900, 1100), bool)
    mask[100:300, 200:500] = True
    with pytest.warns(UserWarning, match="tiles left out although"):
        data = cogsmith.write(pixels, ":mem:", mask=mask, sparse="masked", **WHERE)
    (found, valid), *_ = read(data)
    assert ((valid > 0) == mask).all() and (found[0][mask] == 9).all() and (found[0][512:] == 0).all()
    assert missing(cogsmith.write(pixels, ":mem:", mask=mask, sparse=True, **WHERE))[0] == 0
    with pytest.raises(ValueError, match="'sparse': the file has no mask"):
        cogsmith.write(pixels, ":mem:", sparse="masked", **WHERE)
    with pytest.raises(ValueError, match="sparse_ok='masked': expected one of"):
        cogsmith.write(pixels, ":mem:", sparse_ok="masked", **WHERE)


def test_files(tmp_path):
    cogsmith.write(islands(), tmp_path / "in.tif", **WHERE)
    summary = cogsmith.create(tmp_path / "in.tif", tmp_path / "out.tif", sparse=True, blocksize=128, verify=True)
    assert missing((tmp_path / "out.tif").read_bytes())[0] == summary["levels"][0]["sparse_tiles"]
    again = cogsmith.create(tmp_path / "out.tif", tmp_path / "again.tif", SPARSE_OK=True, blocksize=128)
    assert (tmp_path / "again.tif").read_bytes() == (tmp_path / "out.tif").read_bytes()
    assert again["levels"] == summary["levels"]
    cogsmith.repack(tmp_path / "out.tif", tmp_path / "repacked.tif")
    assert missing((tmp_path / "repacked.tif").read_bytes()) == missing((tmp_path / "out.tif").read_bytes())
